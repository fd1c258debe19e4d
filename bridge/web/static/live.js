// Keep a page up to date without reloading it. The server says that something has changed (server-sent events); the
// regions marked `data-live` (each with an id) are then fetched anew from the page's own address and swapped, node by
// node, so that focus, scrolling, open details and what somebody is typing stay as they are.
//
// Whatever the stream loses is made good: a reset, a reconnection and a tab that becomes visible fetch everything anew.
"use strict";

(() => {
  const kinds = ["status", "delivery", "upstream", "station", "temporary"];
  const least = 1000; // between two fetches
  const longest = 30000; // between two attempts to reach a stream that is lost
  const patience = 1500; // a stream that returns within this time was not worth a word

  let morph = null;
  let source = null;
  let due = 0; // timer of the next fetch
  let again = 0; // timer of the next attempt to connect
  let attempts = 0;
  let lostAt = 0;
  let fetching = false;
  let missed = false; // something changed while a fetch was under way
  let lastTook = 0;
  let lastAt = 0;
  let over = false; // the session has ended, and somebody has typed here

  htmx.registerExtension("live", {
    init(api) {
      morph = api.morph;
    },
    // What a person has opened or chosen is theirs.
    htmx_before_morph_attr(element, detail) {
      if (detail.attrName === "open" && element.matches("details, dialog")) return false;
      return !(["checked", "selected"].includes(detail.attrName) && element.closest("form"));
    },
  });

  const regions = () => document.querySelectorAll("[data-live][id]");
  const jitter = (span) => span * (0.85 + 0.3 * Math.random());

  // --- fetching ------------------------------------------------------------------------------------------------------

  function toLogin() {
    const here = location.pathname + location.search;
    if (typed()) over = true;
    else location.assign(`/login?next=${encodeURIComponent(here)}`);
    shown();
  }

  // What somebody has typed and not sent is not thrown away.
  function typed() {
    const changed = (field) => (field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
    return [...document.querySelectorAll("main form[method=post] :is(input:not([type=hidden]), textarea)")].some(changed);
  }

  function isLogin(response) {
    return response.status === 401 || (response.redirected && new URL(response.url).pathname === "/login");
  }

  function swap(fresh) {
    for (const region of regions()) {
      const found = fresh.getElementById(region.id);
      if (!found) continue;
      const fragment = document.createDocumentFragment();
      fragment.append(...found.childNodes);
      morph(region, fragment, true);
    }
    const now = fresh.querySelector("meta[name=now]");
    if (now) document.querySelector("meta[name=now]")?.replaceWith(document.importNode(now, true));
    document.dispatchEvent(new CustomEvent("live"));
  }

  async function refresh() {
    clearTimeout(due);
    due = 0;
    if (document.hidden) return;
    if (fetching) {
      missed = true;
      return;
    }
    fetching = true;
    missed = false;
    const began = performance.now();
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html", "X-Live": "1" }, cache: "no-store" });
      if (isLogin(response)) return toLogin();
      if (response.ok) swap(new DOMParser().parseFromString(await response.text(), "text/html"));
    } catch {
      // The bridge is away: the stream says so, and its return fetches everything anew.
    } finally {
      fetching = false;
      lastAt = performance.now();
      lastTook = lastAt - began;
      if (missed) soon();
    }
  }

  // A page that is slow to make is asked for less often: at most a fifth of the time.
  function soon() {
    if (due) return;
    const rest = Math.max(least, 4 * lastTook) - (performance.now() - lastAt);
    due = setTimeout(refresh, jitter(Math.max(rest, 60)));
  }

  // --- the stream ----------------------------------------------------------------------------------------------------

  function say(text) {
    const banner = document.querySelector("[data-banner]");
    if (!banner || banner.textContent === text) return;
    banner.textContent = text;
  }

  function shown() {
    if (over) {
      document.documentElement.classList.add("cut-off");
      return say("You are logged out. What you typed is still here: log in again in another tab, then go on here.");
    }
    const lost = lostAt && Date.now() - lostAt >= patience;
    document.documentElement.classList.toggle("cut-off", Boolean(lost));
    const since = new Date(lostAt).toLocaleTimeString([], { hour12: false });
    say(lost ? `Not live since ${since}: the connection to the bridge is lost. Trying again…` : "");
    const fresh = document.querySelector("[data-fresh]");
    if (fresh) fresh.textContent = lost ? "Not live" : source?.readyState === EventSource.OPEN ? "Live" : "";
  }

  function lost() {
    if (!lostAt) {
      lostAt = Date.now();
      setTimeout(shown, patience + 20);
    }
    shown();
  }

  function connect() {
    clearTimeout(again);
    source?.close();
    if (document.hidden) return;
    source = new EventSource(`/api/v1/events?${document.body.dataset.stream ?? ""}`);
    source.addEventListener("open", () => {
      const returned = lostAt || attempts;
      attempts = 0;
      over = false;
      lostAt = 0;
      shown();
      if (returned) refresh();
    });
    source.addEventListener("error", () => {
      lost();
      // A stream that was refused is not opened again by the browser; one that broke off would be, but not with care.
      source.close();
      attempts += 1;
      again = setTimeout(reconnect, jitter(Math.min(longest, 500 * 2 ** Math.min(attempts, 6))));
    });
    source.addEventListener("reset", refresh);
    for (const kind of kinds) source.addEventListener(kind, soon);
  }

  // Why it was refused is not told to scripts: ask for the page, which leads to the login where the session is over.
  async function reconnect() {
    try {
      const response = await fetch(location.href, { method: "HEAD", cache: "no-store" });
      if (isLogin(response)) return toLogin();
    } catch {
      // Still away.
    }
    connect();
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      clearTimeout(again);
      return;
    }
    attempts = 1;
    connect();
  });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      attempts = 1;
      connect();
    }
  });

  // A form that somebody filled in is sent only while the session lasts, with the token that the session has now.
  async function send(form, button) {
    try {
      const response = await fetch("/", { headers: { Accept: "text/html" }, cache: "no-store" });
      over = isLogin(response);
      if (over) return shown();
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("input[name=csrf]");
      for (const field of document.querySelectorAll("input[name=csrf]")) field.value = fresh?.value ?? field.value;
    } catch {
      return say("Nothing was sent: the bridge does not answer. What you typed is still here; try again.");
    }
    shown();
    form.dataset.checked = "1";
    form.requestSubmit(button);
    delete form.dataset.checked;
  }

  document.addEventListener(
    "submit",
    (event) => {
      if (event.target.method !== "post" || event.target.dataset.checked || !typed()) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      send(event.target, event.submitter);
    },
    true,
  );

  if (regions().length) connect();
})();
