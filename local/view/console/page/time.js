// The button that lets a minute pass: the schedules run at once.

import { button, post, result } from "./actions.js";
import { byId } from "./dom.js";
import { count } from "./format.js";
import { on, state } from "./store.js";

/** Shows the button if the stack has schedules. */
export function start() {
  const line = result();
  byId("time").append(button("Let a minute pass", () => line.of(async () => {
    const { schedules } = await post("pass-time", {});
    return `${count(schedules, "schedule")} ran.`;
  })), line.element);
  on(["graph"], () => (byId("time").hidden = !state.graph.nodes.some((n) => n.kind === "schedule")));
}
