// What is open in the details: a node or a journey. It is in the page's address, so that it can be linked to, and the way back works.

import { tell } from "./store.js";

const KINDS = ["node", "journey"];

/** What is open: its kind, "node" or "journey", and its id; both empty where nothing is. */
export function selection() {
  const [kind, id] = [...new URLSearchParams(location.hash.slice(1))][0] ?? [];
  return KINDS.includes(kind) && id ? { kind, id } : { kind: "", id: "" };
}

/** Opens something. What is open already gets the focus again. */
export function select(kind, id) {
  const hash = `#${kind}=${encodeURIComponent(id)}`;
  if (location.hash === hash) tell("selection", "focus");
  else location.hash = hash;
}

/** Closes what is open. */
export function close() {
  history.pushState(null, "", location.pathname + location.search);
  tell("selection");
}

// Not on popstate: it comes before, and a frame between the two would open the details without moving the focus into them. Back and forth are
// between addresses that differ after the #, so hashchange comes each time.
addEventListener("hashchange", () => tell("selection", "focus"));
