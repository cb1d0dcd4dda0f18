// The run as a whole: what was denied, and which events and journeys the page cannot show.

import { byId, el, keep, setText } from "./dom.js";
import { clock, count, nameOf, number } from "./format.js";
import { connection } from "./stream.js";
import { on, state } from "./store.js";
import { select } from "./selection.js";

const MOST = 50;

/** Starts the part. */
export function start() {
  on(["denials", "stream", "connection", "began"], draw);
}

function draw() {
  const { events = 0, lost = 0, incomplete = 0 } = state.stream ?? {};
  const denials = state.denials ?? [];
  const denied = denials.reduce((sum, d) => sum + d.times, 0);
  setText(byId("run-began"), state.began ? `since ${clock(state.began)}` : "");
  const figures = [
    ["events", events], ["denied calls", denied, denied > 0], ["not shown here", connection.dropped],
    ["events lost", lost, lost > 0], ["journeys without all steps", incomplete],
  ];
  keep(byId("run-figures"), figures, ([name]) => name,
    ([name]) => el("div", {}, el("dt", {}, name), el("dd")),
    (row, [, n, bad]) => {
      setText(row.lastElementChild, number(n));
      row.classList.toggle("bad", Boolean(bad));
    });
  byId("run-denied").hidden = !denials.length;
  keep(byId("run-denials"), denials.slice(0, MOST), (d) => `${d.node} ${d.text}`, denial, (row, d) => {
    const times = d.times === 1 ? "once" : `${number(d.times)} times`;
    setText(row.querySelector(".times"), ` ${times}, last at ${clock(d.last)}`);
  });
  const dropped = Object.values(connection.parts).sort((a, b) => b.events - a.events);
  byId("run-dropped").hidden = !dropped.length;
  const create = (p) => el("li", {}, el("strong", {}, p.name), el("span"));
  keep(byId("run-parts"), dropped.slice(0, MOST), (p) => p.name, create,
    (row, p) => setText(row.lastElementChild,
      ` ${count(p.events, "event")} in ${count(p.seconds.size, "second")}, last at ${clock(p.last)}`));
}

const denial = (d) => el("li", {},
  d.node
    ? el("button", { type: "button", class: "link", click: () => select("node", d.node) }, nameOf(d.node))
    : el("strong", {}, "The run"),
  `: ${d.text}`, d.declared_in && el("span", { class: "soft" }, ` · ${d.declared_in}`),
  el("span", { class: "soft times" }));
