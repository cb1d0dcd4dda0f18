// What a person does with queues, topics and schedules: forms and buttons that change the run.

import { el, setText } from "./dom.js";
import { count } from "./format.js";
import { request } from "./stream.js";

/** Sends a control to the console. */
export const post = (path, body) => request(path, { method: "POST", body });

/** A line that says what an action has done, or why it failed. */
export function result() {
  const element = el("p", { class: "result", role: "status" });
  return {
    element,
    /** Runs an action. It returns the text of its result. */
    async of(work) {
      try {
        const text = (await work()) ?? "";
        element.classList.remove("bad");
        setText(element, text);
      } catch (error) {
        element.classList.add("bad");
        setText(element, error.message);
      }
    },
  };
}

/** A button that runs an action. While it runs, further clicks do nothing. */
export function button(label, work, properties = {}) {
  let running = false;
  return el("button", {
    type: "button",
    ...properties,
    async click() {
      if (running) return;
      running = true;
      await work().finally(() => (running = false));
    },
  }, label);
}

/** A button that asks once more before it runs an action that nobody can undo. */
export function careful(label, question, work) {
  const first = el("button", { type: "button", class: "danger", click: () => ask(true) }, label);
  const yes = button(question, async () => {
    await work();
    ask(false);
  }, { class: "danger", hidden: true });
  const no = el("button", { type: "button", hidden: true, click: () => ask(false) }, "Cancel");
  function ask(asked) {
    first.hidden = asked;
    yes.hidden = no.hidden = !asked;
    (asked ? yes : first).focus();
  }
  return [first, yes, no];
}

/** The form that sends a message to a topic or a queue. */
export function sendForm(node) {
  const isTopic = node.kind === "topic";
  const subject = el("input", { id: "send-subject", autocomplete: "off" });
  const body = el("textarea", { id: "send-body", rows: 5, spellcheck: "false", autocomplete: "off" }, "{}");
  const attributes = el("ul", { class: "send-attributes", role: "list" });
  const line = result();
  const add = el("button", { type: "button", click: addAttribute }, "Add an attribute");

  function addAttribute() {
    const row = el("li", {},
      el("label", {}, "Attribute ", el("input", { name: "name", autocomplete: "off", required: true })),
      el("label", {}, "Type ", el("select", { name: "type" }, el("option", {}, "String"), el("option", {}, "Number"))),
      el("label", {}, "Value ", el("input", { name: "value", autocomplete: "off" })),
      el("button", {
        type: "button",
        click() {
          row.remove();
          add.focus();
        },
      }, "Remove"));
    attributes.append(row);
    row.querySelector("input").focus();
  }

  async function submit(e) {
    e.preventDefault();
    const field = (row, name) => row.querySelector(`[name=${name}]`).value;
    const all = [...attributes.children].map((row) => ({
      name: field(row, "name"), type: field(row, "type"), value: field(row, "value"),
    }));
    await line.of(async () => {
      const message = { node: node.id, body: body.value, attributes: all };
      const { id } = await post("send", isTopic ? { ...message, subject: subject.value } : message);
      return `Sent: message ${id}.`;
    });
  }

  return el("details", { class: "send" }, el("summary", {}, "Send a message"),
    el("form", { submit, "aria-label": "Send a message" },
      isTopic && [el("label", { for: "send-subject" }, "Subject, may be empty"), subject],
      el("label", { for: "send-body" }, "Body"), body, attributes,
      el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary" }, "Send"), add)),
    line.element);
}

/** The button that deletes all messages of a queue. */
export function purge(node) {
  const line = result();
  const work = () => line.of(async () => {
    const { deleted } = await post("purge", { queue: node.label });
    return `${count(deleted, "message")} deleted.`;
  });
  return el("div", {}, el("div", { class: "buttons" }, careful("Purge the queue", "Delete all messages", work)),
    line.element);
}

/**
 * The buttons that send one dead letter back, or delete it. Their result is for a line. A letter
 * that its function would drop can only be deleted.
 */
export function letterButtons(message, line) {
  const chosen = { queue: message.queue, message: message.id };
  const name = message.subject || message.id;
  return [
    !message.obsolete && button("Redrive", () => line.of(async () => {
      const { about } = await post("redrive", chosen);
      return `${name} went back to its source queue. ${about ?? ""}`;
    }), { "aria-label": `Redrive ${name}` }),
    ...careful("Delete", "Delete this message", () => line.of(async () => {
      await post("delete", chosen);
      return `${name} was deleted from ${message.queue}.`;
    })),
  ];
}
