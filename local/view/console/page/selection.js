// The selection: the node, journey or invocation that the details show, and the text of the search.
// They are in the page's address, so that links to them and the browser's back button work.

import { tell } from "./store.js";

const KINDS = ["node", "journey", "invocation"];

const parameters = () => new URLSearchParams(location.hash.slice(1));

/** The selected kind, one of KINDS, and its id. Both are empty if nothing is selected. */
export function selection() {
  const [kind, id] = [...parameters()].find(([name]) => KINDS.includes(name)) ?? [];
  return id ? { kind, id } : { kind: "", id: "" };
}

/** The text of the search, or "". */
export const query = () => (parameters().get("q") ?? "").trim();

/** The address after the #. */
function hash({ kind, id }, text) {
  const parts = [];
  if (id) parts.push(`${kind}=${encodeURIComponent(id)}`);
  if (text) parts.push(`q=${encodeURIComponent(text)}`);
  return parts.length ? `#${parts.join("&")}` : "";
}

/**
 * Selects a node, a journey or an invocation. If it is selected already, the details get the focus
 * again.
 */
export function select(kind, id) {
  const wanted = hash({ kind, id }, query());
  if (location.hash === wanted) tell("selection", "focus");
  else location.hash = wanted;
}

/** Sets the text of the search. The browser's history keeps only the last one. */
export function setQuery(text) {
  history.replaceState(null, "", location.pathname + location.search + hash(selection(), text.trim()));
}

/** Searches a text, as if the reader had typed it, and shows the search. */
export function searchFor(text) {
  setQuery(text);
  tell("selection");
  const input = document.getElementById("search");
  input.focus({ preventScroll: true });
  input.scrollIntoView({ block: "start" });
}

/** Clears the selection. */
export function close() {
  history.pushState(null, "", location.pathname + location.search + hash({}, query()));
  tell("selection");
}

// popstate would come too early: a frame between popstate and hashchange would open the details
// without moving the focus into them. Back and forward change the address after the #, so
// hashchange always follows.
addEventListener("hashchange", () => tell("selection", "focus"));
