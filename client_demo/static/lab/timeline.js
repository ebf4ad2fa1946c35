// The timeline: one line for each thing that happened, and what went over the wire behind it.
import { say } from "../words.js";
import { element } from "./dom.js";

const ASKED = { nothing: say("nobody was asked"), feed: say("asked its own memory"), list: say("asked the list"), provider: say("asked the provider") };
const WHO = { you: say("You"), app: say("The app"), thief: say("The thief"), watch: say("The clock"), operator: say("The operator") };

function kind(status) {
  if (status === 503 || status === 0) return "unsure";
  return status < 300 ? "yes" : "no";
}

function decoded(token) {
  const said = token ? JSON.stringify(token, null, 2) : say("It says nothing: only the provider knows what it stands for.");
  return element("details", {}, element("summary", {}, say("Read it")), element("pre", { tabindex: "0" }, said));
}

function parts(list) {
  const found = [];
  for (const { name, value, ...more } of list) {
    found.push(element("dt", {}, name), element("dd", {}, value, "token" in more ? decoded(more.token) : null));
  }
  return found;
}

function wire(entry) {
  if (!entry.url && entry.took === null) return null;
  const line = element("p", { class: "wire" });
  if (entry.status !== null) line.append(element("span", { class: `pill ${kind(entry.status)}` }, entry.status || say("no answer")));
  if (entry.url) line.append(element("code", {}, `${entry.method} ${entry.url}`.trim()));
  if (entry.took !== null) line.append(element("span", {}, entry.took < 1000 ? `${entry.took} ms` : `${(entry.took / 1000).toFixed(1)} s`));
  if (entry.asked in ASKED) line.append(element("span", {}, ASKED[entry.asked]));
  return line;
}

function details(entry) {
  if (!entry.sent.length && !entry.got.length) return null;
  const half = (title, found) => (found.length ? [element("h3", {}, title), element("dl", { class: "parts" }, ...found)] : []);
  return element("details", { "data-n": entry.n }, element("summary", {}, say("What went over the wire")),
    ...half(say("Sent"), parts(entry.sent)), ...half(entry.status === null ? say("A copy") : say("Came back"), parts(entry.got)));
}

export function draw(list, entries) {
  const known = new Map([...list.children].map((item) => [Number(item.dataset.n), item]));
  for (const entry of entries) {
    const item = known.get(entry.n);
    if (item) {
      const times = item.querySelector(".times");
      if (times) times.textContent = entry.times > 1 ? ` ${say("({n} times)", { n: entry.times })}` : "";
      known.delete(entry.n);
      continue;
    }
    const words = element("p", { class: "words" }, element("span", { class: "sr" }, `${WHO[entry.lane]}: `), entry.words, element("span", { class: "times" }));
    if (entry.times > 1) words.lastChild.textContent = ` ${say("({n} times)", { n: entry.times })}`;
    list.prepend(element("li", { class: `event ${entry.lane} ${entry.tone} fresh`, "data-n": entry.n }, words, wire(entry), details(entry)));
  }
  known.forEach((item) => item.remove());
}
