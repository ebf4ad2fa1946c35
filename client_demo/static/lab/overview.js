// The race: ten passes, one sign-out, drawn while it happens.
import { ask } from "./dom.js";

const card = document.getElementById("race");
const words = document.getElementById("race-said");
const rows = new Map([...document.querySelectorAll(".row[data-name]")].map((row) => [row.dataset.name, row]));
const STATES = ["idle", "ready", "running", "refused"];
const SVG = "http://www.w3.org/2000/svg";

function dots(row, list) {
  const group = row.querySelector(".dots");
  if (group.childElementCount === list.length) return;
  group.replaceChildren(...list.map((at) => {
    const dot = document.createElementNS(SVG, "circle");
    for (const [name, value] of Object.entries({ cx: `${at}%`, cy: "50%", r: 4 })) dot.setAttribute(name, value);
    return dot;
  }));
}

function draw(said) {
  for (const now of said.rows) {
    const row = rows.get(now.name);
    row.classList.remove(...STATES);
    row.classList.add(now.state);
    row.classList.toggle("known", now.ms !== null);
    row.querySelector(".bar").setAttribute("x2", `${now.at}%`);
    row.querySelector(".head").setAttribute("cx", `${now.at}%`);
    if (now.words) row.querySelector(".value").textContent = now.words;
    if (now.price_words) row.querySelector(".price").textContent = now.price_words;
    row.classList.toggle("slow", now.slow);
    dots(row, now.dots);
  }
  if (card.dataset.running === "yes" && !said.running) words.textContent = words.dataset.after;
  card.dataset.running = said.running ? "yes" : "no";
}

async function look() {
  let running = false;
  try {
    const said = await ask("/lab/state");
    draw(said);
    running = said.running;
  } catch { /* the app is away for a moment */ }
  setTimeout(look, running ? 80 : 1500);
}

look();
