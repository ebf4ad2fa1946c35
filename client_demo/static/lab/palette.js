// The colours of the page, as the charts need them; on paper, those of the light page.
const NAMES = ["ink", "soft", "line", "faint", "card", "accent", "bad", "unsure", "before", "band"];
const dark = matchMedia("(prefers-color-scheme: dark)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let printing = false;

export function palette() {
  const from = getComputedStyle(printing ? document.getElementById("paper") : document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, from.getPropertyValue(`--${name}`).trim()]));
}

export function still() {
  return calm.matches || printing;
}

export function onChange(redraw) {
  dark.addEventListener("change", redraw);
  for (const [event, now] of [["beforeprint", true], ["afterprint", false]]) {
    addEventListener(event, () => {
      printing = now;
      document.getElementById("board").classList.toggle("printing", now);
      redraw();
    });
  }
}
