// The details of the selected node, journey or invocation.

import { byId, setText } from "./dom.js";
import { request } from "./stream.js";
import { node, on, state, tell } from "./store.js";
import { close, selection } from "./selection.js";
import { throttled } from "./throttle.js";
import { focusNode } from "./graph.js";
import { titleOf } from "./kinds.js";
import * as invocation from "./invocation.js";
import * as nodePanel from "./nodepanel.js";
import * as waterfall from "./waterfall.js";

const section = byId("details");
const title = byId("details-title");
const body = byId("details-body");

const TITLES = { journey: "Journey", invocation: "Invocation" };

let open = { kind: "", id: "" };
let panel = null; // draws what is open

const refresh = throttled(700, async () => {
  const requested = open;
  if (!requested.id) return;
  try {
    const answer = await request(`${requested.kind}s/${encodeURIComponent(requested.id)}`);
    if (requested !== open) return;
    if (requested.kind === "journey") {
      state.journey = answer;
      tell("journey");
    }
    panel.show(answer);
  } catch (error) {
    if (requested === open) panel.fail(error.message);
  }
});

/** Starts the section. */
export function start() {
  byId("details-close").addEventListener("click", dismiss);
  section.addEventListener("keydown", (e) => {
    if (e.key === "Escape") dismiss();
  });
  on(["selection", "graph"], change);
  on(["counters", "graph"], () => panel?.count?.() && refresh());
  on(["focus"], () => {
    if (!open.id) return;
    title.focus({ preventScroll: true });
    reveal();
  });
  on(["connection", "graph", "names"], refresh);
  tell("selection");
}

/** Scrolls to the section, if the reader sees little of it: on a phone to its beginning. */
function reveal() {
  const { top } = section.getBoundingClientRect();
  const lowest = matchMedia("(max-width: 48rem)").matches ? 16 : Math.max(16, innerHeight - 400);
  if (top < 0 || top > lowest) scrollBy(0, top - lowest);
}

/** Requests what is open again if an event changes it. */
export function touched(event) {
  if (event.shared && open.kind === "journey") return refresh();
  const about = { node: event.node, journey: event.journey, invocation: event.attrs?.request_id }[open.kind];
  if (about && about === open.id) refresh();
}

function change() {
  const now = selection();
  if (now.kind === "node" && !node(now.id)) return hide(); // the node is not known yet, or an edit has removed it
  if (now.kind === open.kind && now.id === open.id) return;
  open = now;
  state.journey = null;
  tell("journey");
  if (!open.id) return hide();
  const subject = open.kind === "node" ? node(open.id) : null;
  setText(title, subject ? titleOf(subject) : TITLES[open.kind]);
  panel = create(subject);
  body.replaceChildren(panel.element);
  section.hidden = false;
  panel.count?.();
  refresh();
}

function create(subject) {
  if (subject) return nodePanel.create(subject);
  return open.kind === "journey" ? waterfall.create() : invocation.create(open.id);
}

function hide() {
  open = { kind: "", id: "" };
  panel = null;
  section.hidden = true;
  body.replaceChildren();
}

/** Closes the details, and moves the focus back to the element that opened them. */
function dismiss() {
  const { kind, id } = open;
  close();
  if (kind === "node") focusNode(id);
  else if (kind === "invocation") byId("main").focus();
  else document.querySelector(`#journeys [aria-pressed="true"]`)?.focus();
}
