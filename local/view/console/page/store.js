// What the page knows of the run, and who wants to hear of it. However fast it changes, it is drawn at most once a frame.

/** The run's state, as GET /state has it; that of each panel is under its name. */
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

/** A node of the picture, by id; undefined if there is none. */
export const node = (id) => state.graph.nodes.find((n) => n.id === id);

const listeners = new Map(); // by topic
const changed = new Set(); // topics that await the next frame
let frame = 0;

/**
 * Calls a function in the frame after any of the topics has changed, once, however often they have. Topics are the keys of the state, and
 * whatever else a part of the page tells the others of.
 */
export function on(topics, listener) {
  for (const topic of topics) {
    if (!listeners.has(topic)) listeners.set(topic, new Set());
    listeners.get(topic).add(listener);
  }
}

/** Says that topics have changed. */
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
      reportError(error); // one part that fails does not keep the others from drawing
    }
  }
}

/** Takes over the whole state, or what of it has changed. */
export function merge(part) {
  const { panels, ...others } = part;
  for (const [key, value] of Object.entries({ ...others, ...panels })) {
    state[key] = value;
    tell(key);
  }
}
