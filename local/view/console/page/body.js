// The text of a message, an event or an answer. The console has hidden signatures and secrets.

import { el } from "./dom.js";
import { number, pretty } from "./format.js";

/** Returns a heading and the text, with its size. */
export function body(title, { text = "", size = 0, cut = false }) {
  const length = `${number(size)} bytes${cut ? ", and only the beginning is kept" : ""}`;
  return [
    el("h3", {}, `${title} `, el("span", { class: "soft" }, length)),
    text
      ? el("pre", { class: "body", tabindex: "0", "aria-label": title }, pretty(text))
      : el("p", { class: "none" }, "Empty."),
  ];
}
