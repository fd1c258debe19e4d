// What every page does by itself: theme, dialogs, shortcuts, the search, ages that tick. Nothing here is needed to use
// a page: links are links and forms are forms.
"use strict";

(() => {
  const places = { e: "/", s: "/stations", h: "/hubs", t: "/temporary", d: "/deliveries", q: "/quarantine" };

  // --- theme ---------------------------------------------------------------------------------------------------------

  function toggleTheme() {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // No storage here: it holds for this page.
    }
  }

  // --- ages ----------------------------------------------------------------------------------------------------------

  // The same words as bridge/web/pages/words.py.
  function duration(seconds) {
    const steps = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    for (const [index, [size, unit]] of steps.entries()) {
      if (seconds < size) continue;
      const count = Math.floor(seconds / size);
      const smaller = index < 2 ? Math.floor((seconds % size) / steps[index + 1][0]) : 0;
      return smaller ? `${count} ${unit} ${smaller} ${steps[index + 1][1]}` : `${count} ${unit}`;
    }
    return "0 s";
  }

  // The clock of the bridge, not of this machine, which may be wrong by minutes.
  let ahead = 0;

  function age(moment) {
    const seconds = (Date.now() - ahead - moment) / 1000;
    if (Math.abs(seconds) < 1) return "now";
    return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
  }

  function tick() {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("time[data-age]")) {
      const text = age(Date.parse(element.dateTime));
      if (element.textContent !== text) element.textContent = text;
    }
  }

  function setClock() {
    const now = Date.parse(document.querySelector("meta[name=now]")?.content ?? "");
    if (!Number.isNaN(now)) ahead = Date.now() - now;
  }

  // --- search --------------------------------------------------------------------------------------------------------

  function search(form) {
    const input = form.querySelector("input");
    const list = form.querySelector("ul");
    let chosen = -1;
    let asked = 0;
    let timer = 0;

    function close() {
      list.hidden = true;
      list.replaceChildren();
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function choose(index) {
      const items = [...list.children];
      if (!items.length) return;
      chosen = (index + items.length) % items.length;
      items.forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
      items[chosen].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", items[chosen].id);
    }

    function entry(found, at) {
      const item = document.createElement("li");
      item.id = `jump-${at}`;
      item.role = "option";
      item.dataset.href = found.href;
      item.setAttribute("aria-selected", "false");
      for (const text of [found.name, found.about]) {
        const part = document.createElement("span");
        part.textContent = text;
        item.append(part);
      }
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        location.assign(found.href);
      });
      return item;
    }

    async function ask() {
      const wanted = input.value.trim();
      const turn = ++asked;
      if (!wanted) return close();
      const response = await fetch(`/search?q=${encodeURIComponent(wanted)}`, { headers: { Accept: "application/json" } });
      if (turn !== asked || !response.ok) return;
      const { found } = await response.json();
      list.replaceChildren(...found.map(entry));
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(Boolean(found.length)));
      chosen = -1;
    }

    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => ask().catch(close), 120);
    });
    input.addEventListener("blur", () => setTimeout(close, 150));
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") choose(chosen + 1);
      else if (event.key === "ArrowUp") choose(Math.max(chosen, 0) - 1);
      else if (event.key === "Enter" && chosen >= 0) location.assign(list.children[chosen].dataset.href);
      else if (event.key === "Escape") {
        if (list.hidden) input.blur();
        close();
        input.value = "";
      } else return;
      event.preventDefault();
    });
    return input;
  }

  // --- keys and clicks -----------------------------------------------------------------------------------------------

  function open(id) {
    const dialog = document.getElementById(id);
    if (dialog && !dialog.open) dialog.showModal();
  }

  function busy(target) {
    return target.closest("input, select, textarea, [contenteditable], dialog[open]");
  }

  function start() {
    const form = document.querySelector("[data-jump]");
    const input = form ? search(form) : null;
    let waiting = "";

    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return;
      const before = waiting;
      waiting = "";
      if (before === "g" && places[event.key] && input) return location.assign(places[event.key]);
      if (event.key === "/" && input) {
        event.preventDefault();
        input.focus();
        input.select();
      } else if (event.key === "?") open("shortcuts");
      else if (event.key === "d") toggleTheme();
      else if (event.key === "p" && input) location.assign("/?problems=true");
      else if (event.key === "g") waiting = "g";
    });

    document.addEventListener("click", (event) => {
      const target = event.target.closest("[data-theme-toggle], [data-opens], [data-closes], [data-back]");
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        if (!menu.contains(event.target)) menu.open = false;
      }
      if (!target) return;
      if ("themeToggle" in target.dataset) toggleTheme();
      else if (target.dataset.opens) open(target.dataset.opens);
      else if (target.dataset.closes) document.getElementById(target.dataset.closes)?.close();
      else history.back();
    });

    document.addEventListener("change", (event) => {
      if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
    });

    // Empty fields do not belong in an address that people keep.
    document.addEventListener("submit", (event) => {
      if (event.target.method !== "get") return;
      for (const field of event.target.elements) {
        if (field.name && !field.value) field.disabled = true;
      }
    });
    addEventListener("pageshow", () => {
      for (const field of document.querySelectorAll("form[method=get] :disabled")) field.disabled = false;
      setClock();
    });

    document.addEventListener("live", () => {
      setClock();
      tick();
    });
    setClock();
    tick();
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
  }

  start();
})();
