// What the pages on which operators act do by themselves: the browser's time zone, finding EVSEs for a form, asking before
// what cannot be taken back, and the tail of the wire log. Every form works without it.
"use strict";

(() => {
  // --- the time zone ---------------------------------------------------------------------------------------------------

  const cookie = "ocpp_bridge_zone";

  function zone() {
    const known = document.cookie.split("; ").some((part) => part.startsWith(`${cookie}=`));
    const select = document.querySelector("select[data-zone]");
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (known || !own) return;
    document.cookie = `${cookie}=${encodeURIComponent(own)}; path=/; max-age=31536000; SameSite=Strict`;
    if (!select || select.value === own || ![...select.options].some((option) => option.value === own)) return;
    if (select.form.method === "get") location.reload();
    else select.value = own;
  }

  // --- forms -----------------------------------------------------------------------------------------------------------

  function evses(place) {
    const input = place.querySelector("input");
    const list = place.querySelector("ul");
    const text = document.querySelector("textarea[name=evse_ids]");
    const counts = document.querySelector("[data-counts]");
    let turn = 0;
    let timer = 0;

    const lines = () => text.value.split(/[\s,;]+/).filter(Boolean);
    function count() {
      const number = new Set(lines()).size;
      counts.textContent = number ? `${number} named` : "";
    }
    function add(id) {
      if (!lines().includes(id)) text.value = [...lines(), id].join("\n");
      count();
    }
    async function ask() {
      const wanted = input.value.trim();
      const asked = ++turn;
      if (!wanted) return list.replaceChildren();
      const response = await fetch(`/temporary/evses?q=${encodeURIComponent(wanted)}`, { headers: { Accept: "application/json" } });
      if (asked !== turn || !response.ok) return;
      const { found } = await response.json();
      list.replaceChildren(
        ...found.map(({ evse_id, station }) => {
          const item = document.createElement("li");
          const button = document.createElement("button");
          button.type = "button";
          for (const part of [evse_id, station]) {
            const span = document.createElement("span");
            span.textContent = part;
            button.append(span);
          }
          button.setAttribute("aria-label", `Add ${evse_id} of ${station}`);
          button.addEventListener("click", () => add(evse_id));
          item.append(button);
          return item;
        }),
      );
    }
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => ask().catch(() => list.replaceChildren()), 120);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      list.querySelector("button")?.click();
    });
    text.addEventListener("input", count);
    count();
  }

  function forms() {
    for (const input of document.querySelectorAll("[data-chooses]")) {
      input.addEventListener("input", () => {
        const radio = input.form.querySelector(`input[name=${input.dataset.chooses}][value=at]`);
        if (radio) radio.checked = true;
      });
    }
    // What was wrong with a field is not said of what now stands in it.
    document.addEventListener("input", ({ target: { name, form } }) => {
      if (!name || !form) return;
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"][aria-invalid]`)) {
        field.removeAttribute("aria-invalid");
        field.removeAttribute("aria-describedby");
      }
      for (const mistake of form.querySelectorAll(`[data-wrong~="${CSS.escape(name)}"]`)) mistake.remove();
    });
    document.addEventListener("submit", (event) => {
      const button = event.submitter;
      if (button?.dataset.asks && !confirm(button.dataset.asks)) return event.preventDefault();
      if (event.target.method !== "post" || !button) return;
      if (event.target.dataset.sent) return event.preventDefault(); // once is enough
      event.target.dataset.sent = "1";
      button.dataset.sending = "1";
      button.setAttribute("aria-busy", "true");
    });
    addEventListener("pageshow", () => {
      for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
      for (const button of document.querySelectorAll("[data-sending]")) {
        delete button.dataset.sending;
        button.removeAttribute("aria-busy");
      }
    });
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-copies]");
      const text = button && document.getElementById(button.dataset.copies)?.textContent;
      if (text) navigator.clipboard?.writeText(text).then(() => (button.textContent = "Copied"));
    });
  }

  // --- the wire log ----------------------------------------------------------------------------------------------------

  // The same reading of a frame as bridge/web/pages/frames.py.
  const kinds = { 2: "call", 3: "answer", 4: "error", 5: "error", 6: "send" };
  const ways = { from_station: "→ from", to_station: "← to", opened: "opened", closed: "closed" };

  function read(line, asked) {
    if (line.direction === "opened" || line.direction === "closed") return { kind: line.direction, action: "", pretty: line.text };
    let content;
    try {
      content = JSON.parse(line.text);
    } catch {
      // No frame of OCPP: it is shown as it came.
    }
    if (!Array.isArray(content) || !kinds[content[0]] || typeof content[1] !== "string") return { kind: "broken", action: "", pretty: line.text };
    const pretty = JSON.stringify(content, null, 2);
    const own = `${line.epoch} ${line.direction} ${content[1]}`;
    const other = `${line.epoch} ${line.direction === "from_station" ? "to_station" : "from_station"} ${content[1]}`;
    if (content[0] === 2 || content[0] === 6) asked.set(own, typeof content[2] === "string" ? content[2] : "");
    const action = content[0] === 2 || content[0] === 6 ? asked.get(own) : (asked.get(other) ?? "");
    if (asked.size > 2000) asked.delete(asked.keys().next().value);
    return { kind: kinds[content[0]], action, pretty };
  }

  function part(tag, text, name = "") {
    const element = document.createElement(tag);
    element.textContent = text;
    if (name) element.className = name;
    return element;
  }

  function entry(line, frame) {
    const item = document.createElement("li");
    item.className = `wire-line k-${frame.kind}`;
    item.dataset.direction = line.direction;
    item.dataset.action = frame.action;
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    const time = part("time", line.at.slice(11, 23).replace("Z", ""));
    time.dateTime = line.at;
    summary.append(time, part("span", ways[line.direction], "way"), part("span", frame.kind, "kind"), part("b", frame.action), part("span", line.text, "text"));
    details.append(summary, part("pre", frame.pretty + (line.cut ? `\n… cut: ${line.size} bytes in all` : ""), "frame-text"));
    item.append(details);
    return item;
  }

  function tail(list) {
    const filter = document.querySelector("[data-wire-filter]");
    const pause = document.querySelector("[data-wire-pause]");
    const said = document.querySelector("[data-wire-said]");
    const most = 500;
    const asked = new Map([...list.querySelectorAll("[data-asked]")].reverse().map((item) => [item.dataset.asked, item.dataset.action]));
    let after = Number(list.dataset.after);
    let paused = false;
    let failures = 0;
    let wait = 0; // the first answer comes at once, and says that it is live

    const wanted = () => Object.fromEntries(new FormData(filter));
    function fits(item) {
      const { direction, action } = wanted();
      if (item.matches(".k-opened, .k-closed")) return true;
      return (!direction || item.dataset.direction === direction) && (!action || item.dataset.action === action);
    }
    function offer(action) {
      const select = filter.elements.action;
      if (action && ![...select.options].some((option) => option.value === action)) select.append(new Option(action, action));
    }
    async function next() {
      const response = await fetch(`${list.dataset.wire}?after=${after}&limit=200&wait=${wait}`, { cache: "no-store" });
      if (!response.ok) throw new Error(String(response.status));
      const page = await response.json();
      after = page.cursor ?? after;
      wait = 20;
      for (const line of page.items) {
        const frame = read(line, asked);
        const item = entry(line, frame);
        offer(frame.action);
        item.hidden = !fits(item);
        list.querySelector(".wire-none")?.remove();
        list.prepend(item);
      }
      while (list.children.length > most) list.lastElementChild.remove();
    }
    async function run() {
      for (;;) {
        if (paused || document.hidden) {
          await new Promise((done) => setTimeout(done, 300));
          continue;
        }
        try {
          await next();
          failures = 0;
          said.textContent = "Live; the newest first; secrets and idTags are masked";
        } catch {
          failures += 1;
          wait = 0;
          said.textContent = "Not live: the bridge does not answer. Trying again…";
          await new Promise((done) => setTimeout(done, Math.min(30000, 500 * 2 ** failures)));
        }
      }
    }
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.textContent = paused ? "Go on" : "Pause";
      pause.setAttribute("aria-pressed", String(paused));
    });
    run();
  }

  zone();
  forms();
  for (const place of document.querySelectorAll("[data-find=evses]")) evses(place);
  for (const list of document.querySelectorAll("[data-wire]")) tail(list);
})();
