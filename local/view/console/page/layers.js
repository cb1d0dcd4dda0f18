// The steps of a layered drawing that concern only order: which edges go backwards, which layer a
// node is in, and the order of the nodes in a layer.

/**
 * Finds the edges that close a cycle, beginning at the nodes where the flow begins. Without them,
 * the graph has no cycle.
 */
export function acyclic(ids, links, isFirst) {
  const out = Map.groupBy(links, (l) => l.from);
  const entered = new Set(links.map((l) => l.to));
  const rank = (id) => (isFirst(id) ? 0 : entered.has(id) ? 2 : 1);
  const back = new Set();
  const mark = new Map(); // "open" while its successors are visited, then "done"
  const visit = (id) => {
    mark.set(id, "open");
    for (const link of out.get(id) ?? []) {
      if (mark.get(link.to) === "open") back.add(link);
      else if (!mark.has(link.to)) visit(link.to);
    }
    mark.set(id, "done");
  };
  for (const id of [...ids].sort((a, b) => rank(a) - rank(b))) if (!mark.has(id)) visit(id);
  return { forward: links.filter((l) => !back.has(l)), back: [...back] };
}

/**
 * Finds each node's layer: the length of its longest path from a beginning. A node that no path
 * from the first beginning reaches is right before the nodes that it leads to: a schedule is right
 * before its function. A node without edges is in the inner layer with the fewest nodes.
 */
export function layersOf(ids, links, isFirst) {
  const out = Map.groupBy(links, (l) => l.from);
  const into = Map.groupBy(links, (l) => l.to);
  const layer = new Map();
  const longest = (id) => {
    if (!layer.has(id)) layer.set(id, Math.max(-1, ...(into.get(id) ?? []).map((l) => longest(l.from))) + 1);
    return layer.get(id);
  };
  ids.forEach(longest);
  const reached = new Set();
  const reach = (id) => {
    if (reached.has(id)) return;
    reached.add(id);
    for (const l of out.get(id) ?? []) reach(l.to);
  };
  ids.filter(isFirst).forEach(reach);
  for (const id of [...ids].sort((a, b) => layer.get(b) - layer.get(a))) {
    if (!reached.has(id) && out.has(id)) layer.set(id, Math.min(...out.get(id).map((l) => layer.get(l.to))) - 1);
  }
  const joined = ids.filter((id) => into.has(id) || out.has(id));
  const depth = 1 + Math.max(0, ...joined.map((id) => layer.get(id)));
  const population = Array(depth).fill(0);
  for (const id of joined) population[layer.get(id)]++;
  for (const id of ids.filter((id) => !joined.includes(id))) {
    const inner = population.map((n, l) => [n, l]).slice(depth > 2 ? 1 : 0, depth > 2 ? -1 : depth);
    const [, l] = inner.reduce((best, each) => (each[0] < best[0] ? each : best));
    layer.set(id, l);
    population[l]++;
  }
  return layer;
}

/** Splits layers that have more nodes than fit into a row. Sizes are in places of a row. */
export function split(ids, layer, size, perRow) {
  const rows = new Map();
  const depth = 1 + Math.max(0, ...layer.values());
  let row = 0;
  for (let l = 0; l < depth; l++) {
    let used = 0;
    for (const id of ids.filter((id) => layer.get(id) === l)) {
      if (used && used + size(id) > perRow) {
        row++;
        used = 0;
      }
      used += size(id);
      rows.set(id, row);
    }
    row++;
  }
  return rows;
}

/**
 * Gives every edge a place in each layer that it crosses, so that it meets no node there. The id of
 * such a place begins with a NUL.
 */
export function withDummies(ids, forward, layer, depth) {
  const rows = Array.from({ length: depth }, () => []);
  for (const id of ids) rows[layer.get(id)].push(id);
  const links = [];
  for (const link of forward) {
    let from = link.from;
    for (let l = layer.get(link.from) + 1; l < layer.get(link.to); l++) {
      const dummy = `\0${link.id}\0${l}`;
      rows[l].push(dummy);
      links.push({ id: link.id, from, to: dummy });
      from = dummy;
    }
    links.push({ id: link.id, from, to: link.to });
  }
  return { links, rows };
}

/**
 * Orders each layer by the barycentre of its neighbours, forwards and backwards, and keeps the
 * order with the fewest crossings.
 */
export function order(rows, links) {
  const out = Map.groupBy(links, (l) => l.from);
  const into = Map.groupBy(links, (l) => l.to);
  let best = rows.map((row) => [...row]);
  let fewest = Infinity;
  for (let round = 0; round < 24 && fewest > 0; round++) {
    const forth = round % 2 === 0;
    for (let k = 1; k < rows.length; k++) {
      const l = forth ? k : rows.length - 1 - k;
      const beside = new Map(rows[forth ? l - 1 : l + 1].map((id, i) => [id, i]));
      const near = (id) => (forth ? (into.get(id) ?? []).map((e) => e.from) : (out.get(id) ?? []).map((e) => e.to));
      const weight = new Map(rows[l].map((id, i) => {
        const places = near(id).map((n) => beside.get(n)).filter((p) => p !== undefined);
        return [id, places.length ? places.reduce((a, b) => a + b) / places.length : i];
      }));
      rows[l].sort((a, b) => weight.get(a) - weight.get(b)); // stable: equal nodes keep their order
    }
    const found = crossings(rows, out);
    if (found < fewest) {
      fewest = found;
      best = rows.map((row) => [...row]);
    }
  }
  best.forEach((row, l) => rows.splice(l, 1, row));
}

function crossings(rows, out) {
  let sum = 0;
  for (let l = 0; l + 1 < rows.length; l++) {
    const next = new Map(rows[l + 1].map((id, i) => [id, i]));
    const ends = rows[l].flatMap((id) => (out.get(id) ?? []).map((e) => next.get(e.to)).sort((a, b) => a - b));
    for (let i = 0; i < ends.length; i++) for (let j = i + 1; j < ends.length; j++) if (ends[i] > ends[j]) sum++;
  }
  return sum;
}
