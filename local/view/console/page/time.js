// The button that lets a minute pass for the schedules and the queues.

import { button, post, result } from "./actions.js";
import { byId } from "./dom.js";
import { count } from "./format.js";
import { on, state } from "./store.js";

/** Shows the button if the stack has schedules. */
export function start() {
  const line = result();
  byId("time").append(button("Let a minute pass", () => line.of(async () => {
    const { schedules, messages } = await post("pass-time", {});
    const visible = `${count(messages, "message")} became visible in ${messages === 1 ? "its queue" : "their queues"}`;
    return `${count(schedules, "schedule")} ran${messages ? `, and ${visible}` : ""}.`;
  })), line.element);
  on(["graph"], () => (byId("time").hidden = !state.graph.nodes.some((n) => n.kind === "schedule")));
}
