// The part of a function's details that invokes it, and the list of its latest invocations.

import { el, keep, setText } from "./dom.js";
import { clock, count, duration } from "./format.js";
import { request } from "./stream.js";
import { select } from "./selection.js";

/** Creates the part for a function. */
export function create(name) {
  const example = el("select", { id: "invoke-example", change: choose });
  const event = el("textarea", { id: "invoke-event", rows: 8, spellcheck: "false", autocomplete: "off" });
  const button = el("button", { type: "submit", class: "primary" }, "Invoke");
  const result = el("p", { class: "result", role: "status" });
  const none = el("p", { class: "none" }, "No invocation yet.");
  const list = el("ol", { class: "invocations", role: "list" });
  const element = el("section", { class: "invoke", "aria-label": "Invoke" },
    el("h3", {}, "Invoke"),
    el("form", { submit },
      el("label", { for: "invoke-example" }, "Example"), example,
      el("label", { for: "invoke-event" }, "Event, as JSON"), event,
      el("div", { class: "buttons" }, button)),
    result,
    el("h3", {}, "Latest invocations"), none, list);
  let examples = [];

  function choose() {
    event.value = JSON.stringify(examples[example.selectedIndex]?.event ?? {}, null, 2);
  }

  async function submit(e) {
    e.preventDefault();
    let parsed;
    try {
      parsed = JSON.parse(event.value);
    } catch (error) {
      return fail(`The event is not JSON: ${error.message}`);
    }
    button.disabled = true;
    result.classList.remove("bad");
    setText(result, "Running…");
    try {
      await invoke({ function: name, event: parsed }, element);
    } catch (error) {
      fail(error.message);
    } finally {
      button.disabled = false;
    }
  }

  function fail(message) {
    result.classList.add("bad");
    setText(result, message);
  }

  return {
    element,
    show(answer) {
      if (!examples.length && answer.examples?.length) { // an event that a person edits stays
        examples = answer.examples;
        example.replaceChildren(...examples.map((x) => el("option", {}, x.name)));
        choose();
      }
      const all = answer.invocations ?? [];
      none.hidden = all.length > 0;
      keep(list, all, (i) => i.id, row);
    },
  };
}

/**
 * Invokes a function, and opens the invocation when it has ended, if the page still shows the
 * element from which it was invoked.
 */
export async function invoke(body, from) {
  const { id } = await request("invocations", { method: "POST", body });
  if (from.isConnected) select("invocation", id);
}

function row(invocation) {
  return el("li", { class: (invocation.error || invocation.failed) && "failed" },
    el("button", { type: "button", class: "link", click: () => select("invocation", invocation.id) },
      clock(invocation.began)),
    ` ${duration(invocation.took_ms)} `,
    el("span", { class: "status" }, invocation.error || outcome(invocation)));
}

/**
 * How an invocation without an error ended. The function may report messages of its batch as
 * failed.
 */
export const outcome = ({ failed }) => (failed ? `${count(failed, "message")} failed` : "succeeded");
