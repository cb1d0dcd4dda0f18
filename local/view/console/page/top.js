// The head of the page: the program, its addresses, and the state of the connection.

import { copyButton } from "./cli.js";
import { byId, el, keep, setText } from "./dom.js";
import { count, number } from "./format.js";
import { connection } from "./stream.js";
import { on, state } from "./store.js";

const names = { api: "API", aws: "AWS" };
const capital = (name) => name.charAt(0).toUpperCase() + name.slice(1);

/** What people call an endpoint: the API has a name in the picture. */
function nameOf(name) {
  const api = name === "api" && state.graph.nodes.find((n) => n.kind === "api");
  return api ? capital(api.label) : (names[name] ?? capital(name));
}

/** Starts the head. */
export function start() {
  on(["program", "stage"], () => {
    setText(byId("program"), state.program ?? "");
    setText(byId("stage"), state.stage ? `stage ${state.stage}` : "");
    document.title = `Console · ${state.program ?? "restock"}`;
  });
  on(["endpoints", "graph"], () => {
    const known = Object.entries(state.endpoints ?? {}).filter(([, url]) => url);
    const create = ([name, url]) => el("span", { class: "endpoint" },
      name === "api"
        ? el("a", { href: url, target: "_blank", rel: "noreferrer" }, nameOf(name))
        : [`${nameOf(name)} `, el("code", {}, url.replace(/^https?:\/\//, ""))],
      copyButton(() => url, `the address of ${nameOf(name)}`));
    keep(byId("endpoints"), known, ([name, url]) => nameOf(name) + url, create);
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
