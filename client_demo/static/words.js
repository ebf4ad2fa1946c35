// What the scripts say, in the language of the page.
import { GERMAN } from "./de.js";

const known = document.documentElement.lang === "de" ? GERMAN : {};

export function say(text, values = {}) {
  return (known[text] ?? text).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
