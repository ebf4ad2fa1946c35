// The race: ten passes, one sign-out, drawn while it happens.
import { ask } from "./dom.js";
import { pointAt, show } from "./board.js";
import { onTake, showOutage } from "./outage.js";

const card = document.getElementById("race");
const words = document.getElementById("race-said");
const board = document.getElementById("board");
const readout = document.getElementById("readout");
const hint = readout.textContent;

function write(rows) {
  for (const row of rows) {
    const line = document.querySelector(`tr[data-name=${row.name}]`);
    line.dataset.state = row.state;
    line.dataset.slow = row.slow ? "yes" : "no";
    for (const cell of line.querySelectorAll("[data-key]")) {
      const text = row.words[cell.dataset.key] || "–";
      if (cell.textContent !== text) cell.textContent = text;
    }
    document.getElementById(`sum-${row.name}`).textContent = row.sentence;
  }
}

function atHand(name) {
  pointAt(name);
  for (const part of board.querySelectorAll("[data-name]")) part.classList.toggle("active", part.dataset.name === name);
  readout.textContent = name ? document.getElementById(`sum-${name}`).textContent : hint;
}

async function look() {
  let running = false;
  try {
    const said = await ask("/lab/state");
    running = said.running;
    show(said.rows);
    write(said.rows);
    if (card.dataset.running === "yes" && !running) words.textContent = words.dataset.after;
    card.dataset.running = running ? "yes" : "no";
    running = showOutage(said.outage) || running;
  } catch { /* the app is away for a moment */ }
  setTimeout(look, running ? 80 : 1500);
}

board.addEventListener("row", ({ detail }) => atHand(detail));
for (const part of board.querySelectorAll("[data-name]")) {
  part.addEventListener("mouseenter", () => atHand(part.dataset.name));
  part.addEventListener("focus", () => atHand(part.dataset.name));
  part.addEventListener("blur", () => atHand(null));
}
board.addEventListener("mouseleave", () => atHand(null));
document.getElementById("pick").addEventListener("change", ({ target }) => { board.dataset.show = target.value; });
onTake(async (thing) => { showOutage((await ask(`/lab/take/${thing}`, "POST")).outage); });
let opened = false;
const table = document.getElementById("as-table");
addEventListener("beforeprint", () => { opened = table.open; table.open = true; });
addEventListener("afterprint", () => { table.open = opened; });
look();
