// The run's event stream, GET /events. The browser comes back by itself when it breaks off, and says which event it saw last; what the
// stream could not keep up with is counted.

import { merge, tell } from "./store.js";

/** The stream as it is: connected or not, and how many events this page has not been sent. */
export const connection = { connected: false, dropped: 0 };

/** How long to wait where the browser has given up, in milliseconds. */
const RETRY = 2000;

/**
 * Follows the stream for as long as the page is open. The handlers hear of each event, of each sum of moved messages, and of a run that
 * has begun anew.
 */
export function follow({ event, flow, restarted }) {
  let lastSeq = 0;
  let lastTime = 0;
  let whole = false; // whether the whole state is known: until then a part of it would be drawn before what it is about

  /** The whole state: at first, and whenever the stream has broken off, for what changed meanwhile was not sent. */
  async function refresh() {
    const now = await request("state");
    if ((now.stream?.events ?? 0) < lastSeq) beginAnew();
    whole = true;
    merge(now);
  }

  function beginAnew() {
    lastSeq = 0;
    restarted();
  }

  function open() {
    const source = new EventSource("events");
    let past = lastSeq === 0; // what is told until the first state comes happened before the page was opened
    const data = (handle) => (message) => handle(JSON.parse(message.data));
    source.addEventListener("open", () => {
      set(true);
      refresh().catch(() => {}); // the stream breaks off as well, and opens again
    });
    source.addEventListener("error", () => {
      set(false);
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again
      setTimeout(open, RETRY);
    });
    source.addEventListener("event", data((e) => {
      const time = Date.parse(e.time);
      if (e.seq <= lastSeq) {
        if (time <= lastTime) return; // seen before the stream broke off
        beginAnew(); // the numbers are another run's
      }
      lastSeq = e.seq;
      lastTime = Math.max(lastTime, time);
      event(e);
    }));
    source.addEventListener("flow", data(flow));
    source.addEventListener("state", data((part) => {
      past = false;
      if (whole) merge(part);
    }));
    source.addEventListener("dropped", data((dropped) => {
      if (!past) connection.dropped += dropped.events;
      tell("connection");
    }));
  }

  function set(connected) {
    connection.connected = connected;
    tell("connection");
  }

  open();
}

/** Asks the console: GET, or with a body POST. An answer that is no success is an error with the console's own words. */
export async function request(path, { method = "GET", body } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      cache: "no-store",
      ...(body !== undefined && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new Error("The local run does not answer. Is it still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The console answers ${response.status}.`);
  return answer;
}
