// The head of the page: the program, its addresses, and the state of the connection.

import { byId, el, keep, setText } from "./dom.js";
import { count, number } from "./format.js";
import { connection } from "./stream.js";
import { on, state } from "./store.js";

const names = { api: "API", aws: "AWS endpoint", factory: "Factory" };

/** Starts the head. */
export function start() {
  on(["program", "stage"], () => {
    setText(byId("program"), state.program ?? "");
    setText(byId("stage"), state.stage ? `stage ${state.stage}` : "");
    document.title = `Console · ${state.program ?? "restock"}`;
  });
  on(["endpoints"], () => {
    const known = Object.entries(state.endpoints ?? {}).filter(([, url]) => url);
    keep(byId("endpoints"), known, ([name, url]) => name + url, ([name, url]) =>
      name === "api"
        ? el("a", { href: url, target: "_blank", rel: "noreferrer" }, names.api)
        : el("span", {}, `${names[name] ?? name} `, el("code", {}, url.replace(/^https?:\/\//, ""))));
  });
  on(["connection", "stream"], () => {
    const pill = byId("connection");
    setText(pill, connection.connected ? "Live" : "Reconnecting…");
    pill.classList.toggle("good", connection.connected);
    pill.classList.toggle("bad", !connection.connected);
    const events = count(state.stream?.events ?? 0, "event");
    const dropped = connection.dropped;
    setText(byId("stream"), dropped ? `${events}, ${number(dropped)} not shown here: too many at once` : events);
    byId("stream").classList.toggle("dropping", dropped > 0);
  });
}
