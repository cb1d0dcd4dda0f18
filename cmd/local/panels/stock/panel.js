// Stock and open production orders over time: a small plot for each product.

import { byId, el, keep, setText, setAttribute, svg } from "../../dom.js";
import { clock, count, duration, number } from "../../format.js";
import { searchFor, select } from "../../selection.js";
import { each, on, state, tell } from "../../store.js";
import { words } from "../../words.js";

const MOST = 6; // plots; the panel counts further products
const WIDTH = 320;
const HEIGHT = 72;
const TOP = 6;
/**
 * The least time that a plot spans, in milliseconds, so that a run that has just begun does not
 * fill it.
 */
const SPAN = 60_000;
const MOST_SPAN = 600_000;
/** How many points a series keeps: ten minutes, with a point each second. */
const SERIES_POINTS = 600;

/** Starts the panel. */
export function start() {
  each("stock", plot);
  on(["stock", "marks", "search", "second"], draw);
  setInterval(() => tell("second"), 1000); // the time axis moves although nothing changes
}

let facts = ""; // what the names of journeys say of products: see business.go

/** Journeys get other names when the console learns more of the products. */
function renameJourneys(products) {
  const now = JSON.stringify(products.map((p) => [p.sku, p.name, p.automatic, p.status]));
  if (now !== facts) tell("names");
  facts = now;
}

let series = []; // the points of the plots, with their times in milliseconds

/**
 * Takes the series of a full state. An update of the state has no series: it adds a point. A second
 * has one point, its last.
 */
function plot(stock) {
  if (!stock?.products) return;
  if (stock.series) {
    series = stock.series.map(({ time, products }) => ({ at: Date.parse(time), products }));
    return;
  }
  const point = { at: Date.now(), products: Object.fromEntries(stock.products.map((p) => [p.sku, p])) };
  const others = series.length && second(series.at(-1)) === second(point) ? series.slice(0, -1) : series;
  series = [...others, point].slice(-SERIES_POINTS);
}

const second = (point) => Math.floor(point.at / 1000);

function draw() {
  const products = state.stock?.products ?? [];
  byId("stock").hidden = products.length === 0;
  renameJourneys(products);
  // Searched products come first, then those with a hint, then those that changed last.
  const searches = words();
  const searched = (p) => searches.some((isIn) => isIn(`${p.sku} ${p.name}`));
  const hinted = (p) => Boolean(p.more_bins) || (p.stock <= 0 && !p.automatic && !p.on_order);
  const first = (a, b) =>
    searched(b) - searched(a) || hinted(b) - hinted(a) || Date.parse(b.changed ?? 0) - Date.parse(a.changed ?? 0);
  const sorted = products.length <= MOST ? products : products.toSorted(first);
  const shown = sorted.slice(0, MOST);
  keep(byId("plots"), shown, (p) => p.sku, create, update);
  const hints = [...document.querySelectorAll("#plots .hint")].some((hint) => hint.textContent);
  const target = state.stock?.target ?? "";
  setText(byId("stock-shop"), !hints ? "" : "The command shop: make shop installs it." +
    (target.includes("FILE") ? " FILE is the file of this run's flag -ready." : ""));
  const others = sorted.slice(MOST);
  const more = byId("plots-more");
  more.hidden = !others.length;
  setText(more.querySelector("summary"), count(others.length, "more product"));
  keep(more.querySelector("ul"), others, (p) => p.sku, entry, (row, p) => {
    setText(row.firstElementChild, p.name);
    setText(row.lastElementChild, level(p));
  });
}

/** A product without a plot. Its button searches the product: then it has one. */
const entry = ({ sku }) =>
  el("li", {}, el("button", { type: "button", class: "link", click: () => searchFor(sku) }), " ", el("span"));

/** A command of the merchant's command line, for this run. */
const shop = (command, rest) => `shop ${command} ${state.stock.target} ${rest}`;

/** What is on hand and on order. */
const level = (p) => (p.stock <= 0 ? "sold out" : `${number(p.stock)} on hand`) +
  (p.on_order ? `, ${number(p.on_order)} on order` : "");

function create({ sku }) {
  return el("figure", {},
    el("figcaption", {},
      el("button", { type: "button", class: "link name", click: () => searchFor(sku) }), el("span", { class: "now" })),
    el("p", { class: "sold" }), hint("manual"), el("p", { class: "order" }),
    svg("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
      svg("path", { class: "grid", d: `M0 ${TOP}H${WIDTH}M0 ${HEIGHT}H${WIDTH}` }),
      ...["area-stock", "series-on-order", "series-stock"].map((name) => svg("path", { class: name }))),
    el("p", { class: "scale" }, el("span"), el("span")),
    hint("bins"));
}

/** A text that ends with a command. */
const hint = (name) => el("p", { class: `${name} hint` }, el("span"), el("span", { class: "command" }));

function setHint(hint, text = "", command = "") {
  setText(hint.firstElementChild, text);
  setText(hint.lastElementChild, command);
}

/** Which request has sold the last piece. */
function sold({ time, journey, request }) {
  const by = request || "a request that the console did not see";
  return el("span", {}, `Sold out at ${clock(time)}`,
    journey && [" by ", el("button", { type: "button", class: "link", click: () => select("journey", journey) }, by)]);
}

const isLate = (order) => order.overdue || Date.now() > Date.parse(order.expected_at);

/** When an open production order is expected, and what the sweep does if it does not come. */
function ordered(order) {
  const expected = clock(order.expected_at);
  if (!isLate(order)) return `Expected at ${expected}.`;
  const late = `${order.overdue ? "Overdue" : "Late"}: expected at ${expected}.`;
  if (!order.published) return `${late} The sweep publishes its message.`;
  return [
    late,
    order.asks > 1 && `The factory was asked ${order.asks} times.`,
    Date.now() > Date.parse(order.expires_at) && "The message of the request has expired.",
    `The sweep ${order.gives_up ? "gives up" : "asks again"} after ${clock(order.patience_ends)}.`,
  ].filter(Boolean).join(" ");
}

function update(figure, product) {
  const end = Date.now();
  const points = series
    .map((s) => ({ at: s.at, ...s.products?.[product.sku] }))
    .filter((p) => p.stock !== undefined && p.at > end - MOST_SPAN);
  if (points.length) points.push({ ...points.at(-1), at: end });
  const begin = Math.min(points[0]?.at ?? end, end - SPAN);
  const most = Math.max(1, ...points.map((p) => Math.max(p.stock, p.on_order)));
  const x = (at) => (((at - begin) / (end - begin)) * WIDTH).toFixed(1);
  const y = (n) => (HEIGHT - (n / most) * (HEIGHT - TOP)).toFixed(1);
  const steps = (key) => points.map((p, i) => (i ? `H${x(p.at)}V${y(p[key])}` : `M${x(p.at)} ${y(p[key])}`)).join("");
  const stock = steps("stock");

  const soldOut = product.stock <= 0;
  figure.classList.toggle("sold-out", soldOut);
  const name = figure.querySelector(".name");
  setText(name, product.name);
  setAttribute(name, "aria-label", `${product.name}: search ${product.sku}`);
  const mark = soldOut ? state.marks?.[`sold out ${product.sku}`] : undefined;
  keep(figure.querySelector(".sold"), mark ? [mark] : [], (m) => m.time + m.journey + m.request, sold);
  setHint(figure.querySelector(".manual"), ...product.automatic || product.on_order ? []
    : ["Not ordered automatically. To order it: ", shop("open", product.sku)]);
  const order = figure.querySelector(".order");
  setText(order, product.order ? ordered(product.order) : "");
  order.classList.toggle("late", Boolean(product.order) && isLate(product.order));
  setText(figure.querySelector(".now"), level(product));
  setHint(figure.querySelector(".bins"), ...!product.more_bins ? []
    : [`Buyers wait for each other: it has ${count(product.bins, "bin")}. More bins may help: `,
      shop("set", `${product.sku} --bins ${product.more_bins}`)]);
  const plot = figure.querySelector(".plot");
  const span = duration(end - begin);
  const low = points.length ? Math.min(...points.map((p) => p.stock)) : product.stock;
  const high = points.length ? Math.max(...points.map((p) => p.stock)) : product.stock;
  setAttribute(plot, "aria-label",
    `${product.name}: ${number(product.stock)} on hand, ${number(product.on_order)} on order. ` +
      `In the last ${span}, between ${number(low)} and ${number(high)} were on hand.`);
  setAttribute(plot.querySelector(".series-stock"), "d", stock);
  setAttribute(plot.querySelector(".series-on-order"), "d", steps("on_order"));
  setAttribute(plot.querySelector(".area-stock"), "d", points.length ? `${stock}V${HEIGHT}H${x(points[0].at)}Z` : "");
  const [left, right] = figure.querySelectorAll(".scale span");
  setText(left, `${span} ago`);
  setText(right, `most ${number(most)}`);
}
