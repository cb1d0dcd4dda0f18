// The calls that policies denied. A call that is denied many times is listed once, with a count.

import { byId, el, keep, setText } from "./dom.js";
import { clock, count, nameOf } from "./format.js";
import { on, state, tell } from "./store.js";
import { select } from "./selection.js";

const MOST = 50;
let dismissed = 0; // the time up to which denials are dismissed

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
 * The denials since the latest change of the stack, newest first. A change may have added the
 * missing permission; if not, the call will be denied again.
 */
export function denials() {
  const since = Math.max(dismissed, ...(state.changes ?? []).map((c) => Date.parse(c.time)));
  return (state.denials ?? [])
    .filter((d) => Date.parse(d.last) > since)
    .map((d) => ({ ...d, key: `${d.node} ${d.text}`, edge: d.edge || edgeTo(d.node, d.resource) }));
}

/** Starts the list. */
export function start() {
  const section = byId("denials");
  byId("denials-dismiss").addEventListener("click", () => {
    dismissed = Math.max(...denials().map((d) => Date.parse(d.last)));
    tell("denials");
    byId("main").focus();
  });
  on(["denials", "changes", "graph"], () => {
    const all = denials();
    section.hidden = all.length === 0;
    setText(byId("denials-count"), `${count(all.length, "call")} denied`);
    keep(byId("denials-list"), all.slice(0, MOST), (d) => `${d.edge} ${d.key}`, create, (row, d) => {
      setText(row.querySelector(".times"), `${d.times === 1 ? "once" : `${d.times} times`}, last at ${clock(d.last)}`);
    });
  });
}

function create(d) {
  const [from, to] = d.edge.split(">");
  const caller = from || (d.node ?? "");
  return el("li", {},
    el("p", { class: "route" },
      el("button", { type: "button", class: "link", click: () => select("node", caller) }, nameOf(caller)),
      to && ` → ${nameOf(to)}`, " ", el("span", { class: "times" })),
    el("p", { class: "missing" }, el("strong", {}, d.text)),
    d.declared_in && el("p", { class: "where" }, "Add it in ", el("code", {}, d.declared_in)));
}
