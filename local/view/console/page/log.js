// The list of events, newest first. Its length is bounded; the reader can filter and pause it.

import { byId, el, keep, setText } from "./dom.js";
import { count, exactClock, nameOf } from "./format.js";
import { key, levelName, what } from "./eventrow.js";
import { on, state, tell } from "./store.js";
import { found } from "./search.js";
import { query, select } from "./selection.js";

const MOST = 300; // events in the list
const PACE = 400; // milliseconds between two drawings: people do not read faster
const LEVELS = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3 };

let events = []; // newest last
let held = null; // the events that a paused list shows
let timer = 0;

/** Starts the list. */
export function start() {
  for (const id of ["events-node", "events-level"]) byId(id).addEventListener("change", () => tell("log"));
  byId("events-pause").addEventListener("click", (e) => {
    held = held ? null : events;
    e.currentTarget.setAttribute("aria-pressed", String(Boolean(held)));
    setText(e.currentTarget, held ? "Resume" : "Pause");
    tell("log");
  });
  on(["graph"], () => {
    const nodes = state.graph.nodes.map((n) => ({ id: n.id, label: `${n.label} (${n.kind})` }));
    keep(byId("events-node"), [{ id: "", label: "all" }, ...nodes], (n) => n.id,
      (n) => el("option", { value: n.id }), (option, n) => setText(option, n.label));
  });
  on(["log", "search"], draw);
  tell("log");
}

/** Adds an event, and drops the oldest if the list is full. */
export function add(event) {
  events = [...events.slice(1 - MOST), event];
  timer ||= setTimeout(() => {
    timer = 0;
    tell("log");
  }, PACE);
}

/**
 * Adds a line for the events of a part in a second that the page does not get. Further ones of the
 * same second are counted in the same line.
 */
export function omitted({ second, node, part, events: n }) {
  const seq = `${second} ${node ?? part}`;
  const known = events.find((e) => e.seq === seq);
  const all = (known?.omitted ?? 0) + n;
  const line = { seq, time: second, level: "INFO", node, part, omitted: all };
  line.message = `${count(all, "event")} in this second, not shown: too many at once`;
  if (known) events = events.map((e) => (e === known ? line : e));
  else add(line);
}

/** Clears the list, when a new run begins. */
export function forget() {
  events = [];
  held &&= events;
  tell("log");
}

function draw() {
  const node = byId("events-node").value;
  const level = Number(byId("events-level").value);
  const searched = found()?.events.toReversed();
  const from = searched ?? held ?? events;
  const shown = from.filter((e) => (!node || e.node === node) && (LEVELS[e.level] ?? 1) >= level).reverse();
  const why = searched ? query() : ""; // lines show why they were found
  keep(byId("events"), shown, (e) => `${key(e)} ${e.omitted ?? ""} ${why}`, row);
  const lastHeld = held?.findLast((e) => !e.omitted)?.seq ?? 0;
  const since = events.filter((e) => e.seq > lastHeld).length;
  const fresh = held && !searched ? ` Paused: ${since >= MOST ? `${MOST} or more` : count(since, "event")} since.` : "";
  const of = searched ? `${from.length} found` : `the latest ${from.length}`;
  setText(byId("events-shown"), `${count(shown.length, "event")} of ${of}.${fresh}`);
}

function row(event) {
  const level = event.level ?? "INFO";
  return el("tr", { class: levelName(event) },
    el("td", { class: "time" }, el("time", { datetime: event.time }, exactClock(event.time))),
    el("td", { class: "level" }, event.denied ? "DENIED" : level),
    el("td", { class: "part" }, event.node
      ? el("button", { type: "button", class: "link", click: () => select("node", event.node) }, nameOf(event.node))
      : (event.part ?? "")),
    el("td", {}, what(event)));
}
