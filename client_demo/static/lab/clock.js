// From the click on "sign out" to the first refusal: measured by the app, drawn here.
import { milliseconds } from "./dom.js";
import { say } from "../words.js";

const card = document.getElementById("clock");
const number = document.getElementById("clock-number");
const fill = document.getElementById("clock-fill");
const said = document.getElementById("clock-said");

function words(state) {
  const { clock, told_ms: told } = state;
  if (clock.gone) return say("This pass belongs to another sign-in, which goes on.");
  if (clock.ms === null) {
    const left = clock.expires ? Math.max(0, clock.expires - state.now) : null;
    return left !== null && clock.calls > 40 ? say("Still let in. It runs out in {left} seconds.", { left: left.toFixed(0) }) : say("Trying the old pass every 50 milliseconds …");
  }
  const { calls } = clock;
  if (told === null) return say("Tried {calls} times. Refused for good.", { calls });
  return say("Tried {calls} times. Refused for good. The app itself heard of it after {told}.", { calls, told: milliseconds(told) });
}

export function show(state) {
  card.hidden = !state.clock;
  if (!state.clock) return;
  const ms = state.clock.ms ?? (state.now - state.clock.started) * 1000;
  const done = state.clock.ms !== null;
  card.classList.toggle("done", done);
  number.textContent = state.clock.gone ? "–" : milliseconds(ms);
  const whole = state.clock.expires ? (state.clock.expires - state.clock.started) * 1000 : 1000;
  fill.setAttribute("width", `${Math.min(100, (100 * ms) / Math.max(whole, 1)).toFixed(1)}%`);
  const sentence = words(state);
  if (said.textContent !== sentence) said.textContent = sentence;
}
