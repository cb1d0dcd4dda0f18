/**
 * Places items along a line as close to their wanted positions as possible, in their order and
 * without overlap: it minimizes the weighted sum of the squared distances, by pooling adjacent
 * violators. An item occupies "before" and "after" around its position. No item crosses the bounds,
 * if they leave enough space.
 */
export function place(items, low = -Infinity, high = Infinity) {
  let offset = 0;
  const offsets = items.map((item, i) => (offset += i ? items[i - 1].after + item.before : 0));
  const pools = [];
  items.forEach((item, i) => {
    const weight = item.weight ?? 1;
    pools.push({ sum: weight * (item.want - offsets[i]), weight, size: 1 });
    while (pools.length > 1 && mean(pools.at(-2)) > mean(pools.at(-1))) {
      const last = pools.pop();
      const into = pools.at(-1);
      into.sum += last.sum;
      into.weight += last.weight;
      into.size += last.size;
    }
  });
  const first = items[0];
  const last = items.at(-1);
  const most = items.length ? high - last.after - offsets.at(-1) : high;
  const least = items.length ? low + first.before : low;
  return pools
    .flatMap((pool) => Array(pool.size).fill(Math.max(least, Math.min(most, mean(pool)))))
    .map((at, i) => at + offsets[i]);
}

const mean = (pool) => pool.sum / pool.weight;
