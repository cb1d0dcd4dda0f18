// The search in the events and the journeys that the console keeps. The list of events and that of
// journeys show what it has found.

import { byId, setText } from "./dom.js";
import { count } from "./format.js";
import { query, setQuery } from "./selection.js";
import { request } from "./stream.js";
import { on, tell } from "./store.js";
import { throttled } from "./throttle.js";

let result = null; // of the latest search, or null

/** The events and journeys that the search has found, newest first, or null without a search. */
export const found = () => result;

const refresh = throttled(500, async () => {
  const text = query();
  const answer = text ? await request(`search?q=${encodeURIComponent(text)}`) : null;
  if (text !== query()) return refresh(); // the reader has typed on
  result = answer;
  const { journeys = [], events = [] } = result ?? {};
  setText(byId("search-found"), result ? `${count(journeys.length, "journey")}, ${count(events.length, "event")}` : "");
  tell("search");
});

/** Starts the search. The address may have a text already. */
export function start() {
  const input = byId("search");
  input.addEventListener("input", () => {
    setQuery(input.value);
    refresh();
  });
  byId("search-form").addEventListener("submit", (e) => e.preventDefault());
  on(["selection", "connection"], () => {
    if (input.value.trim() !== query()) input.value = query();
    if (query() || result) refresh();
  });
  on(["names"], touched);
}

/** Searches again when an event comes, or when journeys get other names. */
export function touched() {
  if (query()) refresh();
}
