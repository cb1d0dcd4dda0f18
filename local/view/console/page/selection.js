// The selection: the node, journey or invocation that the details show. It is in the page's address, so that
// links to it and the browser's back button work.

import { tell } from "./store.js";

const KINDS = ["node", "journey", "invocation"];

/** The selected kind, one of KINDS, and its id. Both are empty if nothing is selected. */
export function selection() {
  const [kind, id] = [...new URLSearchParams(location.hash.slice(1))][0] ?? [];
  return KINDS.includes(kind) && id ? { kind, id } : { kind: "", id: "" };
}

/** Selects a node, a journey or an invocation. If it is selected already, the details get the focus again. */
export function select(kind, id) {
  const hash = `#${kind}=${encodeURIComponent(id)}`;
  if (location.hash === hash) tell("selection", "focus");
  else location.hash = hash;
}

/** Clears the selection. */
export function close() {
  history.pushState(null, "", location.pathname + location.search);
  tell("selection");
}

// popstate would come too early: a frame between popstate and hashchange would open the details
// without moving the focus into them. Back and forward change the address after the #, so
// hashchange always follows.
addEventListener("hashchange", () => tell("selection", "focus"));
