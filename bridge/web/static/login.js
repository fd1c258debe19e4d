// Go on by itself where somebody is logged in: a link on another site's page (a mail, a chat) comes without the session's
// cookie, which is SameSite=Strict, and what this page asks for comes with it.
"use strict";

(async () => {
  const place = document.querySelector("[data-goes-on]")?.dataset.goesOn;
  const again = 10000; // whoever comes back here within this time is asked for a key
  if (!place) return;
  try {
    if (Date.now() - Number(sessionStorage.getItem("went-on") ?? 0) < again) return;
    const answer = await fetch(place, { method: "HEAD", redirect: "manual", cache: "no-store" });
    if (!answer.ok || document.querySelector("input[name=key]").value) return;
    sessionStorage.setItem("went-on", String(Date.now()));
    location.replace(place);
  } catch {
    // No storage, or no bridge: one logs in.
  }
})();
