// The kinds of nodes: their names, icons and main counters.

import { count, short } from "./format.js";

/** The messages that a queue holds. */
const waiting = ({ visible = 0, in_flight: inFlight = 0, delayed = 0 }) => visible + inFlight + delayed;

const plural = (n, one, many) => `${short(n)} ${n === 1 ? one : many}`;

/** The counters of a resource that an emulator answers for. */
const called = { sum: (c) => plural(c.calls ?? 0, "call", "calls"), errors: (c) => c.denied };

// An icon is path data in a box of 20 by 20, drawn as strokes.
const kinds = {
  callers: {
    name: "Callers",
    does: "send requests",
    icon: "M7 9a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 7 9Z M2.2 16.5c0-3 2.1-4.8 4.8-4.8s4.8 1.8 4.8 4.8 " +
      "M13.4 9.2a2.2 2.2 0 1 0-.6-4.3 M14.2 11.9c2.2.2 3.7 1.8 3.7 4.3",
  },
  alarms: {
    name: "Alarms",
    does: "notify",
    icon: "M4.5 14.5h11 M6 14.5V9a4 4 0 0 1 8 0v5.5 M8.4 17h3.2 M10 3v2",
  },
  people: {
    name: "People",
    does: "get e-mails",
    icon: "M10 9.2a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8Z M4.2 17c0-3.3 2.5-5.2 5.8-5.2s5.8 1.9 5.8 5.2",
  },
  api: {
    name: "HTTP API",
    icon: "M6.2 5 2 10l4.2 5 M13.8 5 18 10l-4.2 5 M11.6 3.6 8.4 16.4",
    sum: (c) => plural(c.requests, "request", "requests"),
    errors: (c) => (c.server_errors ?? 0) + (c.throttled ?? 0),
    idle: { requests: 0 },
  },
  function: {
    name: "Function",
    icon: "M5 3.5h2.6L14 16.5h2 M9 9.2 5 16.5",
    sum: (c) => `${short(c.invocations)} invoked`,
    errors: (c) => (c.errors ?? 0) + (c.throttled ?? 0),
  },
  topic: {
    name: "Topic",
    icon: "M3 8.2v3.6h2.8l6 3.4V4.8l-6 3.4Z M14.4 7.2a4 4 0 0 1 0 5.6 M16.6 5a7 7 0 0 1 0 10",
    sum: (c) => `${short(c.published)} published`,
    errors: (c) => c.lost,
    idle: { published: 0 },
  },
  queue: {
    name: "Queue",
    icon: "M2.5 5.5h15v9h-15Z M6.2 5.5v9 M10 5.5v9 M13.8 5.5v9",
    sum: (c) => {
      const still = waiting(c) - (c.in_flight ?? 0);
      const parts = [still > 0 && `${short(still)} waiting`, c.in_flight > 0 && `${short(c.in_flight)} in flight`];
      return parts.filter(Boolean).join(" · ") || `${short(c.received)} received`;
    },
    waiting,
  },
  "dead-letter-queue": {
    name: "Dead-letter queue",
    icon: "M2.5 5.5h15v9h-15Z M7.4 7.6l5.2 4.8 M12.6 7.6l-5.2 4.8",
    sum: (c) => plural(waiting(c), "message", "messages"),
    errors: (c) => waiting(c),
  },
  database: {
    name: "Database",
    icon: "M3.5 5.2c0-1.4 2.9-2.4 6.5-2.4s6.5 1 6.5 2.4-2.9 2.4-6.5 2.4-6.5-1-6.5-2.4Z " +
      "M3.5 5.2v9.6c0 1.4 2.9 2.4 6.5 2.4s6.5-1 6.5-2.4V5.2 M3.5 10c0 1.4 2.9 2.4 6.5 2.4s6.5-1 6.5-2.4",
    sum: (c) => plural(c.connections, "connection", "connections"),
  },
  secrets: {
    name: "Secret",
    icon: "M6.8 13.2a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8Z M10.2 9.8h7.3v3 M14.2 9.8v2.4",
  },
  schedule: {
    name: "Schedule",
    icon: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14Z M10 6v4.2l2.8 1.8",
  },
  factory: {
    name: "Factory",
    icon: "M2.5 17V9.2l4.6 2.6V9.2l4.6 2.6V3h4l1.8 14Z M6 14.6h1.6 M10 14.6h1.6",
    sum: (c) =>
      c.in_the_making ? `${short(c.in_the_making)} in production` : plural(c.requests, "request", "requests"),
    errors: (c) => c.lost,
  },
  bucket: { name: "Bucket", icon: "M3 4.5h14l-2 12H5Z M3.4 8h13.2", ...called },
  table: { name: "Table", icon: "M3 4h14v12H3Z M3 8h14 M3 12h14 M8 4v12", ...called },
  parameter: { name: "Parameter", icon: "M3 6h14 M3 14h14 M7.5 4v4 M12.5 12v4", ...called },
  "event-bus": { name: "Event bus", icon: "M2.5 10h15 M6 10V5 M10 10v5 M14 10V5", ...called },
  rule: { name: "Rule", icon: "M3 4h14l-5.4 6.4V16l-3.2-1.6v-4Z", ...called },
  "state-machine": {
    name: "State machine",
    icon: "M7 3h6v4H7Z M2.5 13h6v4h-6Z M11.5 13h6v4h-6Z M10 7v3 M5.5 13v-3h9v3",
    ...called,
  },
  key: { name: "Key", icon: "M6 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z M9.5 10H18v3 M14.5 10v2.5", ...called },
};

/** A kind's name for people, or the kind itself if the page does not know it. */
export const kindName = (kind) => kinds[kind]?.name ?? kind;

/** A node's kind and label: "Queue orders". A label that names the kind is enough: "35 alarms". */
export function titleOf({ kind, label }) {
  const name = kindName(kind);
  const named = new RegExp(`(^|\\s)${name}s?$`, "i").test(label);
  return named ? label.charAt(0).toUpperCase() + label.slice(1) : `${name} ${label}`;
}

/** The title of a node's box: its label, with its kind if another node has the same label. */
export const boxTitle = (node, nodes) => (nodes.some((n) => n.id !== node.id && n.label === node.label)
  ? `${node.label} (${kindName(node.kind).toLowerCase()})` : node.label);

/** What a counter counts, in the singular for one: "cold start". */
export const counterName = (name, n) =>
  (n === 1 ? name.replace(/ies$/, "y").replace(/([^s])s$/, "$1") : name).replaceAll("_", " ");

/** A kind's icon, as path data in a box of 20 by 20. */
export const kindIcon = (kind) => kinds[kind]?.icon ?? "M4 4h12v12H4Z";

/**
 * A node's main counters in a few words. Before the first event they are what its kind counts then,
 * if its kind says so, or else its detail.
 */
export function summary(node, counters) {
  const counted = Object.keys(counters ?? {}).length ? counters : kinds[node.kind]?.idle;
  if (counted) {
    const sum = kinds[node.kind]?.sum;
    if (sum) return sum(counted);
    const [name, n] = Object.entries(counted)[0];
    return `${short(n)} ${counterName(name, n)}`;
  }
  return node.detail || kinds[node.kind]?.does || kindName(node.kind);
}

/** How many errors a node's badge shows. */
export const errorsOf = (node, counters) => (counters && kinds[node.kind]?.errors?.(counters)) || 0;

/**
 * How many messages wait in a node, for its gauge, or undefined if its kind has no waiting
 * messages.
 */
export const waitingIn = (node, counters) => (counters ? kinds[node.kind]?.waiting?.(counters) : undefined);

/** The text of a node for screen readers. */
export function spoken(node, counters) {
  const errors = errorsOf(node, counters);
  const parts = [titleOf(node), summary(node, counters)];
  if (errors && node.kind !== "dead-letter-queue") parts.push(count(errors, "error"));
  return parts.join(", ");
}
