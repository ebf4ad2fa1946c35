// Whether the session is still the one a client knows of: "unchanged", "changed", or "error" when
// that cannot be told. The origin of who asks is part of what is compared, so that a page learns
// something only about an answer that was given to its own site. Nothing is asked over the network.
"use strict";

(() => {
  const cookie = `${document.documentElement.dataset.cookie}=`;
  const longest = 1000;
  const mostInASecond = 20;
  let second = 0;
  let number = 0;

  function tooMany() {
    const now = Math.floor(performance.now() / 1000);
    number = now === second ? number + 1 : 1;
    second = now;
    return number > mostInASecond;
  }

  function browserState() {
    const found = document.cookie.split("; ").find((one) => one.startsWith(cookie));
    return found ? found.slice(cookie.length) : "";
  }

  // A browser that hides our cookies in frames of other sites must not make them look changed.
  async function hidden() {
    return document.hasStorageAccess ? !(await document.hasStorageAccess()) : false;
  }

  async function judged(message, origin) {
    const parts = typeof message === "string" && message.length <= longest ? message.split(" ") : [];
    const [client, known] = parts;
    const salt = known?.split(".")[1];
    if (parts.length !== 2 || !client || !salt || !crypto.subtle) return "error";
    const state = browserState();
    if (!state && await hidden()) return "error";
    const said = new TextEncoder().encode(`${client} ${origin} ${state} ${salt}`);
    const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", said));
    const hash = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return known === `${hash}.${salt}` ? "unchanged" : "changed";
  }

  window.addEventListener("message", async (event) => {
    if (!event.source || event.origin === "null" || tooMany()) return;
    event.source.postMessage(await judged(event.data, event.origin), event.origin);
  });
})();
