// The calls that policies denied. A call that is denied many times is listed once, with a count.

import { byId, el, keep, setText } from "./dom.js";
import { clock, count, nameOf } from "./format.js";
import { on, state, tell } from "./store.js";
import { select } from "./selection.js";

const MOST = 50;
const known = new Map(); // by node and text, latest last

/** Adds a denial of the event stream. */
export function denied(event) {
  const { missing, declared_in: where, action, resource, error } = event.attrs ?? {};
  const call = [action, resource].filter(Boolean).join(" on ");
  const what = missing ? `missing: ${missing}` : (error ?? (call || event.message));
  const text = [what, where].filter(Boolean).join(", ");
  const key = `${event.node} ${text}`;
  const times = (known.get(key)?.times ?? 0) + 1;
  known.delete(key);
  const { edge, node = "", time } = event;
  known.set(key, { key, edge, node, resource, text, what, where, time, times });
  while (known.size > MOST) known.delete(known.keys().next().value);
  tell("denials");
}

/**
 * The id of the edge from a node to the node of an ARN. The picture may lack this edge, because it
 * is drawn from what the policies allow.
 */
function edgeTo(from, arn = "") {
  const [, , service, , , ...rest] = arn.split(":");
  const suits = state.graph.nodes.filter((n) => n.service === service);
  const to = suits.find((n) => n.label === rest.at(-1)) ?? suits.find((n) => n.label === n.kind); // all of a service
  return from && to && to.id !== from ? `${from}>${to.id}` : "";
}

/**
 * The denials since the latest change of the stack, oldest first. A change may have added the
 * missing permission; if not, the call will be denied again.
 */
export function denials() {
  const changed = Math.max(0, ...(state.changes ?? []).map((c) => Date.parse(c.time)));
  return [...known.values()]
    .filter((d) => Date.parse(d.time) >= changed)
    .map((d) => ({ ...d, edge: d.edge || edgeTo(d.node, d.resource) }));
}

/** Clears the list, when a new run begins or the reader dismisses it. */
export function forget() {
  known.clear();
  tell("denials");
}

/** Starts the list. */
export function start() {
  const section = byId("denials");
  byId("denials-dismiss").addEventListener("click", () => {
    forget();
    byId("main").focus();
  });
  on(["denials", "changes", "graph"], () => {
    const all = denials();
    section.hidden = all.length === 0;
    setText(byId("denials-count"), `${count(all.length, "call")} denied`);
    keep(byId("denials-list"), all.toReversed(), (d) => `${d.edge} ${d.key}`, create, (row, d) => {
      setText(row.querySelector(".times"), `${d.times === 1 ? "once" : `${d.times} times`}, last at ${clock(d.time)}`);
    });
  });
}

function create(d) {
  const [from, to] = d.edge.split(">");
  const caller = from || d.node;
  return el("li", {},
    el("p", { class: "route" },
      el("button", { type: "button", class: "link", click: () => select("node", caller) }, nameOf(caller)),
      to && ` → ${nameOf(to)}`, " ", el("span", { class: "times" })),
    el("p", { class: "missing" }, el("strong", {}, d.what)),
    d.where && el("p", { class: "where" }, "Add it in ", el("code", {}, d.where)));
}
