// Passkeys on the sign-in page and the security page. Passwords work without this file.
"use strict";

const token = document.querySelector('meta[name="csrf-token"]').content;
const problem = document.getElementById("passkey-problem");

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error || response.statusText);
  return answer;
}

function tell(error) {
  if (error.name === "AbortError" || error.name === "NotAllowedError") return;
  problem.textContent = error.message;
  problem.hidden = false;
}

async function signIn(form, mediation, signal) {
  const asked = await post(form.dataset.passkeyOptions, {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey);
  const credential = await navigator.credentials.get({ publicKey, mediation, signal });
  const answer = await post(form.dataset.passkeyLogin, {
    challenge: asked.challenge,
    credential: credential.toJSON(),
    tx: form.elements.tx.value,
    for: form.elements.for.value,
    client_id: form.elements.client_id?.value,
  });
  location.assign(answer.location);
}

async function offerInField(form, waiting) {
  const ready = await PublicKeyCredential.isConditionalMediationAvailable?.();
  if (!ready) return;
  const lives = 4 * 60 * 1000;
  while (!waiting.current?.signal.aborted || waiting.again) {
    waiting.again = false;
    waiting.current = new AbortController();
    const timer = setTimeout(() => { waiting.again = true; waiting.current.abort(); }, lives);
    try {
      await signIn(form, "conditional", waiting.current.signal);
      return;
    } catch (error) {
      tell(error);
      if (!waiting.again) return;
    } finally {
      clearTimeout(timer);
    }
  }
}

function setUpSignIn(form) {
  const waiting = { current: null, again: false };
  document.querySelectorAll("[data-passkey-only]").forEach((part) => { part.hidden = false; });
  document.getElementById("passkey-login").addEventListener("click", async () => {
    problem.hidden = true;
    waiting.current?.abort();
    try { await signIn(form, "optional"); } catch (error) { tell(error); }
  });
  offerInField(form, waiting);
}

function setUpAdding(form) {
  const button = document.getElementById("passkey-add");
  button.hidden = false;
  button.addEventListener("click", async () => {
    problem.hidden = true;
    try {
      const asked = await post(form.dataset.passkeyOptions, {});
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.publicKey);
      const credential = await navigator.credentials.create({ publicKey });
      const answer = await post(form.dataset.passkeyRegister, {
        challenge: asked.challenge,
        credential: credential.toJSON(),
        name: document.getElementById("passkey-name").value,
      });
      location.assign(answer.location);
    } catch (error) { tell(error); }
  });
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  const signInForm = document.getElementById("sign-in");
  const addingForm = document.getElementById("passkey-form");
  if (signInForm) setUpSignIn(signInForm);
  if (addingForm) setUpAdding(addingForm);
}
