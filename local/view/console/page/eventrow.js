// One event as a line that opens to its attributes.

import { el } from "./dom.js";
import { exactClock, nameOf, shortened, valueText } from "./format.js";
import { select } from "./selection.js";

/** The class of an event's level. */
export const levelName = (event) => `level-${(event.level ?? "INFO").toLowerCase()}`;

/** Makes the line of an event in a list: its time, its level where it is not plain, and what happened. */
export function create(event) {
  return el("div", { class: "line" },
    el("time", { datetime: event.time }, exactClock(event.time)),
    event.level !== "INFO" && el("span", { class: "level" }, event.level),
    what(event));
}

/** What happened, with the attributes to open. */
export function what(event) {
  const { method, path, status } = event.attrs ?? {};
  const request = method && path ? `: ${[method, path, status].filter(Boolean).join(" ")}` : "";
  const words = [el("span", { class: "message" }, shortened(event.message + request)), el("span", { class: "brief" }, brief(event))];
  return opening(words, event.attrs, event.journey);
}

/** Words that open to attributes, and to the journey to go to. They are made when they are opened first: hundreds of lines never are. */
export function opening(words, attrs, journey, properties = {}) {
  const all = Object.entries(attrs ?? {});
  if (!all.length && !journey) return el("div", { class: "what" }, words);
  const list = el("dl", { class: "attributes" });
  const open = () => list.firstChild || list.append(
    ...all.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, valueText(value)))),
    ...(journey ? [el("div", {}, el("dt", {}, "journey"), el("dd", {}, el("button", { type: "button", class: "link", click: () => select("journey", journey) }, journey)))] : []));
  return el("details", { class: "what", toggle: open, ...properties }, el("summary", {}, words), list);
}

const MOST = 4; // attributes in brief
const LONGEST = 16; // characters of one: ids and ARNs are longer
// What the part, the text or the bar says already, and ids, which say nothing to people.
const SAID = /^[A-Z]|(^|_)id$|^(function|level|method|path|route|status|duration|billed_duration|(max_)?memory_\w+)$/;

/** The attributes that say most, in brief: what is missing, or the error, or else those that are short. */
export function brief({ attrs = {}, node = "" }) {
  if (attrs.missing) return ` missing: ${valueText(attrs.missing)}`;
  if (attrs.error) return ` ${shortened(valueText(attrs.error))}`;
  const few = Object.entries(attrs)
    .filter(([name]) => !SAID.test(name))
    .map(([name, value]) => [name, valueText(value)])
    .filter(([, text]) => text.length <= LONGEST && text !== nameOf(node));
  return few.slice(0, MOST).map(([name, text]) => ` ${name.replaceAll("_", " ")} ${text}`).join(" ·");
}
