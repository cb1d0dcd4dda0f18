// The dead letters: why each failed, and buttons that redrive or delete them.

import { letterButtons, post, result } from "./actions.js";
import { byId, el, keep, setText } from "./dom.js";
import { count } from "./format.js";
import { facts, journeyLink, key, meaning, opened, why } from "./message.js";
import { on, state } from "./store.js";

const MOST = 50; // messages listed

/** Starts the list. */
export function start() {
  line.element.id = "redrive-result";
  byId("redrive-result").replaceWith(line.element);
  on(["dead_letters", "letters_mean"], list);
}

function list() {
  const all = state.dead_letters ?? [];
  byId("dead-none").hidden = all.length > 0;
  const queues = [...Map.groupBy(all, (m) => m.queue)]
    .map(([queue, messages]) => ({ queue, messages: messages.length }));
  const mean = byId("dead-mean");
  setText(mean, state.letters_mean ?? "");
  mean.hidden = !state.letters_mean;
  keep(byId("redrives"), queues, (q) => q.queue,
    ({ queue }) => el("button", { type: "button", click: () => redrive(queue) }),
    (button, q) => setText(button, `Redrive ${count(q.messages, "message")} of ${q.queue}`));
  keep(byId("dead"), all.slice(0, MOST), key, create, (row, m) => {
    setText(row.querySelector(".facts"), `in ${m.queue}, ${facts(m)}. ${meaning(m)}`);
  });
}

const line = result();

async function redrive(queue) {
  await line.of(async () => {
    const { moved, about } = await post("redrive", { queue });
    const sources = moved === 1 ? "its source queue" : "their source queues";
    return `${count(moved, "message")} of ${queue} went back to ${sources}. ${about ?? ""}`;
  });
  // The button is gone with its messages.
  if (!document.activeElement || document.activeElement === document.body) byId("main").focus();
}

function create(message) {
  return el("li", {},
    el("p", { class: "subject" },
      el("strong", {}, message.subject || message.id), " ", el("span", { class: "soft facts" })),
    why(message),
    el("div", { class: "buttons" },
      message.journey && journeyLink(message.journey),
      opened(message.body)),
    el("div", { class: "buttons" }, letterButtons(message, line)));
}
