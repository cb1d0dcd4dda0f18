// Where the nodes and edges of the picture go: a layered drawing in the manner of Sugiyama, Tagawa
// and Toda (1981). It works for any graph, and does not use the document.
//
//   - Messages flow along the main axis: from left to right if the width allows it, else from top
//     to bottom.
//   - Stores (databases, secrets), and functions that only the deployment invokes, are in a row of
//     their own below. Lines to them run as rails through the gutters between the layers, where
//     they meet no node. Lines between them run below the row.
//   - A dead-letter queue is beside its queue, across the flow.
//   - An edge that goes backwards, such as a callback, returns through a lane of its own, around
//     the layers.

import { acyclic, layersOf, split, withDummies, order } from "./layers.js";
import { place } from "./place.js";

const STORES = new Set(["database", "secrets", "bucket", "table", "parameter", "key"]);
const NODE = { minWidth: 116, maxWidth: 168, height: 54 };
const GUTTER = { min: 36, max: 96 };
const GAP = 17; // between nodes of a layer
const DUMMY = 9; // the size of an edge's place in a layer that it crosses
const LANE = 8; // between rails, and between lanes
const PAD = 10;
const LEADIN = 14; // from a node to the nearest rail or lane

/**
 * Lays a graph out for a width, in pixels. It returns the size of the drawing, the nodes' boxes by
 * id, in reading order, each with the rank of its layer, and the edges by id: path data, the
 * position and the angle of the arrow's tip, and whether the edge is a rail.
 */
export function layout(graph, width) {
  const model = analyse(graph);
  const depth = 1 + Math.max(0, ...model.layer.values());
  const rails = LEADIN + LANE * model.stores.length;
  const least = 2 * PAD + rails + depth * NODE.minWidth + (depth - 1) * GUTTER.min;
  const storeRow = model.stores.length * (NODE.minWidth + GUTTER.min);
  return Math.max(least, storeRow) <= width ? right(model, depth, width, rails) : down(model, width, rails);
}

/**
 * Separates the flow from the stores and from the nodes beside others, and finds each node's layer.
 */
function analyse(graph) {
  const nodes = new Map(graph.nodes.map((n) => [n.id, n]));
  const edges = graph.edges.filter((e) => nodes.has(e.from) && nodes.has(e.to) && e.from !== e.to);
  const isStore = (id) => STORES.has(nodes.get(id).kind) || Boolean(nodes.get(id).deploys);

  const beside = new Map(); // dead-letter queue → its queue
  for (const e of edges) {
    const isDead = (id) => nodes.get(id).kind === "dead-letter-queue";
    const isPair = isDead(e.to) && !isDead(e.from) && !isStore(e.from);
    if (isPair && !beside.has(e.to)) beside.set(e.to, e.from);
  }
  const host = (id) => beside.get(id) ?? id;

  const flowing = [...nodes.keys()].filter((id) => !isStore(id) && !beside.has(id));
  const flow = edges.filter((e) => !isStore(e.from) && !isStore(e.to) && host(e.from) !== host(e.to));
  const links = flow.map((e) => ({ id: e.id, from: host(e.from), to: host(e.to), edge: e }));
  const { forward, back } = acyclic(flowing, links, (id) => nodes.get(id).kind === "callers");
  return {
    nodes,
    flowing,
    forward,
    back,
    layer: layersOf(flowing, forward, (id) => nodes.get(id).kind === "callers"),
    guests: Map.groupBy(beside.keys(), (id) => beside.get(id)),
    asides: edges.filter((e) => host(e.from) === host(e.to)),
    rails: edges.filter((e) => isStore(e.from) !== isStore(e.to)),
    between: edges.filter((e) => isStore(e.from) && isStore(e.to)),
    stores: [...nodes.keys()].filter(isStore),
  };
}

/** Left to right: a layer is a column, and the stores are below. */
function right(model, depth, width, rails) {
  const available = width - 2 * PAD - rails;
  const storeWidth = width / Math.max(1, model.stores.length) - GUTTER.min;
  const layerWidth = Math.max(NODE.minWidth, (available - (depth - 1) * GUTTER.min) / depth);
  const boxWidth = Math.floor(Math.min(NODE.maxWidth, storeWidth, layerWidth));
  const gutter = depth > 1 ? Math.min(GUTTER.max, (available - depth * boxWidth) / (depth - 1)) : 0;
  const spare = Math.max(0, (available - depth * boxWidth - (depth - 1) * gutter) / 2);
  const axis = {
    mainSize: boxWidth,
    crossSize: NODE.height,
    start: PAD + spare,
    pitch: boxWidth + gutter,
    gap: GAP,
    available: Infinity,
  };
  const drawing = compose(model, arrange(model, model.layer, depth), axis, (main, cross) => ({ x: main, y: cross }));
  const top = drawing.lanes * LANE + (drawing.lanes ? LEADIN : PAD);
  drawing.moveCross(top - drawing.crossStart());

  const bottom = drawing.crossEnd();
  const railTop = bottom + LEADIN;
  const storeRow = railTop + LANE * model.stores.length + LEADIN;
  const centres = model.stores.map((id) => {
    const lines = model.rails.filter((e) => e.from === id || e.to === id);
    const users = lines.map((e) => drawing.box(e.from === id ? e.to : e.from));
    return users.reduce((sum, b) => sum + b.main + boxWidth + gutter / 2, 0) / Math.max(1, users.length);
  });
  const byPlace = model.stores.map((_, i) => i).sort((a, b) => centres[a] - centres[b]);
  const reach = (boxWidth + GUTTER.min) / 2;
  const placed = place(byPlace.map((i) => ({ want: centres[i], before: reach, after: reach })), 0, width);
  byPlace.forEach((i, rank) => drawing.put(model.stores[i], placed[rank] - boxWidth / 2, storeRow));

  drawing.railways((edge, user, store, index, port) => {
    const lane = user.main + boxWidth + LEADIN + LANE * index;
    const rail = railTop + LANE * index;
    const entry = store.main + boxWidth / 2;
    return [[user.main + boxWidth, port], [lane, port], [lane, rail], [entry, rail], [entry, storeRow]];
  });
  drawing.returns((k) => top - LEADIN - LANE * k);
  drawing.between();
  const below = model.between.length ? LEADIN + LANE * model.between.length : 0;
  const height = (model.stores.length ? storeRow + NODE.height + below : bottom) + PAD;
  return drawing.result(width, height);
}

/**
 * Top to bottom: a layer is a row, or several rows if it does not fit into one. The stores are the
 * last rows.
 */
function down(model, width, rails) {
  const lanes = model.back.length ? LEADIN + LANE * model.back.length : PAD;
  const margin = model.stores.length ? rails : PAD;
  const available = width - lanes - margin;
  const gap = 12;
  const perRow = Math.max(2, Math.min(6, Math.floor((available + gap) / (NODE.minWidth + gap))));
  const size = (id) => 1 + (model.guests.get(id)?.length ?? 0);
  const layer = split(model.flowing, model.layer, size, perRow);
  const depth = 1 + Math.max(0, ...layer.values());
  const arranged = arrange(model, layer, depth);
  const widths = arranged.rows.map((row) => {
    const boxes = row.filter(isNode);
    const places = boxes.reduce((sum, id) => sum + size(id), 0);
    return (available - DUMMY * (row.length - boxes.length)) / Math.max(1, places) - gap;
  });
  const widest = Math.floor((available - (perRow - 1) * gap) / perRow);
  const boxWidth = Math.max(64, Math.floor(Math.min(NODE.maxWidth, widest, ...widths)));
  const gutter = GUTTER.min + LANE * Math.max(0, model.stores.length - 2);
  const axis = { mainSize: NODE.height, crossSize: boxWidth, start: PAD, pitch: NODE.height + gutter, gap, available };
  const drawing = compose(model, arranged, axis, (main, cross) => ({ x: cross, y: main }));
  const spread = drawing.crossEnd() - drawing.crossStart();
  drawing.moveCross(lanes - drawing.crossStart() + Math.max(0, (available - spread) / 2));

  const way = model.back.length ? LEADIN : 0; // for backward edges from the last row, beside the rails
  const storeRow = PAD + depth * (NODE.height + gutter) + way;
  const rowOf = (i) => Math.floor(i / perRow);
  const inRow = (i) => Math.min(perRow, model.stores.length - rowOf(i) * perRow);
  model.stores.forEach((id, i) => {
    const indent = (available - inRow(i) * (boxWidth + gap) + gap) / 2;
    drawing.put(id, storeRow + rowOf(i) * (NODE.height + gutter), lanes + indent + (i % perRow) * (boxWidth + gap));
  });
  const crossEnd = Math.max(lanes + available, drawing.crossEnd());
  drawing.railways((edge, user, store, index, port) => {
    const lane = user.main + NODE.height + LEADIN - 4 + LANE * index;
    const rail = crossEnd + LEADIN - 4 + LANE * index;
    const last = store.main - LEADIN - LANE * (model.stores.length - 1 - index) + 2;
    const entry = store.cross + boxWidth / 2;
    const start = [user.main + NODE.height, port];
    return [start, [lane, port], [lane, rail], [last, rail], [last, entry], [store.main, entry]];
  });
  drawing.returns((k) => lanes - LEADIN + 4 - LANE * k);
  drawing.between();
  const below = model.between.length ? LEADIN + LANE * model.between.length : 0;
  const rows = depth + (model.stores.length ? rowOf(model.stores.length - 1) + 1 : 0);
  const height = PAD + rows * (NODE.height + gutter) + way - gutter + below + PAD;
  return drawing.result(Math.max(width, crossEnd + margin), height);
}

/** Puts the nodes of a model, and the places of crossing edges, into rows, and orders each row. */
function arrange(model, layer, depth) {
  const arranged = withDummies(model.flowing, model.forward, layer, depth);
  order(arranged.rows, arranged.links);
  return arranged;
}

/**
 * Places the flow of a model in abstract coordinates, main and cross. The drawing's result has the
 * edges too.
 */
function compose(model, { links, rows }, axis, point) {
  const guests = (id) => model.guests.get(id) ?? [];
  const boxes = new Map();
  const anchors = align(rows, links, guests, axis);
  rows.forEach((row, l) => {
    for (const id of row) {
      const main = axis.start + l * axis.pitch;
      if (!isNode(id)) boxes.set(id, { main: main + axis.mainSize / 2, cross: anchors.get(id), dummy: true });
      else [id, ...guests(id)].forEach((member, i) => {
        const cross = anchors.get(id) - axis.crossSize / 2 + i * (axis.crossSize + axis.gap);
        boxes.set(member, { main, cross, layer: l });
      });
    }
  });
  const edges = new Map();
  const drawing = {
    lanes: model.back.length,
    box: (id) => boxes.get(id),
    put: (id, main, cross) => boxes.set(id, { main, cross }),
    crossStart: () => Math.min(...[...boxes.values()].map((b) => b.cross - (b.dummy ? DUMMY / 2 : 0))),
    crossEnd: () => Math.max(...[...boxes.values()].map((b) => b.cross + (b.dummy ? DUMMY / 2 : axis.crossSize))),
    moveCross(by) {
      for (const b of boxes.values()) b.cross += by;
    },

    /** Draws the lines to and from stores, as rails. The caller computes their course. */
    railways(course) {
      const used = Map.groupBy(model.rails, (e) => (boxes.get(e.from).layer === undefined ? e.to : e.from));
      for (const [user, lines] of used) {
        for (const e of lines) {
          const store = e.from === user ? e.to : e.from;
          const index = model.stores.indexOf(store);
          const stores = lines.map((l) => model.stores.indexOf(l.from === user ? l.to : l.from));
          const rank = stores.sort((a, b) => a - b).indexOf(index);
          const step = Math.min(LANE, axis.crossSize / 2 / (lines.length + 1));
          const port = boxes.get(user).cross + axis.crossSize * 0.74 + (rank - (lines.length - 1) / 2) * step;
          const points = course(e, boxes.get(user), boxes.get(store), index, port);
          if (e.from !== user) points.reverse();
          edges.set(e.id, { ...polyline(points.map((p) => point(...p)), 7), rail: true });
        }
      }
    },

    /** Draws the edges that go backwards, the longest outermost. */
    returns(laneAt) {
      const span = (l) => Math.abs(boxes.get(l.edge.from).main - boxes.get(l.edge.to).main);
      [...model.back].sort((a, b) => span(a) - span(b)).forEach((link, k) => {
        const from = boxes.get(link.edge.from);
        const to = boxes.get(link.edge.to);
        const out = from.main + axis.mainSize + LEADIN + 2;
        const into = to.main - LEADIN - 4;
        const leave = from.cross + axis.crossSize * 0.26;
        const enter = to.cross + axis.crossSize * 0.26;
        const lane = laneAt(k);
        const start = [from.main + axis.mainSize, leave];
        const points = [start, [out, leave], [out, lane], [into, lane], [into, enter], [to.main, enter]];
        edges.set(link.id, polyline(points.map((p) => point(...p)), 9));
      });
    },

    /** Draws the lines between stores, each in a lane of its own below or above its row. */
    between() {
      const size = point(axis.mainSize, axis.crossSize);
      model.between.forEach((e, k) => {
        const [from, to] = [e.from, e.to].map((id) => point(boxes.get(id).main, boxes.get(id).cross));
        const up = to.y < from.y;
        const aside = (k - (model.between.length - 1) / 2) * LANE;
        const [left, right] = [from.x + size.x / 2 + aside, to.x + size.x / 2 + aside];
        const start = up ? from.y : from.y + size.y;
        const lane = start + (up ? -1 : 1) * (LEADIN + LANE * k);
        const end = to.y > from.y ? to.y : to.y + size.y;
        const corners = [[left, start], [left, lane], [right, lane], [right, end]];
        edges.set(e.id, { ...polyline(corners.map(([x, y]) => ({ x, y })), 7), rail: true });
      });
    },

    result(width, height) {
      drawForward(model.forward, links, boxes, axis, point, edges);
      for (const e of model.asides) edges.set(e.id, aside(boxes.get(e.from), boxes.get(e.to), axis, point));
      const size = point(axis.mainSize, axis.crossSize);
      const inOrder = [...boxes].filter(([, b]) => !b.dummy)
        .sort(([, a], [, b]) => rank(a) - rank(b) || a.main - b.main || a.cross - b.cross);
      const nodes = new Map(inOrder.map(([id, b]) =>
        [id, { ...point(b.main, b.cross), width: size.x, height: size.y, rank: rank(b) }]));
      return { width, height, nodes, edges };
    },
  };
  return drawing;
}

/** Whether an id is a node's, and not the id of an edge's place in a layer. */
const isNode = (id) => !id.startsWith("\0");

/** The rank of a box's layer. The stores' rank is the last. */
const rank = (box) => box.layer ?? Infinity;

/**
 * Finds the middle, across the flow, of each node and of each crossing edge: close to its
 * neighbours, without overlap.
 */
function align(rows, links, guests, axis) {
  const half = (axis.crossSize + axis.gap) / 2;
  const extent = (id) => isNode(id)
    ? { before: half, after: half + guests(id).length * (axis.crossSize + axis.gap) }
    : { before: DUMMY / 2, after: DUMMY / 2 };
  const anchors = new Map();
  const outside = (id) => (isNode(id) ? axis.gap / 2 : 0); // an outermost node needs no gap
  const put = (row, wants) => {
    if (!row.length) return;
    place(wants, -outside(row[0]), axis.available + outside(row.at(-1))).forEach((c, i) => anchors.set(row[i], c));
  };
  const want = Number.isFinite(axis.available) ? axis.available / 2 : 0;
  for (const row of rows) put(row, row.map((id) => ({ want, ...extent(id) })));
  const into = Map.groupBy(links, (l) => l.to);
  const out = Map.groupBy(links, (l) => l.from);
  const before = (id) => (into.get(id) ?? []).map((l) => l.from);
  const after = (id) => (out.get(id) ?? []).map((l) => l.to);
  const mean = (ids) => ids.reduce((sum, id) => sum + anchors.get(id), 0) / ids.length;
  for (let round = 0; round < 12; round++) {
    const sweep = round % 2 ? [...rows].reverse() : rows;
    for (const row of sweep) {
      const wants = row.map((id) => {
        const near = round % 2 ? after(id) : before(id);
        const all = near.length ? near : [...before(id), ...after(id)];
        // A node without edges stays close to the others.
        return { want: all.length ? mean(all) : mean(row), weight: all.length ? 1 : 0.01, ...extent(id) };
      });
      put(row, wants);
    }
  }
  return anchors;
}

/** Draws the edges that follow the flow, through their places in the layers between. */
function drawForward(forward, links, boxes, axis, point, edges) {
  const parts = Map.groupBy(links, (l) => l.id);
  const routes = forward.map((link) => {
    const stops = parts.get(link.id).slice(0, -1).map((l) => boxes.get(l.to));
    return { link, from: boxes.get(link.edge.from), to: boxes.get(link.edge.to), stops };
  });
  const middle = (b) => (b.dummy ? b.cross : b.cross + axis.crossSize / 2);
  // Edges leave and enter a side in the order of the nodes at their other ends, so that they do not
  // cross at the node.
  const spread = (end, toward, share) => {
    for (const group of Map.groupBy(routes, (r) => r.link.edge[end]).values()) {
      group.sort((a, b) => middle(toward(a)) - middle(toward(b)));
      const step = Math.min(9, (axis.crossSize * share) / group.length);
      group.forEach((r, i) => (r[end + "At"] = (i - (group.length - 1) / 2) * step));
    }
  };
  spread("from", (r) => r.stops[0] ?? r.to, 0.5);
  spread("to", (r) => r.stops.at(-1) ?? r.from, 0.7);
  for (const r of routes) {
    const path = [[r.from.main + axis.mainSize, middle(r.from) + r.fromAt]];
    for (const s of r.stops) path.push([s.main - axis.mainSize / 2, s.cross], [s.main + axis.mainSize / 2, s.cross]);
    path.push([r.to.main, middle(r.to) + r.toAt]);
    let d = "";
    path.forEach(([main, cross], i) => {
      const p = point(main, cross);
      if (i === 0) d = `M${xy(p)}`;
      else if (i % 2 === 0) d += `L${xy(p)}`; // straight through a layer
      else {
        const [main0, cross0] = path[i - 1];
        const bend = (main - main0) * 0.5;
        d += `C${xy(point(main0 + bend, cross0))} ${xy(point(main - bend, cross))} ${xy(p)}`;
      }
    });
    const tip = point(...path.at(-1));
    edges.set(r.link.id, { d, tip: { ...tip, angle: point(1, 0).x ? 0 : 90 } });
  }
}

/** Draws an edge between neighbours across the flow: a queue and its dead-letter queue. */
function aside(from, to, axis, point) {
  const ahead = to.cross > from.cross;
  const middle = from.main + axis.mainSize * (ahead ? 0.5 : 0.6);
  const ends = ahead ? [from.cross + axis.crossSize, to.cross] : [from.cross, to.cross + axis.crossSize];
  return polyline(ends.map((cross) => point(middle, cross)), 0);
}

/** A line through points with rounded corners, and the tip of its arrow. */
function polyline(points, radius) {
  const corners = points.filter((p, i) => i === 0 || p.x !== points[i - 1].x || p.y !== points[i - 1].y);
  let d = `M${xy(corners[0])}`;
  for (let i = 1; i < corners.length - 1; i++) {
    const [a, b, c] = [corners[i - 1], corners[i], corners[i + 1]];
    const r = Math.min(radius, distance(a, b) / 2, distance(b, c) / 2);
    d += `L${xy(toward(b, a, r))}Q${xy(b)} ${xy(toward(b, c, r))}`;
  }
  const [before, tip] = corners.slice(-2);
  const angle = (Math.atan2(tip.y - before.y, tip.x - before.x) * 180) / Math.PI;
  return { d: d + `L${xy(tip)}`, tip: { ...tip, angle } };
}

const distance = (a, b) => Math.hypot(b.x - a.x, b.y - a.y);
const toward = (from, to, by) => {
  const length = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * by) / length, y: from.y + ((to.y - from.y) * by) / length };
};
const xy = (p) => `${Math.round(p.x * 10) / 10} ${Math.round(p.y * 10) / 10}`;
