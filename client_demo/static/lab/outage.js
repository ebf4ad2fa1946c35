// Something is away: how each pass is treated meanwhile, one strip of time for each.
const place = document.getElementById("away");
const said = document.getElementById("away-said");
const SVG = "http://www.w3.org/2000/svg";
const SHORTEST = 12_000;

function part(kind, from, to, whole) {
  const made = document.createElementNS(SVG, "rect");
  const at = (ms) => `${((100 * ms) / whole).toFixed(2)}%`;
  for (const [name, value] of Object.entries({ class: kind, x: at(from), width: at(Math.max(0, to - from)), y: kind === "gone" ? 0 : 7, height: kind === "gone" ? 26 : 12 })) made.setAttribute(name, value);
  return made;
}

function draw(row, outage, whole) {
  const line = place.querySelector(`[data-strip=${row.name}]`);
  if (!line) return;
  const end = outage.over ? whole : outage.ms;
  const parts = row.turns.map(([at, kind], turn) => part(kind, turn ? at : 0, row.turns[turn + 1]?.[0] ?? end, whole));
  line.hidden = false;
  line.querySelector("svg").replaceChildren(part("gone", 0, outage.away, whole), ...parts);
  const words = line.querySelector("p");
  if (words.textContent !== row.said) words.textContent = row.said;
}

function sentence(outage) {
  if (outage.ms < outage.away) return place.dataset.away.replace("{n}", Math.ceil((outage.away - outage.ms) / 1000));
  if (!outage.over) return place.dataset.waits;
  return outage.rows.every((row) => row.normal !== null) ? place.dataset.over : place.dataset.late;
}

// Whether it is still going on.
export function showOutage(outage) {
  if (!outage || !outage.rows.length) return false;
  place.hidden = false;
  const last = Math.max(...outage.rows.map((row) => row.normal ?? outage.ms));
  const whole = Math.max(SHORTEST, outage.over ? last + 2000 : outage.ms);
  for (const row of outage.rows) draw(row, outage, whole);
  const words = sentence(outage);
  if (said.textContent !== words) said.textContent = words;
  place.dataset.going = outage.over ? "no" : "yes";
  return !outage.over;
}

export function onTake(take) {
  for (const button of document.querySelectorAll("[data-take]")) {
    button.addEventListener("click", async () => {
      if (button.getAttribute("aria-busy") || place.dataset.going === "yes") return;
      button.setAttribute("aria-busy", "true");
      try {
        await take(button.dataset.take);
      } catch { /* the next look tells */ }
      button.removeAttribute("aria-busy");
    });
  }
}
