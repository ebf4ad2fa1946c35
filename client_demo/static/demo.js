// The clock of the token, the button that calls the API, and a look for sign-outs elsewhere.
import { say as words } from "./words.js";

const answer = document.getElementById("answer");
const main = document.querySelector("main");

function say(kind, sentence, body) {
  const first = document.createElement("strong");
  first.textContent = sentence;
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
  const values = { took: said.took_ms, since: ((said.since_ms ?? 0) / 1000).toFixed(1) };
  const refused = said.since_ms === null ? words("refused ({took} ms)", values) : words("refused ({took} ms), {since} s after the sign-out", values);
  say(good ? "yes" : "no", `${said.status} – ${good ? words("let in ({took} ms)", values) : refused}`, said.said);
}

function tick() {
  document.querySelectorAll("[data-expires]").forEach((clock) => {
    const left = Math.max(0, Math.round(clock.dataset.expires - Date.now() / 1000));
    clock.textContent = left ? words("{minutes} min {seconds} s", { minutes: Math.floor(left / 60), seconds: left % 60 }) : words("no longer");
  });
}

async function look() {
  if (main.dataset.signedIn !== "yes") return;
  const said = await (await fetch("/state")).json();
  if (!said.signed_in) location.reload();
}

document.getElementById("call")?.addEventListener("click", () => { call().catch(() => { say("", words("The app does not answer.")); }); });
tick();
setInterval(tick, 1000);
setInterval(() => { look().catch(() => {}); }, 1000);
