// Messages: the list of those in a queue, and the body of one that an event is about.

import { letterButtons, result } from "./actions.js";
import { body } from "./body.js";
import { el, keep, setText } from "./dom.js";
import { clock, count, shortened } from "./format.js";
import { request } from "./stream.js";
import { select } from "./selection.js";

/** Creates the list of the messages in a queue. Watching it does not receive them. */
export function createList(node) {
  const title = el("h3");
  const line = result();
  const isDead = node.kind === "dead-letter-queue";
  const list = el("ul", { class: "messages", role: "list" });
  return {
    element: el("section", { "aria-label": "Messages" }, title, line.element, list),
    show(answer) {
      const all = answer.messages ?? [];
      setText(title, all.length ? count(all.length, "message") : "No messages");
      keep(list, all, key, (m) => row(m, isDead && letterButtons(m, line)), (item, m) => {
        setText(item.querySelector(".facts"), facts(m));
        setText(item.querySelector(".meaning"), meaning(m));
        keep(item.querySelector(".reason"), isDead || m.why ? [m] : [], (m) => JSON.stringify(m.why ?? ""), why);
      });
    },
  };
}

/** When a message was sent, and how often it was received. */
export const facts = (m) =>
  `sent at ${clock(m.sent)}, received ${m.receives === 1 ? "once" : `${m.receives} times`}`;

/** What a message means for the program, and that it needs no redrive. */
export const meaning = (m) => [m.about, m.obsolete && "Nothing to do: delete it."].filter(Boolean).join(" ");

/** The key of a message in a list. Its buttons change when it becomes obsolete. */
export const key = (m) => `${m.queue} ${m.id} ${m.obsolete ?? ""}`;

function row(message, buttons) {
  return el("li", {},
    el("p", {}, el("strong", {}, message.subject || message.id), " ", el("span", { class: "soft facts" })),
    el("p", { class: "meaning" }),
    el("div", { class: "reason" }),
    el("div", { class: "buttons" },
      message.journey && journeyLink(message.journey),
      opened(message.body)),
    buttons && el("div", { class: "buttons" }, buttons));
}

/** Why a message failed: the function, the time and the error. */
export const why = ({ why: known }) =>
  el("p", { class: "why" }, known?.error
    ? [el("span", { class: "soft" }, `${known.function ? `${known.function}, ` : ""}${clock(known.time)}: `),
      shortened(known.error)]
    : "The reason is not known: no function logged an error for this message.");

/** A link to the journey of a message. */
export const journeyLink = (id) =>
  el("button", { type: "button", class: "link", click: () => select("journey", id) }, "Journey");

/** The body of a message, to open. */
export const opened = (text) => el("details", { class: "opened" }, el("summary", {}, "Body"), ...body("Message", text));

/** The message that an event is about. The page requests its body. */
export function about(id) {
  const part = el("div", { class: "about" }, el("p", { class: "soft" }, "Loading the message…"));
  request(`messages/${encodeURIComponent(id)}`).then(
    (text) => part.replaceChildren(...body("Message", text)),
    (error) => part.replaceChildren(el("p", { class: "none" }, error.message)));
  return part;
}
