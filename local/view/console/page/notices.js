// Notices at the top of the page: a failed build, and how an edit changed the stack.

import { byId, el, keep, setText } from "./dom.js";
import { clock, count, duration } from "./format.js";
import { on, state } from "./store.js";

/** How long a change of the stack is shown, in milliseconds, unless the reader dismisses it. */
const CHANGE_SHOWN = 60_000;

let dismissed = 0; // the time up to which changes are dismissed
let timer = 0;

/** Starts the notices. */
export function start() {
  on(["build"], build);
  on(["changes"], changes);
  byId("changes-dismiss").addEventListener("click", () => {
    dismissed = Date.now();
    changes();
    byId("main").focus();
  });
}

/**
 * Shows a successful build as a word in the page's head, and a failed one as a notice until a build
 * succeeds.
 */
function build() {
  const { state: now = "ok", what, error, took_ms: took } = state.build ?? {};
  const list = (what ?? []).join(", ") || "functions";
  const pill = byId("built");
  pill.hidden = !state.build || now === "failed";
  pill.classList.toggle("good", now === "ok");
  const built = `${list} built${took ? ` in ${duration(took)}` : ""}`;
  setText(pill, pill.hidden ? "" : now === "building" ? `building ${list}…` : built);

  byId("build").hidden = now !== "failed";
  if (now !== "failed") return;
  setText(byId("build-title"), `${list}: the build fails`);
  setText(byId("build-error"), error ?? "");
  setText(byId("build-note"), "The previous version keeps running.");
}

function changes() {
  const now = Date.now();
  const fresh = (state.changes ?? []).filter((c) => {
    const at = Date.parse(c.time);
    return at > dismissed && now - at < CHANGE_SHOWN;
  });
  const lines = fresh.flatMap((c) => c.lines.map((line, i) => ({ key: `${c.time} ${i}`, line })));
  byId("changes").hidden = lines.length === 0;
  if (lines.length) {
    const differences = count(lines.length, "difference");
    setText(byId("changes-title"), `The stack changed at ${clock(fresh[0].time)}: ${differences}`);
  }
  keep(byId("changes-list"), lines, (l) => l.key, ({ line }) => el("li", { class: mark(line) }, line));
  clearTimeout(timer);
  if (fresh.length) timer = setTimeout(changes, CHANGE_SHOWN - (now - Date.parse(fresh.at(-1).time)) + 50);
}

const mark = (line) => ({ "+": "added", "-": "removed", "~": "altered" })[line.trim()[0]] ?? "altered";
