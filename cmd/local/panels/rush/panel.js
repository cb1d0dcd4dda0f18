// A rush of buyers: a form that starts it, and its progress.

import { byId, el, keep, setText } from "../../dom.js";
import { clock, count, duration, number } from "../../format.js";
import { request } from "../../stream.js";
import { on, state } from "../../store.js";

/** Starts the panel. */
export function start() {
  byId("rush-form").addEventListener("submit", (e) => {
    e.preventDefault();
    state.rush?.running ? stop() : send();
  });
  on(["stock", "graph"], () => {
    byId("rush").hidden = !state.stock?.products?.length;
    keep(byId("rush-sku"), state.stock?.products ?? [], (p) => p.sku, (p) => el("option", { value: p.sku }),
      (option, p) => setText(option, `${p.name} (${p.sku})`));
  });
  on(["rush", "stock"], draw);
}

async function send() {
  const body = {
    buyers: byId("rush-buyers").valueAsNumber,
    seconds: byId("rush-seconds").valueAsNumber,
    sku: byId("rush-sku").value,
    quantity: byId("rush-quantity").valueAsNumber,
  };
  const missing = Object.entries(body).find(([, v]) => v === "" || Number.isNaN(v));
  if (missing) return say(`Enter a number: ${missing[0]}.`, "bad");
  await control("POST", body);
}

const stop = () => control("DELETE");

async function control(method, body) {
  say(""); // before the request: its answer may come after the outcome
  try {
    await request("panels/rush/", { method, body });
  } catch (error) {
    say(error.message, "bad");
  }
}

function say(text, level = "") {
  byId("rush-status").className = `result ${level}`;
  setText(byId("rush-status"), text);
}

/** When a rush began, and of which product it was. */
const title = (rush) => {
  const name = state.stock?.products?.find((p) => p.sku === rush.sku)?.name;
  return clock(rush.began) + (rush.sku && ` of ${name && name !== rush.sku ? `${name} (${rush.sku})` : rush.sku}`);
};

const outcome = (rush) =>
  `${count(rush.sent, "buyer")} came: ${number(rush.sold)} bought, ` +
  `${number(rush.refused)} were refused${rush.refused ? " (sold out)" : ""}, ` +
  `${number(rush.throttled)} were throttled, ${number(rush.failed)} failed.`;

/** The limits that throttled the buyers of a rush. */
const reasons = (list, rush) =>
  keep(list, rush.throttled_by ?? [], (by) => by.reason, () => el("li"),
    (row, by) => setText(row, `${number(by.buyers)} throttled: ${by.reason}`));

let said = null; // when the rush began whose outcome the page has said; null before the first state

function draw() {
  const rush = state.rush;
  if (rush === undefined) return; // there is no state yet
  byId("rush-run").hidden = !rush;
  const button = byId("rush-start");
  setText(button, rush?.running ? "Stop the rush" : "Start the rush");
  said ??= rush && !rush.running ? rush.began : ""; // it ended before the page was opened
  if (!rush) return;
  setText(byId("rush-of"), `Rush at ${title(rush)}`);
  const progress = byId("rush-progress");
  progress.max = rush.buyers;
  progress.value = rush.sent;
  const figures = [
    ["sent", `${number(rush.sent)} of ${number(rush.buyers)}`],
    ["bought", number(rush.sold)],
    ["refused: sold out", number(rush.refused)],
    ["throttled", number(rush.throttled)],
    ["failed", number(rush.failed)],
    ["p50", duration(rush.p50_ms)],
    ["p99", duration(rush.p99_ms)],
  ];
  const create = ([name]) => el("div", {}, el("dt", {}, name), el("dd"));
  keep(byId("rush-result"), figures, ([name]) => name, create, (row, [name, text]) => {
    setText(row.lastElementChild, text);
    row.classList.toggle("bad", name === "failed" && rush.failed > 0);
  });
  reasons(byId("rush-reasons"), rush);
  // Both panels have advice then. A buyer who waits for another keeps an instance busy.
  const waits = rush.throttled && state.stock?.products?.find((p) => p.sku === rush.sku)?.more_bins;
  setText(byId("rush-first"), waits
    ? "First give the product more bins: buyers who wait for each other keep the instances busy. The stock says how."
    : "");
  const earlier = rush.earlier ?? [];
  byId("rush-earlier").hidden = !earlier.length;
  const entry = () => el("li", {}, el("p"), el("ul", { role: "list" }));
  keep(byId("rush-list"), earlier, (r) => r.began, entry, (row, r) => {
    setText(row.firstElementChild, `${title(r)}: ${outcome(r)}`);
    reasons(row.lastElementChild, r);
  });
  if (!rush.running && said !== rush.began) {
    said = rush.began;
    say(outcome(rush), rush.failed ? "bad" : rush.throttled ? "warned" : "");
  }
}
