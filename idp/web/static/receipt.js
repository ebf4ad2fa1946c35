// A receipt as it stands now, asked for again while apps are still being told.
"use strict";

(() => {
  const longest = 30000;
  let pause = 1000;
  let last = document.getElementById("receipt")?.textContent;

  async function renew() {
    const shown = document.getElementById("receipt");
    if (!shown || !shown.hasAttribute("data-waiting")) return;
    try {
      const answer = await fetch(shown.dataset.from, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("receipt");
      if (!answer.ok || !fresh) return;
      if (fresh.textContent !== last) {
        last = fresh.textContent;
        shown.replaceChildren(...fresh.childNodes);
        shown.dispatchEvent(new Event("idp:changed", { bubbles: true }));
      }
      shown.toggleAttribute("data-waiting", fresh.hasAttribute("data-waiting"));
    } catch {
      // The provider does not answer at the moment; the next try may find it.
    }
    pause = Math.min(pause * 1.5, longest);
    setTimeout(renew, pause);
  }

  setTimeout(renew, pause);
})();
