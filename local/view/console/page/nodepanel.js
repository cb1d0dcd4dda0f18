// The details of one node: its counters, its neighbours, its latest log lines and errors.

import { purge, sendForm } from "./actions.js";
import { el, keep, setText } from "./dom.js";
import { clock, nameOf, number } from "./format.js";
import { counterName, waitingIn } from "./kinds.js";
import { create as logRow, key, levelName } from "./eventrow.js";
import * as facts from "./facts.js";
import * as invoke from "./invoke.js";
import * as message from "./message.js";
import * as plots from "./plots.js";
import { select } from "./selection.js";
import { state } from "./store.js";

const actions = (create) => (node) => ({ element: create(node) });

// What only nodes of a kind have.
const parts = {
  function: [facts.create, plots.create, (node) => invoke.create(nameOf(node.id))],
  topic: [actions(sendForm)],
  queue: [message.createList, plots.create, actions(sendForm), actions(purge)],
  "dead-letter-queue": [message.createList, plots.create, actions(sendForm), actions(purge)],
};

/** Creates the panel of a node. */
export function create(node) {
  const counters = el("dl", { class: "figures" });
  const neighbours = el("ul", { class: "joined", role: "list" });
  const errors = list();
  const lines = list();
  const own = [...(node.kind === "function" ? [] : [facts.createResource]), ...(parts[node.kind] ?? [])]
    .map((create) => create(node));
  let waiting; // messages in the queue
  const throttles = el("ul", { class: "throttles", role: "list" });
  const throttlesPart = part("Throttled, and by which limit", throttles);
  const note = el("p", { class: "none" }, "Loading…");
  const errorsPart = part("Latest warnings and errors", errors);
  const linesPart = part("Latest log lines", lines);
  const element = el("div", { class: "node-panel" },
    node.detail && el("p", { class: "soft" }, node.detail), counters, throttlesPart, neighbours,
    own.map((o) => o.element), note, errorsPart, linesPart);

  return {
    element,
    /** Shows the counters. The result says whether the panel needs a new answer. */
    count() {
      const now = Object.entries(state.counters?.[node.id] ?? {});
      const before = waiting;
      waiting = waitingIn(node, state.counters?.[node.id]);
      counters.hidden = now.length === 0;
      keep(counters, now, ([name]) => name,
        () => el("div", {}, el("dt"), el("dd")),
        (row, [name, n]) => {
          setText(row.firstElementChild, counterName(name, n));
          setText(row.lastElementChild, number(n));
        });
      const edges = state.graph.edges.filter((e) => e.from === node.id || e.to === node.id);
      keep(neighbours, edges, (e) => e.id, (e) => join(e, node));
      return waiting !== before;
    },
    show(answer) {
      throttlesPart.hidden = !answer.throttles?.length;
      keep(throttles, answer.throttles ?? [], (t) => t.reason, () => el("li"), (row, t) =>
        setText(row, `${number(t.times)} throttled: ${t.reason}, last at ${clock(t.last)}`));
      for (const o of own) o.show?.(answer);
      fill(lines, linesPart, answer.lines);
      fill(errors, errorsPart, answer.errors);
      note.hidden = Boolean(answer.lines?.length || answer.errors?.length);
      setText(note, "No log lines yet.");
    },
    fail(message) {
      note.hidden = false;
      setText(note, message);
    },
  };
}

const part = (title, list) => el("section", { "aria-label": title, hidden: true }, el("h3", {}, title), list);

const list = () => el("ol", { class: "lines", role: "list" });

function fill(element, part, events) {
  part.hidden = !events?.length;
  const latest = [...(events ?? [])].sort((a, b) => b.seq - a.seq);
  keep(element, latest, key, (e) => el("li", { class: levelName(e) }, logRow(e)));
}

function join(edge, node) {
  const leaves = edge.from === node.id;
  const other = leaves ? edge.to : edge.from;
  const label = state.graph.nodes.find((n) => n.id === other)?.label ?? other;
  return el("li", {},
    el("span", { class: "soft" }, leaves ? "to " : "from "),
    el("button", { type: "button", class: "link", click: () => select("node", other) }, label),
    edge.label && el("span", { class: "soft" }, ` · ${edge.label}`));
}
