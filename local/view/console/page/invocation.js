// The details of an invocation: its event, its answer, and what a person can do with them.

import { body } from "./body.js";
import { el, setText } from "./dom.js";
import { duration, exactClock } from "./format.js";
import { invoke, outcome } from "./invoke.js";
import { request } from "./stream.js";
import { select } from "./selection.js";

/** Creates the panel of an invocation. */
export function create(id) {
  const head = el("p", {}, "Loading…");
  const links = el("p", { class: "buttons" });
  const actions = el("div", { class: "buttons" });
  const result = el("p", { class: "result", role: "status" });
  const texts = el("div");
  const element = el("div", { class: "invocation-panel" }, head, links, actions, result, texts);
  let shown = "";

  function act(label, work) {
    const button = el("button", {
      type: "button",
      async click() {
        button.disabled = true;
        result.classList.remove("bad");
        try {
          setText(result, (await work()) ?? "");
        } catch (error) {
          result.classList.add("bad");
          setText(result, error.message);
        } finally {
          button.disabled = false;
        }
      },
    }, label);
    return button;
  }

  async function save() {
    const { path, command } = await request(`invocations/${id}/save`, { method: "POST", body: {} });
    return `The event is in ${path}. Replay it with: ${command}`;
  }

  return {
    element,
    show(i) {
      const key = JSON.stringify(i);
      if (key === shown) return; // the focus stays
      const first = shown === "";
      shown = key;
      head.className = i.error || i.failed ? "status bad" : "status";
      setText(head, `${i.function} ${i.error ? `failed: ${i.error}` : outcome(i)} in ${duration(i.took_ms)}, `
        + `at ${exactClock(i.began)}`);
      links.replaceChildren(
        link("Function", "node", `function:${i.function}`), i.journey ? link("Journey", "journey", i.journey) : "");
      if (!first) return;
      actions.replaceChildren(
        act("Invoke again", () => invoke({ again: id }, element)), act("Save the event", save));
      texts.replaceChildren(...body("Event", i.event), ...body("Answer", i.answer));
    },
    fail: (message) => setText(head, message),
  };
}

const link = (text, kind, id) => el("button", { type: "button", class: "link", click: () => select(kind, id) }, text);
