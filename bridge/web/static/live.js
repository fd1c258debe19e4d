// Keep a page up to date without reloading it. The server says that something has changed (server-sent events); the
// regions marked `data-live` (each with an id) are then fetched anew from the page's own address and swapped, node by
// node, so that focus, scrolling, open details and what somebody is typing stay as they are.
//
// Whatever the stream loses is made good: its beginning, a reset and a tab that becomes visible fetch everything anew, and so
// does a stream that was silent for a minute, which may be one that nobody is at the other end of. Until that has come, the
// page does not call itself live.
"use strict";

(() => {
  const kinds = ["status", "delivery", "upstream", "station", "temporary"];
  const least = 1000; // between two fetches
  const longest = 30000; // between two attempts to reach a stream that is lost
  const patience = 1500; // a stream that returns within this time was not worth a word
  const silence = 60000; // a stream that says nothing for so long may be dead
  const answer = 20000; // the bridge has so long to make a page

  let morph = null;
  let source = null;
  let due = 0; // timer of the next fetch
  let again = 0; // timer of the next attempt to connect
  let attempts = 0;
  let lostAt = 0; // what is shown may have changed since then
  let doubtedAt = 0; // when that was noticed
  let heardAt = Date.now();
  let trouble = ""; // what the bridge answered instead of the page
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
    else location.assign(`/login?ended=true&next=${encodeURIComponent(here)}`);
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

  // The addresses of styles and scripts carry a digest: a bridge of another version has others.
  function isOtherVersion(fresh) {
    const style = (page) => page.querySelector("link[rel=stylesheet]")?.getAttribute("href");
    return style(fresh) !== style(document) && !typed() && !document.querySelector("dialog[open]");
  }

  function swap(fresh) {
    if (isOtherVersion(fresh)) return location.reload();
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
    const stream = source?.readyState === EventSource.OPEN ? source : null;
    try {
      const response = await fetch(location.href, {
        headers: { Accept: "text/html", "X-Live": "1" },
        cache: "no-store",
        signal: AbortSignal.timeout(answer),
      });
      if (isLogin(response)) return toLogin();
      if (!response.ok) return failed(`the bridge answers with HTTP ${response.status}`);
      swap(new DOMParser().parseFromString(await response.text(), "text/html"));
      madeGood(stream);
    } catch {
      // The bridge is away: the stream says so, unless it is dead. Where it goes on, only the page was lost.
      if (Date.now() - heardAt >= silence) broken();
      else failed("");
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
    const lost = lostAt && Date.now() - doubtedAt >= patience;
    document.documentElement.classList.toggle("cut-off", Boolean(lost));
    say(lost ? `Not live since ${since(lostAt)}: ${trouble || "the connection to the bridge is lost"}. Trying again…` : "");
    const fresh = document.querySelector("[data-fresh]");
    if (fresh) fresh.textContent = lost ? "Not live" : !lostAt && source?.readyState === EventSource.OPEN ? "Live" : "";
  }

  // The time of day says enough of today alone.
  function since(moment) {
    const at = new Date(moment);
    const time = at.toLocaleTimeString([], { hour12: false });
    return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString()}, ${time}`;
  }

  // What is shown may have changed since that moment; it is said unless it is made good soon.
  function doubt(moment) {
    if (!lostAt) {
      lostAt = moment;
      doubtedAt = Date.now();
      setTimeout(shown, patience + 20);
    }
    shown();
  }

  // What was asked for before this stream began may be older than it: a page that was under way then is not good enough.
  function madeGood(stream) {
    heardAt = Date.now();
    trouble = "";
    if (stream && stream === source && stream.readyState === EventSource.OPEN) lostAt = 0;
    shown();
  }

  function failed(why) {
    trouble = why;
    doubt(heardAt);
    clearTimeout(due);
    due = setTimeout(refresh, jitter(5 * least));
  }

  function broken() {
    trouble = "";
    doubt(heardAt);
    // A stream that was refused is not opened again by the browser; one that broke off would be, but not with care.
    source?.close();
    attempts += 1;
    clearTimeout(again);
    again = setTimeout(reconnect, jitter(Math.min(longest, 500 * 2 ** Math.min(attempts, 6))));
  }

  function watch() {
    if (document.hidden || over || lostAt || Date.now() - heardAt < silence) return;
    doubt(heardAt);
    refresh();
  }

  function connect() {
    clearTimeout(again);
    source?.close();
    if (document.hidden) return;
    source = new EventSource(`/api/v1/events?${document.body.dataset.stream ?? ""}`);
    source.addEventListener("open", () => {
      attempts = 0;
      over = false;
      refresh();
    });
    source.addEventListener("error", () => {
      if (!lostAt) heardAt = Date.now();
      broken();
    });
    source.addEventListener("reset", refresh);
    for (const kind of kinds) source.addEventListener(kind, soon);
  }

  // Why it was refused is not told to scripts: ask for the page, which leads to the login where the session is over.
  async function reconnect() {
    try {
      const response = await fetch(location.href, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(answer) });
      if (isLogin(response)) return toLogin();
    } catch {
      // Still away.
    }
    connect();
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) away();
    else back();
  });
  addEventListener("pagehide", away);
  addEventListener("pageshow", (event) => {
    if (event.persisted) back();
  });

  function away() {
    if (!lostAt) heardAt = Date.now();
    source?.close();
    clearTimeout(again);
    shown();
  }

  function back() {
    attempts = 1;
    doubt(heardAt);
    connect();
  }

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

  if (regions().length) {
    back();
    setInterval(watch, least);
  }
})();
