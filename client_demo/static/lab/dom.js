// Small pieces of a page, made without a line of markup.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const LANGUAGE = document.documentElement.lang;

export function number(value, digits = 1) {
  return value.toLocaleString(LANGUAGE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function milliseconds(ms) {
  if (ms < 1) return "< 1 ms";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${number(ms / 1000, ms % 1000 ? 1 : 0)} s`;
}

export async function ask(url, method = "GET") {
  const answer = await fetch(url, { method });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}
