// Draw what the REST interface gives over time: lag and throughput of an account, EVSEs by status. The same numbers go
// into a table, for whoever cannot see a plot. Colours come from the page's own, so that dark is dark; a bucket without
// a number is a gap. Moments are in the browser's zone.
"use strict";

(() => {
  const spans = { "1h": [3600, 60], "24h": [86400, 96], "7d": [604800, 168], "30d": [2592000, 120] }; // seconds, buckets
  const every = 30000;
  const height = 200;

  // name, colour of app.css, dashes: colour is never alone
  const lags = [["lag_p50_s", "half are faster", "--good", []], ["lag_p95_s", "95 % are faster", "--busy", [7, 4]], ["lag_max_s", "slowest", "--bad", [2, 3]]];
  const outcomes = [["accepted", "--good", []], ["deferred", "--warm", [7, 4]], ["in_doubt", "--violet", [4, 3]], ["wrong_action", "--teal", [9, 3]], ["refused", "--bad", [2, 3]], ["held", "--quiet", [1, 3]]];
  const statuses = [
    ["available", "--good"], ["charging", "--busy"], ["occupied", "--warm"], ["reserved", "--violet"], ["maintenance", "--teal"],
    ["commissioning", "--accent"], ["blocked", "--text"], ["unavailable", "--quiet"], ["faulted", "--bad"], ["unknown", "--line-strong"],
  ];

  // --- colours ---------------------------------------------------------------------------------------------------------

  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);

  function colour(name, share = 1) {
    probe.style.color = share === 1 ? `var(${name})` : `color-mix(in srgb, var(${name}) ${share * 100}%, transparent)`;
    return getComputedStyle(probe).color;
  }

  // --- drawing ---------------------------------------------------------------------------------------------------------

  function axes(unit) {
    const stroke = colour("--muted");
    const grid = { stroke: colour("--line"), width: 1 };
    return [
      { stroke, grid, ticks: grid, space: 64, values: uPlotTimes },
      { stroke, grid, ticks: grid, size: 52, values: (_, splits) => splits.map((value) => (Number.isInteger(value) || unit ? `${round(value)}${unit}` : "")) },
    ];
  }

  const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

  function uPlotTimes(_, splits, __, ___, step) {
    let before = "";
    return splits.map((at) => {
      const moment = new Date(at * 1000);
      const date = day.format(moment);
      const text = step >= 86400 ? date : before === date ? clock.format(moment) : `${clock.format(moment)}\n${date}`;
      before = date;
      return text;
    });
  }

  const round = (value) => (value >= 100 ? Math.round(value) : Math.round(value * 10) / 10).toLocaleString();

  function draw(place, series, data, unit, floor) {
    place.uplot?.destroy();
    place.replaceChildren();
    place.uplot = new uPlot(
      {
        width: Math.max(place.clientWidth, 200),
        height,
        series: [{ value: (_, at) => (at == null ? "–" : `${day.format(at * 1000)} ${clock.format(at * 1000)}`) }, ...series],
        axes: axes(unit),
        scales: { y: { range: (_, least, most) => [0, Math.max(floor, (most ?? 0) * 1.08)] } },
        cursor: { drag: { x: false, y: false }, points: { size: 7 } },
        legend: { markers: { width: 2 } },
      },
      data,
      place,
    );
    for (const name of place.querySelectorAll(".u-legend th")) name.scope = "row";
  }

  function line(label, name, dash, unit, more = {}) {
    return {
      label, stroke: colour(name), width: 1.75, dash, spanGaps: false, points: { show: false },
      value: (_, value) => (value == null ? "–" : `${round(value)}${unit}`), ...more,
    };
  }

  // A value between two gaps has no line: it needs a point.
  const lonely = (values) => values.some((value, n) => value != null && values[n - 1] == null && values[n + 1] == null);
  const alone = (values) => ({ points: { show: (_, __, from) => from != null && lonely(values), size: 5 } });

  function throughput(root, page) {
    const at = page.buckets.map((bucket) => Date.parse(bucket.at) / 1000);
    const lag = lags.map(([key]) => page.buckets.map((bucket) => bucket[key]));
    draw(root.querySelector("[data-plot=lag]"), lags.map(([, label, name, dash], n) => line(label, name, dash, " s", alone(lag[n]))), [at, ...lag], " s", 1);
    const seen = outcomes.filter(([key]) => key === "accepted" || page.buckets.some((bucket) => bucket.requests[key]));
    const counts = seen.map(([key]) => page.buckets.map((bucket) => bucket.requests[key] ?? 0));
    const stepped = uPlot.paths.stepped({ align: 1 });
    draw(
      root.querySelector("[data-plot=requests]"),
      seen.map(([key, name, dash]) => line(key.replace("_", " "), name, dash, "", { paths: stepped, ...(key === "accepted" ? { fill: colour(name, 0.15) } : {}) })),
      [at, ...counts], "", 4,
    );
    const columns = [...seen.map(([key]) => [key.replace("_", " "), (bucket) => String(bucket.requests[key] ?? 0)]), ...lags.map(([key, label]) => [`lag, ${label}`, (bucket) => (bucket[key] == null ? "–" : `${round(bucket[key])} s`)])];
    const busy = page.buckets.filter((bucket) => Object.values(bucket.requests).some(Boolean));
    table(root, columns, busy);
    say(root, busy.length ? "" : "Nothing was sent within this time.");
  }

  function byStatus(root, page) {
    const at = page.buckets.map((bucket) => Date.parse(bucket.at) / 1000);
    const known = (bucket) => bucket.counts && Object.values(bucket.counts).some(Boolean);
    const seen = statuses.filter(([key]) => page.buckets.some((bucket) => bucket.counts?.[key]));
    const raw = seen.map(([key]) => page.buckets.map((bucket) => (known(bucket) ? (bucket.counts[key] ?? 0) : null)));
    let sum = at.map(() => 0);
    const stacked = raw.map((values) => (sum = sum.map((value, n) => (values[n] == null ? null : value + values[n]))));
    const stepped = uPlot.paths.stepped({ align: -1 });
    // The highest first, so that each lies on the one before.
    const order = seen.map((_, n) => n).reverse();
    draw(
      root.querySelector("[data-plot=statuses]"),
      order.map((n) => line(seen[n][0], seen[n][1], [], "", { paths: stepped, width: 1, fill: colour("--surface"), ...alone(stacked[n]), value: (_, __, ___, index) => (index == null || raw[n][index] == null ? "–" : String(raw[n][index])) })),
      [at, ...order.map((n) => stacked[n])], "", 4,
    );
    tint(root.querySelector("[data-plot=statuses]"), order.map((n) => seen[n][1]));
    table(root, seen.map(([key], n) => [key, (bucket) => (known(bucket) ? String(bucket.counts[key] ?? 0) : "–")]), page.buckets);
    say(root, seen.length ? "" : "Nothing is known of this time.");
  }

  function tint(place, names) {
    names.forEach((name, n) => {
      place.uplot.series[n + 1].fill = () => mixed(name);
    });
    place.uplot.redraw(false);
  }

  function mixed(name) {
    probe.style.color = `color-mix(in srgb, var(${name}) 42%, var(--surface))`;
    return getComputedStyle(probe).color;
  }

  // --- the table -------------------------------------------------------------------------------------------------------

  function cell(tag, text, label = "") {
    const element = document.createElement(tag);
    element.textContent = text;
    if (label) element.dataset.label = label;
    return element;
  }

  function table(root, columns, buckets) {
    const head = document.createElement("thead");
    const first = document.createElement("tr");
    first.append(cell("th", "From"), ...columns.map(([label]) => cell("th", label)));
    for (const header of first.children) header.scope = "col";
    head.append(first);
    const body = document.createElement("tbody");
    for (const bucket of [...buckets].reverse()) {
      const row = document.createElement("tr");
      const begin = cell("th", new Date(bucket.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }), "From");
      begin.scope = "row";
      row.append(begin, ...columns.map(([label, value]) => cell("td", value(bucket), label)));
      body.append(row);
    }
    root.querySelector("[data-plot-table]").replaceChildren(head, body);
  }

  function say(root, text) {
    root.querySelector("[data-plot-said]").textContent = text;
  }

  // --- asking ----------------------------------------------------------------------------------------------------------

  function plot(root) {
    const drawn = { throughput, statuses: byStatus }[root.dataset.plots];
    const [seconds, buckets] = spans[root.dataset.span];
    let last = null;

    async function ask() {
      const until = new Date();
      const since = new Date(until - seconds * 1000);
      const query = new URLSearchParams({ since: since.toISOString(), until: until.toISOString(), buckets });
      const response = await fetch(`${root.dataset.source}?${query}`, { cache: "no-store", headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      last = await response.json();
      drawn(root, last);
    }
    const failed = () => say(root, "Not up to date: the bridge did not answer.");
    const again = () => last && drawn(root, last);

    ask().catch(failed);
    setInterval(() => document.hidden || ask().catch(failed), every);
    new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    let width = root.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(root.clientWidth - width) < 2) return;
      width = root.clientWidth;
      for (const place of root.querySelectorAll("[data-plot]")) place.uplot?.setSize({ width: Math.max(place.clientWidth, 200), height });
    }).observe(root);
  }

  for (const root of document.querySelectorAll("[data-plots]")) plot(root);
})();
