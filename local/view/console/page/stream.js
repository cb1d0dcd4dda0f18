// The run's event stream, GET /events. The browser reconnects by itself and sends the id of the
// last event that it has seen. The server counts the events that it could not send.

import { nameOf } from "./format.js";
import { merge, tell } from "./store.js";

/**
 * The state of the stream: whether it is connected, and how many events this page did not get, in
 * all and by part.
 */
export const connection = { connected: false, dropped: 0, parts: {} };

/** How long to wait before reconnecting if the browser has given up, in milliseconds. */
const RETRY = 2000;

const KEPT = "not shown"; // the key in the tab's storage

/** Adds what this tab did not get of the run before it was loaded again. */
function recall(began) {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  if (kept.began !== began) return;
  connection.dropped += kept.dropped;
  for (const part of kept.parts) connection.parts[part.name] ??= { ...part, seconds: new Set(part.seconds) };
  tell("connection");
}

function remember(began) {
  const parts = Object.values(connection.parts).map((part) => ({ ...part, seconds: [...part.seconds] }));
  sessionStorage.setItem(KEPT, JSON.stringify({ began, dropped: connection.dropped, parts }));
}

/**
 * Follows the stream while the page is open. It calls event for each event, omitted with the number
 * of events of a part in a second that do not come, flow for each update of moved messages, and
 * restarted when a new run has begun.
 */
export function follow({ event, omitted, flow, restarted }) {
  let run = ""; // when the run that the page shows began
  let lastSeq = 0;
  let lastID = ""; // of the last event: where a new connection goes on

  function beginNewRun() {
    lastSeq = 0;
    connection.dropped = 0;
    connection.parts = {};
    restarted();
  }

  function open() {
    const source = new EventSource(lastID ? `events?since=${lastID}` : "events");
    let past = lastSeq === 0; // events before the first state happened before the page was opened
    const data = (handle) => (message) => handle(JSON.parse(message.data));
    source.addEventListener("open", () => set(true));
    source.addEventListener("error", () => {
      set(false);
      if (source.readyState !== EventSource.CLOSED) return; // the browser retries
      setTimeout(open, RETRY);
    });
    source.addEventListener("run", data(({ began }) => {
      if (!run) recall(began);
      else if (began !== run) beginNewRun();
      run = began;
    }));
    source.addEventListener("event", (message) => {
      const e = JSON.parse(message.data);
      if (e.seq <= lastSeq) return; // seen before the reconnect
      lastSeq = e.seq;
      lastID = message.lastEventId;
      event(e);
    });
    source.addEventListener("flow", data(flow));
    source.addEventListener("state", data((part) => {
      past = false;
      merge(part);
    }));
    source.addEventListener("dropped", data((dropped) => {
      if (!past) {
        connection.dropped += dropped.events;
        for (const part of dropped.parts ?? []) {
          const name = nameOf(part.node) || part.part || "the run";
          const known = (connection.parts[name] ??= { name, events: 0, seconds: new Set(), last: part.second });
          known.events += part.events;
          known.seconds.add(part.second);
          known.last = part.second;
          omitted(part);
        }
        remember(run);
      }
      tell("connection");
    }));
  }

  function set(connected) {
    connection.connected = connected;
    tell("connection");
  }

  open();
}

/**
 * Sends a request to the console: the default is GET. If the answer is an error, it throws an Error
 * with the console's text.
 */
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
