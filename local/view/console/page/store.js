// The data of the page, and the parts of the page that listen to its changes. The page is drawn at
// most once a frame, however fast the data change.

/** The run's state, as in GET /state. The state of each panel is under its name. */
export const state = {
  graph: { nodes: [], edges: [] },
  counters: {},
  dead_letters: [],
  faults: {},
  build: null,
  changes: [],
  stream: null,
  endpoints: {},
};

/** A node of the picture by id, or undefined. */
export const node = (id) => state.graph.nodes.find((n) => n.id === id);

const listeners = new Map(); // by topic
const changed = new Set(); // topics that have changed since the last frame
let frame = 0;

/**
 * Calls a listener once in the frame after one or more of its topics have changed. Topics are the
 * keys of the state, and names that parts of the page choose.
 */
export function on(topics, listener) {
  for (const topic of topics) {
    if (!listeners.has(topic)) listeners.set(topic, new Set());
    listeners.get(topic).add(listener);
  }
}

const takers = new Map(); // by key of the state

/**
 * Calls a taker at once with each value of a key of the state. A listener misses values: a hidden
 * page draws no frames.
 */
export function each(key, taker) {
  takers.set(key, taker);
}

/** Marks topics as changed. */
export function tell(...topics) {
  for (const topic of topics) changed.add(topic);
  frame ||= requestAnimationFrame(draw);
}

function draw() {
  frame = 0;
  const due = new Set();
  for (const topic of changed) for (const listener of listeners.get(topic) ?? []) due.add(listener);
  changed.clear();
  for (const listener of due) {
    try {
      listener();
    } catch (error) {
      reportError(error); // the other parts are still drawn
    }
  }
}

/** Copies a whole state, or changed parts of it, into the state. */
export function merge(part) {
  const { panels, ...others } = part;
  for (const [key, value] of Object.entries({ ...others, ...panels })) {
    state[key] = value;
    takers.get(key)?.(value);
    tell(key);
  }
}
