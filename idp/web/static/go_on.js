// Back to the app as soon as every frame has been loaded, and never later than this.
"use strict";

(() => {
  const longest = 2500;
  const next = document.getElementById("go-on").href;
  const goOn = () => { window.location.replace(next); };
  setTimeout(goOn, longest);
  if (document.readyState === "complete") goOn();
  else window.addEventListener("load", goOn);
})();
