// Small plots of values over the run, as bars. The text of a plot says what people see in it.

import { el, svg } from "./dom.js";
import { clock, duration, number } from "./format.js";

const HEIGHT = 40;
const seconds = (n) => duration(n * 1000);
const megabytes = (n) => `${number(n)} MB`;

// What each value is called, how it is written, and whether the points are added up, or are the
// level of something that is still there. A duration and a memory are neither: they have passed.
const KINDS = {
  invocations: { name: "Invocations", text: number, sum: true },
  errors: { name: "Failed invocations", text: number, sum: true, bad: true },
  throttles: { name: "Throttled", text: number, sum: true, bad: true },
  duration_ms: { name: "Longest duration", text: duration },
  memory_mb: { name: "Memory used", text: megabytes },
  messages: { name: "Messages", text: number, level: true },
  oldest_s: { name: "Age of the oldest message", text: seconds, level: true },
};

/** Creates the plots of a node. */
export function create() {
  const plots = el("div", { class: "small-plots" });
  const span = el("p", { class: "soft" });
  const element = el("section", { "aria-label": "Over the run", hidden: true },
    el("h3", {}, "Over the run"), span, plots);
  let shown = "";
  return {
    element,
    show({ series }) {
      const names = Object.keys(KINDS).filter((name) => series?.values[name]);
      element.hidden = !names.length;
      const key = JSON.stringify(series ?? null);
      if (!names.length || key === shown) return;
      shown = key;
      span.textContent = `Since ${clock(series.began)}. A bar is ${duration(series.width_ms)}.`;
      plots.replaceChildren(...names.map((name) => plot(KINDS[name], series.values[name])));
    },
  };
}

function plot({ name, text, sum, level, bad }, values) {
  const most = Math.max(...values);
  const all = values.reduce((a, b) => a + b, 0);
  const peak = `at most ${text(most)}`;
  const said = most === 0 ? "none" : sum ? `${text(all)}, ${peak} in a bar`
    : level ? `now ${values.at(-1) ? text(values.at(-1)) : "none"}, ${peak}` : peak;
  const width = 240 / values.length;
  const bars = values.map((v, i) => [v, i]).filter(([v]) => v > 0).map(([v, i]) => {
    const height = Math.max(1.5, (v / most) * (HEIGHT - 2));
    return svg("rect", { x: i * width, y: HEIGHT - height, width: Math.max(1, width - 0.6), height });
  });
  return el("figure", { class: bad ? "plot bad" : "plot" },
    el("figcaption", {}, `${name} `, el("span", { class: "soft" }, said)),
    svg("svg", {
      viewBox: `0 0 240 ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": `${name} over the run: ${said}`,
    }, svg("path", { class: "base", d: `M0 ${HEIGHT - 0.5}h240` }), ...bars));
}
