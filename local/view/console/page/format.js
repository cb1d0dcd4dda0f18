// Numbers, durations and times as texts for people.

const integer = new Intl.NumberFormat("en");
const oneDigit = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** 12,345 */
export const number = (n) => integer.format(n ?? 0);

/** 12,345, but 123K beyond 99,999: for narrow places. */
export const short = (n) => ((n ?? 0) > 99_999 ? compact : integer).format(n ?? 0);

/** "1 message", "2 messages" */
export const count = (n, one, many = one + "s") => `${number(n)} ${n === 1 ? one : many}`;

/** Milliseconds as "0.4 ms", "12 ms", "4.2 s", "2 min 5 s". */
export function duration(ms) {
  if (ms < 9.95) return `${oneDigit.format(ms)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${oneDigit.format(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds % 60 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : `${seconds / 60} min`;
}

const seconds = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const exactSeconds = { ...seconds, fractionalSecondDigits: 3 };
const day = { day: "numeric", month: "short" };
const formats = [seconds, exactSeconds].map((time) => ({
  today: new Intl.DateTimeFormat("en-GB", time),
  otherDay: new Intl.DateTimeFormat("en-GB", { ...day, ...time }),
}));

function formatMoment(format, moment, now) {
  const date = new Date(moment);
  return (date.toDateString() === now.toDateString() ? format.today : format.otherDay).format(date);
}

/**
 * A moment as "14:03:59" in the reader's time zone, or "25 Nov, 14:03:59" if it is not today. Tests
 * set now.
 */
export const clock = (moment, now = new Date()) => formatMoment(formats[0], moment, now);

/** A moment as "14:03:59.123", or "25 Nov, 14:03:59.123" if it is not today. */
export const exactClock = (moment, now = new Date()) => formatMoment(formats[1], moment, now);

/** A node's id without its kind: "function:stock" is "stock". An event may have no node. */
export const nameOf = (node = "") => node.slice(node.indexOf(":") + 1);

/** A node's kind: "function:stock" is "function". */
export const kindOf = (node) => node.slice(0, Math.max(0, node.indexOf(":")));

/** An attribute's value as text. It may be an object. */
export const valueText = (value) =>
  value !== null && typeof value === "object" ? JSON.stringify(value) : String(value);

/** A text in which UUIDs are cut after their first part, to be easier to read. */
export const shortened = (text) => text.replace(/\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, "$1…");

/**
 * Indented JSON, or the text itself if it is not JSON. JSON in strings, as in the notifications of
 * SNS, is parsed too.
 */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text, parsed), null, 2);
  } catch {
    return text;
  }
}

function parsed(_, value) {
  if (typeof value !== "string" || !/^\s*[{[]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
