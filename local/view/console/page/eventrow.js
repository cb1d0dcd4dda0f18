// One event as a line that opens to show its attributes.

import { el } from "./dom.js";
import { about } from "./message.js";
import { exactClock, nameOf, shortened, valueText } from "./format.js";
import { select } from "./selection.js";
import { words } from "./words.js";

/** The class of an event's level. */
export const levelName = (event) => `level-${(event.level ?? "INFO").toLowerCase()}`;

/** The key of an event's row. Each run counts its events from 1. */
export const key = (event) => `${event.seq} ${event.time}`;

/**
 * Creates the line of an event in a list: its time, its level if it is not INFO, and what happened.
 */
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
  const message = el("span", { class: "message" }, shortened(event.message + request));
  const line = [message, el("span", { class: "brief" }, brief(event, event.message + request))];
  return opening(line, event.attrs, event.journey);
}

/**
 * A line that opens to show attributes and a link to the journey. The attributes are created when
 * the line first opens, because most lines never open.
 */
export function opening(line, attrs, journey, properties = {}) {
  const all = Object.entries(attrs ?? {});
  if (!all.length && !journey) return el("div", { class: "what" }, line);
  const list = el("dl", { class: "attributes" });
  const open = ({ currentTarget }) => {
    if (list.firstChild) return;
    list.append(...all.map(([name, value]) => attribute(name, valueText(value))));
    if (journey) list.append(attribute("journey", link(journey, "journey", journey)));
    const { function: of, request_id: invocation } = attrs ?? {};
    if (of && invocation) list.append(attribute("invocation", link("event and answer", "invocation", invocation)));
    const message = attrs?.queue_message ?? attrs?.message ?? attrs?.message_id;
    if (message) currentTarget.append(about(message));
  };
  return el("details", { class: "what", toggle: open, ...properties }, el("summary", {}, line), list);
}

const attribute = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));

const link = (text, kind, id) => el("button", { type: "button", class: "link", click: () => select(kind, id) }, text);

/** The text in a JSON string: the factory's log has the JSON that it got. */
const unquoted = (text) => text.replace(/^"([^"]*)"$/, "$1");

const MOST = 4; // attributes in the brief text
const LONGEST = 16; // characters of a value: ids and ARNs are longer
// Attributes that other parts of the line show already, and ids, which do not help people.
const LEFT_OUT =
  /^[A-Z]|(^|_)id$|^(function|level|method|path|route|status|duration|billed_duration|(max_)?memory_\w+)$/;

/**
 * The most useful attributes as a brief text: what is missing, which limit throttled, or the error,
 * or else the short ones. It leaves out what the text before it says. In a search, the attributes
 * that have its words come first, so that the reader sees why the line was found.
 */
export function brief({ attrs = {}, node = "" }, said = "") {
  const all = Object.entries(attrs)
    .map(([name, value]) => ({ name, shown: name.replaceAll("_", " "), text: valueText(value) }));
  const searched = words().filter((isIn) => !isIn(said));
  const found = all.filter((a) => searched.some((isIn) => isIn(`${a.shown} ${a.text}`) || isIn(`${a.name} ${a.text}`)));
  const written = (attributes) => attributes // "production step" needs no further "step"
    .map((a) => ` ${said.endsWith(` ${a.shown}`) ? "" : `${a.shown} `}${shortened(unquoted(a.text))}`).join(" ·");
  if (attrs.missing) return ` missing: ${valueText(attrs.missing)}`;
  if (attrs.throttled) return ` throttled: ${attrs.throttled}`;
  if (attrs.error && !said.includes(valueText(attrs.error))) return ` ${shortened(valueText(attrs.error))}`;
  const saidWords = new Set(said.split(/[\s:,]+/));
  const few = all.filter(({ name, text }) => !LEFT_OUT.test(name) && text && text.length <= LONGEST &&
    text !== nameOf(node) && !saidWords.has(text));
  return written([...new Set([...found, ...few])].slice(0, Math.max(MOST, found.length)));
}
