// Keep the page for everybody up to date: each minute, and when somebody looks at it again, the parts marked `data-anew`
// are fetched anew from the page's own address and replaced. Without it the page says of when it is.
"use strict";

(() => {
  const every = 60000;
  let asked = Date.now();

  function replace(fresh) {
    const focus = document.activeElement?.closest("[data-anew]") ? document.activeElement.getAttribute("href") : null;
    for (const part of document.querySelectorAll("[data-anew]")) {
      const found = fresh.getElementById(part.id);
      if (found) part.replaceChildren(...found.childNodes);
    }
    if (focus) [...document.querySelectorAll("[data-anew] a")].find((link) => link.getAttribute("href") === focus)?.focus();
    const now = fresh.querySelector("meta[name=now]");
    if (now) document.querySelector("meta[name=now]")?.replaceWith(document.importNode(now, true));
    document.dispatchEvent(new CustomEvent("live"));
  }

  async function anew() {
    asked = Date.now();
    const said = document.getElementById("not-anew");
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok) throw new Error(String(response.status));
      replace(new DOMParser().parseFromString(await response.text(), "text/html"));
      said.textContent = "";
    } catch {
      said.textContent = "Not up to date: trying again in a minute.";
    }
  }

  setInterval(() => document.hidden || anew(), every);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - asked >= every) anew();
  });
})();
