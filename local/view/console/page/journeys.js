// The list of the latest journeys: what each request has caused.

import { byId, el, keep, setText } from "./dom.js";
import { clock, count, duration, number } from "./format.js";
import { request } from "./stream.js";
import { on, tell } from "./store.js";
import { found } from "./search.js";
import { select, selection } from "./selection.js";
import { throttled } from "./throttle.js";

let latest = []; // newest first

const refresh = throttled(1000, async () => {
  latest = (await request("journeys")) ?? [];
  tell("journeys");
});

const filters = {
  all: () => true,
  notable: (j) => j.notable,
  trouble: (j) => j.level === "WARN" || j.level === "ERROR",
};

/** Starts the list. */
export function start() {
  byId("journeys-filter").addEventListener("change", () => tell("journeys"));
  on(["connection", "names"], refresh); // a panel tells "names" when journeys get other names
  on(["journeys", "search", "selection"], list);
}

/** Requests the list again if an event belongs to a journey. */
export function touched(event) {
  if (event.journey || event.shared) refresh();
}

/** Clears the list, when a new run begins. */
export function forget() {
  latest = [];
  refresh();
}

function list() {
  const all = found()?.journeys ?? latest;
  const shown = all.filter(filters[byId("journeys-filter").value]);
  const { kind, id } = selection();
  byId("journeys-none").hidden = shown.length > 0;
  if (latest.length) setText(byId("journeys-none"), "No journey matches.");
  keep(byId("journeys"), shown, (j) => j.id, create, (row, j) => {
    const button = row.firstElementChild;
    button.className = `journey ${levelClass(j.level)}`;
    button.setAttribute("aria-pressed", String(kind === "journey" && id === j.id));
    setText(button.querySelector(".summary"), j.summary);
    const like = j.like ? ` · and ${number(j.like)} like it` : "";
    const missing = j.partial ? ", some lost" : j.cut ? `, ${number(j.cut)} more not kept` : "";
    setText(button.querySelector(".facts"),
      `${clock(j.began)} · ${duration(j.took_ms)} · ${count(j.steps, "step")}${missing}${like}`);
    setText(button.querySelector(".level"), levelWord(j.level));
  });
}

function create(journey) {
  return el("li", {},
    el("button", { type: "button", click: () => select("journey", journey.id) },
      el("span", { class: "summary" }), el("span", { class: "level" }), el("span", { class: "facts" })));
}

const levelClass = (level) => ({ WARN: "warned", ERROR: "failed" })[level] ?? "";
const levelWord = (level) => ({ WARN: "warning", ERROR: "error" })[level] ?? "";
