// The details of what is chosen: a part of the stack, or a journey.

import { byId, setText } from "./dom.js";
import { request } from "./stream.js";
import { node, on, state, tell } from "./store.js";
import { close, selection } from "./selection.js";
import { throttled } from "./throttle.js";
import { focusNode } from "./graph.js";
import { kindName } from "./kinds.js";
import * as nodePanel from "./nodepanel.js";
import * as waterfall from "./waterfall.js";

const section = byId("details");
const title = byId("details-title");
const body = byId("details-body");

let open = { kind: "", id: "" };
let panel = null; // draws what is open

const refresh = throttled(700, async () => {
  const asked = open;
  if (!asked.id) return;
  try {
    const answer = await request(`${asked.kind}s/${encodeURIComponent(asked.id)}`);
    if (asked !== open) return;
    if (asked.kind === "journey") {
      state.journey = answer;
      tell("journey");
    }
    panel.show(answer);
  } catch (error) {
    if (asked === open) panel.fail(error.message);
  }
});

/** Begins to show them. */
export function start() {
  byId("details-close").addEventListener("click", dismiss);
  section.addEventListener("keydown", (e) => {
    if (e.key === "Escape") dismiss();
  });
  on(["selection", "graph"], change);
  on(["counters", "graph"], () => panel?.count?.());
  on(["focus"], () => {
    if (!open.id) return;
    title.focus({ preventScroll: true });
    section.scrollIntoView({ block: "nearest" });
  });
  on(["connection"], refresh);
  tell("selection");
}

/** Hears of an event: what is open may have to be asked for again. */
export function touched(event) {
  if ((open.kind === "node" && event.node === open.id) || (open.kind === "journey" && event.journey === open.id)) refresh();
}

function change() {
  const now = selection();
  if (now.kind === "node" && !node(now.id)) return hide(); // not yet known, or gone with an edit
  if (now.kind === open.kind && now.id === open.id) return;
  open = now;
  state.journey = null;
  tell("journey");
  if (!open.id) return hide();
  const subject = open.kind === "node" ? node(open.id) : null;
  setText(title, subject ? `${kindName(subject.kind)} ${subject.label}` : "Journey");
  panel = subject ? nodePanel.create(subject) : waterfall.create();
  body.replaceChildren(panel.element);
  section.hidden = false;
  panel.count?.();
  refresh();
}

function hide() {
  open = { kind: "", id: "" };
  panel = null;
  section.hidden = true;
  body.replaceChildren();
}

/** Closes the details, and gives the focus back to where they were opened. */
function dismiss() {
  const { kind, id } = open;
  close();
  if (kind === "node") focusNode(id);
  else document.querySelector(`#journeys [aria-pressed="true"]`)?.focus();
}
