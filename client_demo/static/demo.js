// The clock of the token, the button that calls the API, and a look for sign-outs elsewhere.
"use strict";

const answer = document.getElementById("answer");
const main = document.querySelector("main");

async function call() {
  const said = await (await fetch("/api")).json();
  if (said.status === 0) { answer.textContent = said.said; answer.className = "answer"; return; }
  const good = said.status === 200;
  let words = good ? `200 – let in: ${said.said}` : `${said.status} – refused: ${said.said}`;
  words += ` (${said.took_ms} ms)`;
  if (!good && said.since_ms !== null) words += `, ${(said.since_ms / 1000).toFixed(1)} s after the sign-out`;
  answer.textContent = words;
  answer.className = good ? "answer yes" : "answer no";
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

document.getElementById("call")?.addEventListener("click", () => { call().catch(() => { answer.textContent = "The app does not answer."; }); });
tick();
setInterval(tick, 1000);
setInterval(() => { look().catch(() => {}); }, 1000);
