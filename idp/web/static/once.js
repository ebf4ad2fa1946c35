// A form is sent once, however often its button is pressed; and a page that comes back from the
// browser's memory is asked for again, so that nothing is seen after a sign-out.
"use strict";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setTimeout(() => { delete form.dataset.sent; }, 5000);
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
