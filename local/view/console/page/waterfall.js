// A journey as a waterfall: what happened, where, when, and how long it took. A request takes
// milliseconds and the factory takes minutes: the axis compresses waiting times to show both. The
// numbers are exact.

import { el, setText, svg } from "./dom.js";
import { count, duration, exactClock, kindOf, nameOf, shortened } from "./format.js";
import { brief, opening } from "./eventrow.js";
import { kindIcon } from "./kinds.js";
import { node } from "./store.js";
import { select } from "./selection.js";

/** Creates the panel of a journey. */
export function create() {
  const name = el("p", { class: "journey-name" });
  const head = el("p", { class: "soft" }, "Loading…");
  const steps = el("ol", { class: "waterfall", role: "list" });
  const element = el("div", { class: "journey-panel" }, name, head, steps);
  let shown = "";
  return {
    element,
    show(journey) {
      const all = journey.steps ?? [];
      setText(name, journey.summary);
      const took = `${count(all.length, "step")} in ${duration(journey.took_ms)}`;
      const partial = journey.partial ? " · some steps were lost: too many events at once" : "";
      const cut = journey.cut ? ` · ${count(journey.cut, "step")} of its middle not kept` : "";
      const note = "bars compress waiting times, numbers are exact";
      setText(head, `${exactClock(journey.began)} · ${took}${partial}${cut} · ${note}`);
      const key = JSON.stringify(all);
      if (key === shown) return; // an open step stays open
      const opened = new Set([...steps.querySelectorAll("details[open]")].map((d) => d.dataset.step));
      shown = key;
      const at = axis(all);
      steps.replaceChildren(...all.map((step, i) => row(step, i, at, opened)));
    },
    fail: (message) => setText(head, message),
  };
}

function row(step, i, at, opened) {
  const start = at(step.at_ms);
  const width = Math.max(0, at(step.at_ms + (step.took_ms ?? 0)) - start);
  const where = node(step.node);
  const kind = where?.kind ?? kindOf(step.node);
  const more = el("span", { class: "brief" }, brief(step, step.text));
  const text = [el("span", { class: "step-text" }, shortened(step.text)), more];
  return el("li", { class: `step level-${(step.level ?? "INFO").toLowerCase()} kind-${kind}` },
    el("span", { class: "at" }, `+${duration(step.at_ms)}`),
    el("button", {
      type: "button",
      class: "where",
      title: step.node,
      click: () => select("node", step.node),
      disabled: !where,
    },
      svg("svg", { viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true" },
        svg("path", { class: "icon", d: kindIcon(kind) })),
      where?.label ?? nameOf(step.node)),
    opening(text, step.attrs, "", { "data-step": i, open: opened.has(String(i)) }),
    svg("svg", { class: "bar", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "track", width: 1000, height: 10 }),
      svg("rect", { class: "span", x: Math.min(start, 985), width: Math.max(15, width), height: 10 })),
    el("span", { class: "took" }, step.took_ms ? duration(step.took_ms) : ""));
}

/**
 * Returns a function from a time to a position from 0 to 1000. The distance of two moments is
 * logarithmic: long waits shrink, and the order stays.
 */
function axis(steps) {
  const moments = [...new Set(steps.flatMap((s) => [s.at_ms, s.at_ms + (s.took_ms ?? 0)]))].sort((a, b) => a - b);
  const places = new Map();
  let sum = 0;
  moments.forEach((moment, i) => {
    if (i) sum += Math.log2(1 + moment - moments[i - 1]);
    places.set(moment, sum);
  });
  return (moment) => (sum ? (places.get(moment) / sum) * 1000 : 0);
}
