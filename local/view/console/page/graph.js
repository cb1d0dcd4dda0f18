// The picture of the stack. It is drawn from the graph alone: nodes are buttons, and messages move
// along edges.

import { byId, el, setAttribute, setText, svg } from "./dom.js";
import { boxTitle, errorsOf, kindIcon, spoken, summary, waitingIn } from "./kinds.js";
import { layout } from "./layout.js";
import { createTraffic } from "./traffic.js";
import { short } from "./format.js";
import { on, state } from "./store.js";
import { denials } from "./denials.js";
import { selection, select } from "./selection.js";

const frameOf = byId("picture-frame");
const picture = byId("picture");

let drawn = null; // the graph and the width of the current drawing
let nodes = new Map(); // by id: the node and the elements of its button
let edges = new Map(); // by id: the edge and its elements
const layers = ["edges", "traffic", "nodes", "locks", "labels"].map((name) => svg("g", { class: name }));
const [edgeLayer, trafficLayer, nodeLayer, lockLayer, labelLayer] = layers;
const traffic = createTraffic(trafficLayer);

/** Draws now, and again whenever something changes. */
export function start() {
  picture.append(...layers);
  on(["graph", "denials", "changes"], redraw);
  on(["counters", "faults", "graph"], recount);
  on(["denials", "changes", "graph"], lock);
  on(["selection", "journey", "graph", "denials"], highlight);
  new ResizeObserver(redraw).observe(frameOf);
}

/** Shows messages that move along edges: flow has how many moved, and how many failed, by edge. */
export function move(flow) {
  traffic.move(flow);
}

/**
 * The graph with the edges that a policy denies. They are not part of the stack's graph; the
 * picture shows where they are missing.
 */
function shown() {
  const { nodes, edges } = state.graph;
  const there = new Set(edges.map((e) => e.id));
  const ids = new Set(nodes.map((n) => n.id));
  const missing = denials()
    .map(({ edge: id }) => {
      const [from, to] = id.split(">");
      return { id, from, to, label: "not allowed", missing: true };
    })
    .filter((e) => !there.has(e.id) && ids.has(e.from) && ids.has(e.to))
    .filter((e, i, all) => all.findIndex((other) => other.id === e.id) === i);
  return { nodes, edges: [...edges, ...missing] };
}

function redraw() {
  const graph = shown();
  const width = Math.floor(frameOf.clientWidth);
  const shownNodes = graph.nodes.map((n) => [n.id, n.label, n.kind]);
  const key = JSON.stringify([shownNodes, graph.edges.map((e) => [e.id, e.label])]);
  if (!width || !graph.nodes.length || (drawn?.key === key && drawn.width === width)) return;
  const focused = document.activeElement?.closest?.("#picture [data-node]")?.dataset.node;
  drawn = { key, width };
  const plan = layout(graph, width);
  setAttribute(picture, "viewBox", `0 0 ${plan.width} ${plan.height}`);
  setAttribute(picture, "width", plan.width);
  setAttribute(picture, "height", plan.height);

  edges = new Map();
  for (const e of graph.edges) if (plan.edges.has(e.id)) edges.set(e.id, drawEdge(e, plan.edges.get(e.id)));
  const byDepth = [...edges.values()].sort((a, b) => Boolean(b.plan.rail) - Boolean(a.plan.rail));
  edgeLayer.replaceChildren(...byDepth.map((e) => e.element));

  nodes = new Map();
  for (const [id, box] of plan.nodes) nodes.set(id, drawNode(graph.nodes.find((n) => n.id === id), box));
  const ranks = Map.groupBy(nodes.values(), (n) => n.box.rank);
  nodeLayer.replaceChildren(...[...ranks.values()].map((rank) => svg("g", {}, rank.map((n) => n.element))));
  labelLayer.replaceChildren();
  traffic.reset(edges);
  recount();
  lock();
  highlight();
  nodes.get(focused)?.button.focus();
}

function drawEdge(edge, plan) {
  const line = svg("path", { class: "line", d: plan.d });
  const { x, y, angle } = plan.tip;
  const tip = svg("path", { class: "tip", d: "M-7 -4 0 0l-7 4Z", transform: `translate(${x} ${y}) rotate(${angle})` });
  const hit = svg("path", { class: "hit", d: plan.d });
  const element = svg("g", {
    class: ["edge", plan.rail && "rail", edge.missing && "missing"].filter(Boolean).join(" "),
    "data-edge": edge.id,
    mouseenter: () => label([edge.id]),
    mouseleave: () => label(focusEdges()),
  }, line, tip, hit);
  return { edge, plan, element, line };
}

const LEFT = 14; // distance of a node's text from its left edge
const RIGHT = 8;
const SUM = 36; // the same of its second line, which is beside the icon
const family = getComputedStyle(document.body).fontFamily;

function drawNode(node, box) {
  const available = box.width - LEFT - RIGHT;
  const text = boxTitle(node, state.graph.nodes);
  const size = [13, 12.5, 12, 11.5, 11].find((s) => widthOf(text, `600 ${s}px ${family}`) <= available) ?? 11;
  const title = svg("text", { class: "title", x: LEFT, y: 22, "font-size": size },
    fitted(text, available, `600 ${size}px ${family}`, 0.5));
  const sum = svg("text", { class: "sum", x: SUM, y: 42 });
  const badge = svg("g", { class: "badge", "aria-hidden": "true", transform: `translate(${box.width - 4} 0)` },
    svg("rect", { y: -10, height: 20, rx: 10 }), svg("text", { y: 4 }));
  const gauge = svg("rect", { class: "gauge", x: LEFT, y: box.height - 4, width: 0, height: 3, rx: 1.5 });
  const stripe = `M10 0H5V${box.height}H10A10 10 0 0 1 0 ${box.height - 10}V10A10 10 0 0 1 10 0Z`;
  // The visible text may be cut to fit, and screen readers skip it: the button over it has the full
  // text.
  const visible = svg("g", { "aria-hidden": "true" },
    svg("rect", { class: "box", width: box.width, height: box.height, rx: 10 }),
    svg("path", { class: "stripe", d: stripe }),
    svg("path", { class: "icon", d: kindIcon(node.kind), transform: "translate(12 28) scale(0.95)" }),
    title, sum, gauge);
  const button = svg("rect", {
    class: "button",
    role: "button",
    tabindex: 0,
    width: box.width,
    height: box.height,
    rx: 10,
    click: () => select("node", node.id),
    keydown: (e) => {
      if (e.key !== "Enter" && e.key !== " ") return;
      e.preventDefault();
      select("node", node.id);
    },
    focus: () => label(edgesOf(node.id)),
    blur: () => label([]),
    mouseenter: () => label(edgesOf(node.id)),
    mouseleave: () => label(focusEdges()),
  });
  const tooltip = svg("title"); // a mouse shows the full text too
  const element = svg("g", {
    class: `node kind-${node.kind}`,
    "data-node": node.id,
    transform: `translate(${box.x} ${box.y})`,
  }, tooltip, visible, button, badge); // the badge is over the frame of the focus
  return { node, box, element, button, tooltip, sum, badge, gauge, most: 10 };
}

const pen = el("canvas").getContext("2d");

function widthOf(text, font) {
  pen.font = font;
  return pen.measureText(text).width;
}

/**
 * A text that fits into a width. If it is cut, an ellipsis stands before its end: the share of the
 * characters that the end gets. Names often differ at their ends only, such as those of a queue and
 * its dead-letter queue.
 */
function fitted(text, width, font, end = 0) {
  if (widthOf(text, font) <= width) return text;
  const cut = (kept) => {
    const last = Math.floor(kept * end);
    return `${text.slice(0, kept - last)}…${text.slice(text.length - last)}`;
  };
  let kept = text.length - 1;
  while (kept > 1 && widthOf(cut(kept), font) > width) kept--;
  return cut(kept);
}

/** Shows the counters of the nodes. It changes only texts that differ. */
function recount() {
  for (const n of nodes.values()) {
    const counters = state.counters?.[n.node.id];
    const fault = state.faults?.[n.node.id] ?? "";
    const sum = fault || summary(n.node, counters);
    if (n.shownSum !== sum) setText(n.sum, fitted(sum, n.box.width - SUM - 5, `11.5px ${family}`));
    n.shownSum = sum;
    n.element.classList.toggle("faulty", Boolean(fault));
    const full = [spoken(n.node, counters), fault].filter(Boolean).join(", ");
    setAttribute(n.button, "aria-label", full);
    setText(n.tooltip, full);

    const errors = errorsOf(n.node, counters);
    n.element.classList.toggle("failing", errors > 0);
    if (n.errors !== errors) {
      const text = errors ? short(errors) : "";
      const width = Math.max(20, 10 + text.length * 7);
      setText(n.badge.lastChild, text);
      setAttribute(n.badge.firstChild, "width", width);
      setAttribute(n.badge.firstChild, "x", -width / 2);
    }
    n.errors = errors;

    const waiting = Math.max(0, waitingIn(n.node, counters) ?? 0);
    n.most = Math.max(n.most, waiting);
    setAttribute(n.gauge, "width", Math.round((n.box.width - LEFT - RIGHT) * Math.min(1, waiting / n.most)));
  }
}

/**
 * Shows a lock where a policy denied a call: on the edge, or on the node if there is no such edge.
 */
function lock() {
  const marks = new Map();
  for (const d of denials()) {
    const at = edges.get(d.edge)?.line ? middle(edges.get(d.edge).line, 0.5) : corner(nodes.get(d.node)?.box);
    if (at) marks.set(d.edge || d.node, { at, text: [...(marks.get(d.edge || d.node)?.text ?? []), d.text] });
  }
  lockLayer.replaceChildren(...[...marks.values()].map(({ at, text }) =>
    svg("g", { class: "lock", transform: `translate(${at.x} ${at.y})` },
      svg("title", {}, text.join("\n")),
      svg("circle", { r: 12 }),
      svg("path", { d: "M-4.5 -1h9v6.5h-9Z M-2.8 -1v-2a2.8 2.8 0 0 1 5.6 0v2" }))));
  for (const [id, e] of edges) e.element.classList.toggle("denied", marks.has(id));
}

const middle = (line, share) => line.getPointAtLength(line.getTotalLength() * share);
const corner = (box) => box && { x: box.x + box.width / 2, y: box.y };

/** Highlights the selected node, or the path of the open journey. */
function highlight() {
  const { kind, id } = selection();
  const steps = kind === "journey" ? (state.journey?.steps ?? []) : [];
  const path = new Set(steps.flatMap((s) => [s.node, s.edge]));
  const failed = new Set(steps.filter((s) => s.level === "ERROR" || s.level === "WARN").map((s) => s.edge));
  for (const step of steps) {
    const e = edges.get(step.edge)?.edge;
    if (e) path.add(e.from).add(e.to);
  }
  picture.classList.toggle("tracing", path.size > 0);
  for (const [nodeID, n] of nodes) {
    n.element.classList.toggle("on-path", path.has(nodeID));
    n.element.classList.toggle("open", kind === "node" && id === nodeID);
    setAttribute(n.button, "aria-pressed", String(kind === "node" && id === nodeID));
  }
  for (const [edgeID, e] of edges) {
    e.element.classList.toggle("on-path", path.has(edgeID));
    e.element.classList.toggle("broken", failed.has(edgeID));
  }
}

const edgesOf = (id) => [...edges.values()].filter((e) => e.edge.from === id || e.edge.to === id).map((e) => e.edge.id);

function focusEdges() {
  const node = document.activeElement?.closest?.("#picture [data-node]")?.dataset.node;
  return node ? edgesOf(node) : [];
}

/** Highlights some edges, and shows their labels if there is space for them. */
function label(ids) {
  for (const [id, e] of edges) e.element.classList.toggle("near", ids.includes(id));
  const taken = [...nodes.values()].map(({ box }) => ({ x: box.x, y: box.y, width: box.width, height: box.height }));
  const chips = [];
  for (const id of ids) {
    const { edge, line } = edges.get(id);
    if (!edge.label) continue;
    const total = Number(picture.getAttribute("width"));
    const text = fitted(edge.label, Math.min(320, total - 18), `11.5px ${family}`); // its node's panel has all of it
    const width = widthOf(text, `11.5px ${family}`) + 14;
    const boxes = [0.5, 0.35, 0.65, 0.25, 0.75].map((share) => middle(line, share)).map((p) => ({
      x: Math.max(2, Math.min(total - width - 2, p.x - width / 2)), y: p.y - 10, width, height: 20,
    }));
    const box = boxes.find((b) => !taken.some((t) => overlap(b, t))) ?? (ids.length === 1 ? boxes[0] : null);
    if (!box) continue; // the node's panel has the label too
    taken.push(box);
    chips.push(svg("g", { class: "label", transform: `translate(${box.x} ${box.y})` },
      svg("rect", { width, height: 20, rx: 6 }), svg("text", { x: width / 2, y: 14 }, text)));
  }
  labelLayer.replaceChildren(...chips);
}

const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Moves the focus back to a node after its panel has closed. */
export function focusNode(id) {
  nodes.get(id)?.button.focus();
}
