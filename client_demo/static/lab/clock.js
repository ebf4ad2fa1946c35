// From the click on "sign out" to the first refusal: measured by the app, drawn here.
import { milliseconds } from "./dom.js";

const card = document.getElementById("clock");
const number = document.getElementById("clock-number");
const fill = document.getElementById("clock-fill");
const said = document.getElementById("clock-said");

function words(state) {
  const { clock, told_ms: told } = state;
  if (clock.gone) return "This pass belongs to another sign-in, which goes on.";
  if (clock.ms === null) {
    const left = clock.expires ? Math.max(0, clock.expires - state.now) : null;
    return left !== null && clock.calls > 40 ? `Still let in. It runs out in ${left.toFixed(0)} seconds.` : "Trying the old pass every 50 milliseconds …";
  }
  const before = `Tried ${clock.calls} times. `;
  return told === null ? `${before}Refused for good.` : `${before}Refused for good. The app itself heard of it after ${milliseconds(told)}.`;
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
