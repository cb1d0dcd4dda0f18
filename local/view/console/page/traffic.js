// Messages that move along the edges. The number of dots is bounded: one dot may stand for many
// messages, and is larger then. If the reader prefers less motion, edges light up instead.

import { svg } from "./dom.js";

const MOST = 90; // dots at a time, including those that have not started
const MOST_PER_FLOW = 4; // dots of one edge in one update
const SPEED = 0.32; // pixels per millisecond
const SHORTEST = 380; // milliseconds on an edge, so that the eye can follow
const LONGEST = 1500;
const SAMPLES = 32; // of an edge's path: measuring the path in each frame costs more
const MANY = 30; // with more dots, only every second frame is drawn
const GLOW = 700; // milliseconds that an edge stays lit
const GLOW_FAILED = 2500;

/** Creates the traffic of a picture. Its dots are drawn in an element. */
export function createTraffic(element) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let courses = new Map(); // by edge: its element, its sampled course
  let dots = [];
  const idle = []; // elements for later dots
  let frame = 0;
  let odd = false;

  /** Takes the edges of a new drawing. The dots disappear, because their edges may be gone. */
  function reset(edges) {
    for (const dot of dots) retire(dot);
    dots = [];
    courses = new Map([...edges].map(([id, { edge, element, line }]) =>
      [id, { id, from: edge.from, to: edge.to, element, line }]));
  }

  /**
   * Shows what has moved since the last update. Edges that follow each other light up one after the
   * other, like the messages' path.
   */
  function move({ edges = {}, failed = {} }) {
    if (document.hidden) return;
    const moved = [...Object.entries(edges), ...Object.entries(failed)].map(([id]) => courseOf(id)).filter(Boolean);
    const starts = startsOf(moved);
    for (const [id, n] of Object.entries(edges)) show(id, n - (failed[id] ?? 0), false, starts);
    for (const [id, n] of Object.entries(failed)) show(id, n, true, starts);
  }

  function show(id, n, failed, starts) {
    const course = courseOf(id);
    if (!course || n <= 0) return;
    const start = performance.now() + starts.get(course.id);
    glow(course, failed, calm.matches ? 0 : starts.get(course.id));
    if (calm.matches) return;
    const count = Math.min(n, MOST_PER_FLOW, MOST - dots.length);
    for (let i = 0; i < count; i++) {
      const dot = { size: n / count, start: start + (i * 200) / count, took: tookOf(course) };
      dots.push({ course, reversed: course.id !== id, failed, ...dot });
    }
    frame ||= requestAnimationFrame(draw);
  }

  function draw(now) {
    frame = 0;
    odd = !odd;
    if (odd && dots.length > MANY) {
      frame = requestAnimationFrame(draw);
      return;
    }
    dots = dots.filter((dot) => {
      const progress = (now - dot.start) / dot.took;
      if (progress >= 1) return retire(dot);
      if (progress < 0) return true;
      dot.element ??= dress(idle.pop() ?? element.appendChild(svg("circle")), dot);
      const { x, y } = along(dot.course, dot.reversed ? 1 - progress : progress);
      dot.element.setAttribute("transform", `translate(${x} ${y})`);
      return true;
    });
    if (dots.length) frame = requestAnimationFrame(draw);
  }

  return { reset, move };

  function courseOf(id) {
    const backwards = id.split(">").reverse().join(">"); // a redrive moves messages backwards
    const course = courses.get(id) ?? courses.get(backwards);
    if (course && !course.points) sample(course);
    return course;
  }

  function retire(dot) {
    if (!dot.element) return false;
    dot.element.setAttribute("class", "idle");
    idle.push(dot.element);
    return false;
  }
}

function sample(course) {
  course.length = course.line.getTotalLength();
  course.points = Array.from({ length: SAMPLES + 1 }, (_, i) =>
    course.line.getPointAtLength((course.length * i) / SAMPLES));
}

function along(course, progress) {
  const at = progress * SAMPLES;
  const i = Math.min(SAMPLES - 1, Math.floor(at));
  const [a, b] = [course.points[i], course.points[i + 1]];
  return { x: (a.x + (b.x - a.x) * (at - i)).toFixed(1), y: (a.y + (b.y - a.y) * (at - i)).toFixed(1) };
}

const tookOf = (course) => Math.min(LONGEST, Math.max(SHORTEST, course.length / SPEED));

/** When each edge begins, in milliseconds: after the edges that lead to it. */
function startsOf(courses) {
  const into = Map.groupBy(courses, (c) => c.to);
  const starts = new Map();
  const startOf = (course) => {
    if (starts.has(course.id)) return starts.get(course.id);
    starts.set(course.id, 0); // a cycle ends here
    const before = (into.get(course.from) ?? []).filter((c) => c.id !== course.id);
    const start = Math.max(0, ...before.map((c) => startOf(c) + tookOf(c) * 0.85));
    starts.set(course.id, start);
    return start;
  };
  courses.forEach(startOf);
  return starts;
}

function dress(circle, dot) {
  circle.setAttribute("class", dot.failed ? "dot failed" : "dot");
  circle.setAttribute("r", Math.min(7.5, 3.6 + Math.log2(dot.size)).toFixed(1));
  return circle;
}

function glow(course, failed, after) {
  const name = failed ? "failing" : "moving";
  setTimeout(() => {
    course.element.classList.add(name);
    clearTimeout(course[name]);
    course[name] = setTimeout(() => course.element.classList.remove(name), failed ? GLOW_FAILED : GLOW);
  }, after);
}
