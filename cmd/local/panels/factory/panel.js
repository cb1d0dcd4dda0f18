// The factory: buttons that set its faults, and the lots that it makes.

import { byId, el, keep, setText } from "../../dom.js";
import { clock, count, number } from "../../format.js";
import { request } from "../../stream.js";
import { on, state } from "../../store.js";

const MOST = 8; // lots in the list
// The steps' names are data of the factory. The log has them too.
const STEPS = ["시작", "준비", "생산", "포장", "종료"];
const ENGLISH = { 시작: "begun", 준비: "prepared", 생산: "produced", 포장: "packed", 종료: "done" };

const value = (id) => Number(byId(id).value);

// For each button: the fault that it sets, and whether a fault is this one.
const faults = {
  works: { set: () => ({}), is: (f) => Object.keys(f).length === 0 },
  slow: { set: () => ({ delay_ms: value("fault-delay") * 1000 }), is: (f) => f.delay_ms > 0 },
  fails: { set: () => ({ status: value("fault-status") }), is: (f) => f.status > 0 },
  hangs: { set: () => ({ answer: "hang" }), is: (f) => f.answer === "hang" },
  disconnects: { set: () => ({ answer: "disconnect" }), is: (f) => f.answer === "disconnect" },
  garbage: { set: () => ({ answer: "garbage" }), is: (f) => f.answer === "garbage" },
  twice: { set: () => ({ deliveries: 2 }), is: (f) => f.deliveries > 1 },
  short: { set: () => ({ count: byId("fault-count").value }), is: (f) => Boolean(f.count) },
};

/** Starts the panel. */
export function start() {
  for (const button of document.querySelectorAll("[data-fault]")) {
    button.addEventListener("click", () => set(faults[button.dataset.fault].set()));
  }
  for (const [id, name] of [["fault-delay", "slow"], ["fault-status", "fails"], ["fault-count", "short"]]) {
    byId(id).addEventListener("keydown", (e) => {
      if (e.key === "Enter") set(faults[name].set());
    });
  }
  byId("factory-lose").addEventListener("click", () =>
    set({ lose: true }, "The factory has lost all lots in production."));
  on(["factory"], draw);
}

async function set(fault, done = "") {
  const result = byId("factory-result");
  try {
    await request("panels/factory/faults", { method: "POST", body: fault });
    result.className = "result warned"; // what it has done is a fault
    setText(result, done);
  } catch (error) {
    result.className = "result bad";
    setText(result, error.message);
  }
}

function draw() {
  const factory = state.factory;
  byId("factory").hidden = !factory;
  if (!factory) return;
  const fault = factory.fault ?? {};
  const pill = byId("factory-fault");
  setText(pill, factory.fault_text || "works");
  pill.classList.toggle("bad", Boolean(factory.fault_text));
  pill.classList.toggle("good", !factory.fault_text);
  for (const button of document.querySelectorAll("[data-fault]")) {
    button.setAttribute("aria-pressed", String(faults[button.dataset.fault].is(fault)));
  }
  const lots = factory.requests ?? [];
  byId("lots-none").hidden = lots.length > 0;
  keep(byId("lots"), lots.slice(0, MOST), (lot) => `${lot.time} ${lot.id}`, create, update);
}

function create() {
  return el("li", {},
    el("span", { class: "lot" }), el("span", { class: "soft when" }),
    el("progress", { max: STEPS.length - 1, value: 0, "aria-label": "Steps done" }),
    el("span", { class: "step-name" }));
}

function update(row, lot) {
  const deliveries = lot.deliveries ?? [];
  const at = Math.max(0, STEPS.indexOf(lot.step));
  setText(row.querySelector(".lot"), `${number(Number(lot.quantity))} × ${lot.sku}`);
  setText(row.querySelector(".when"), clock(lot.time));
  row.querySelector("progress").value = at;
  const step = ENGLISH[lot.step] ? `${ENGLISH[lot.step]} (${lot.step})` : lot.step;
  const refused = deliveries.filter((d) => d.error || d.status >= 400);
  const delivered = refused.length
    ? `${step}, ${count(refused.length, "delivery", "deliveries")} refused: ${refused[0].error || refused[0].status}`
    : deliveries.length ? `${step}, delivered${deliveries.length > 1 ? ` ${deliveries.length} times` : ""}` : step;
  const other = deliveries.find((d) => d.count !== lot.quantity)?.count; // a fault of the factory
  const of = other === undefined ? "" : ` (${other} of ${lot.quantity})`;
  row.querySelector("progress").hidden = !lot.id;
  setText(row.querySelector(".step-name"), lot.lost ? "lost" : lot.id ? delivered + of : "requested, but not made");
  const made = at === STEPS.length - 1 ? "done" : "making";
  row.className = lot.lost || !lot.id ? "lost" : refused.length ? "refused" : made;
}
