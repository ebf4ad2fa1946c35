// One exhibit: its buttons, and everything that changes while you look.
import { say } from "../words.js";
import { ask, element } from "./dom.js";
import { show } from "./clock.js";
import { onTake, showOutage } from "./outage.js";
import { draw } from "./timeline.js";

const main = document.getElementById("main");
const home = `/lab/${main.dataset.exhibit}`;
const ROLES = { editor: say("You are an editor."), reader: say("You are a reader.") };
let busy = false;

function life(state) {
  const place = document.getElementById("life");
  if (!place || !state.expires_at) return;
  const left = Math.max(0, Math.round(state.expires_at - state.now));
  const time = left >= 60 ? say("{minutes} min {seconds} s", { minutes: Math.floor(left / 60), seconds: left % 60 }) : `${left} s`;
  place.textContent = left ? say("The pass is good for another {time}.", { time }) : say("The pass has run out: renew it.");
}

function extra(state) {
  const place = document.getElementById("extra");
  if (place && state.roles) place.textContent = ROLES[state.roles[0]];
}

function thief(state) {
  const place = document.getElementById("thief-said");
  if (!place || !state.thief) return;
  const { let_in: letIn } = state.thief;
  place.textContent = letIn === null ? say("The thief holds nothing that works.") : letIn ? say("The thief is let in, exactly as you are.") : say("The thief is refused.");
}

function held(state) {
  const place = document.getElementById("tokens");
  document.getElementById("held").hidden = !state.tokens.length;
  const mark = state.tokens.map((token) => token.short).join();
  if (place.dataset.mark === mark) return;
  place.dataset.mark = mark;
  place.replaceChildren(...state.tokens.map(({ name, short, decoded }) => element("details", {},
    element("summary", {}, `${name} `, element("code", {}, short)),
    element("pre", { tabindex: "0", "aria-label": name }, decoded ? JSON.stringify(decoded, null, 2) : say("A random number. It says nothing to anybody but the provider.")))));
}

function update(state) {
  if (state.signed_in === undefined || !state.timeline) return;
  const was = main.dataset.signedIn === "yes";
  if (was !== state.signed_in) { location.reload(); return; }
  if (!state.tokens) return;
  document.getElementById("empty").hidden = state.timeline.length > 0;
  draw(document.getElementById("timeline"), state.timeline);
  for (const part of [life, extra, thief, held, show]) part(state);
  const away = showOutage(state.outage);
  main.dataset.racing = away || (state.clock && state.clock.ms === null && !state.clock.gone) ? "yes" : "no";
}

async function act(button) {
  if (busy) return;
  busy = true;
  button.setAttribute("aria-busy", "true");
  try {
    update(await ask(`${home}/do/${button.dataset.deed}`, "POST"));
  } catch { /* the next look tells */ }
  button.removeAttribute("aria-busy");
  busy = false;
}

async function look() {
  try {
    if (!document.hidden) update(await ask(`${home}/state`));
  } catch { /* the app is away for a moment */ }
  setTimeout(look, main.dataset.racing === "yes" ? 100 : 500);
}

document.querySelectorAll("[data-deed]").forEach((button) => button.addEventListener("click", () => act(button)));
onTake(async (thing) => { update(await ask(`${home}/do/take-${thing}`, "POST")); });
look();
