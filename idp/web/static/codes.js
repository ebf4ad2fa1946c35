// Recovery codes on paper or in a password manager. Without this file they can be downloaded.
"use strict";

(() => {
  const print = document.getElementById("codes-print");
  const copy = document.getElementById("codes-copy");
  const codes = [...document.querySelectorAll("#recovery-codes li")].map((item) => item.textContent);

  print.hidden = false;
  print.addEventListener("click", () => window.print());
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(`${codes.join("\n")}\n`);
    copy.textContent = copy.dataset.copied;
  });
})();
