// Moments in the reader's own time zone; without this file they are in UTC, and say so.
"use strict";

(() => {
  const language = document.documentElement.lang;
  const whole = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium" });

  function localise(root) {
    const today = new Date().toDateString();
    for (const time of root.querySelectorAll("time[datetime]")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      time.title = whole.format(moment);
      if (time.dataset.show !== "at") continue;
      time.textContent = (moment.toDateString() === today ? clock : whole).format(moment);
    }
  }

  localise(document);
  document.addEventListener("idp:changed", (event) => localise(event.target));
})();
