// The clock of the token, the button that calls the API, and a look for sign-outs elsewhere.
"use strict";

const answer = document.getElementById("answer");
const main = document.querySelector("main");

function say(kind, words, body) {
  const first = document.createElement("strong");
  first.textContent = words;
  answer.className = `answer ${kind}`;
  answer.replaceChildren(first);
  if (!body) return;
  const said = document.createElement("code");
  said.textContent = body;
  answer.append(" ", said);
}

async function call() {
  const said = await (await fetch("/api")).json();
  if (said.status === 0) { say("", said.said); return; }
  const good = said.status === 200;
  const after = !good && said.since_ms !== null ? `, ${(said.since_ms / 1000).toFixed(1)} s after the sign-out` : "";
  say(good ? "yes" : "no", `${said.status} – ${good ? "let in" : "refused"} (${said.took_ms} ms)${after}`, said.said);
}

function tick() {
  document.querySelectorAll("[data-expires]").forEach((clock) => {
    const left = Math.max(0, Math.round(clock.dataset.expires - Date.now() / 1000));
    clock.textContent = left ? `${Math.floor(left / 60)} min ${left % 60} s` : "no longer";
  });
}

async function look() {
  if (main.dataset.signedIn !== "yes") return;
  const said = await (await fetch("/state")).json();
  if (!said.signed_in) location.reload();
}

document.getElementById("call")?.addEventListener("click", () => { call().catch(() => { say("", "The app does not answer."); }); });
tick();
setInterval(tick, 1000);
setInterval(() => { look().catch(() => {}); }, 1000);
