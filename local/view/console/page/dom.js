// Functions that create elements and keep them in step with data. Text is always set as text, never
// as markup, so that the text of a message or of a log line cannot run scripts.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Creates an HTML element. A property that is a function becomes a listener ("click"), null and
 * false are left out, and true becomes an attribute without a value.
 */
export function el(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

/** Creates an SVG element, with properties like el. */
export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => ![null, undefined, false, ""].includes(child)));
  return element;
}

/**
 * Sets an element's text if it differs: an unchanged live region stays silent, and the browser does
 * not lay the page out again.
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute if it differs, or removes it if the value is null, undefined or false. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/**
 * Updates an element's children to match a list: one child for each item, in the items' order. It
 * finds existing children by key and updates them in place, so that a focused or open child stays
 * so.
 */
export function keep(parent, items, key, create, update = () => {}) {
  const kept = parent.kept ?? new Map();
  // Removed children go first: moving a child past them would take its focus away.
  const present = new Set(items.map(key));
  for (const [id, child] of kept) if (!present.has(id)) child.remove();
  const children = new Map();
  let next = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    const child = kept.get(id) ?? create(item);
    update(child, item);
    children.set(id, child);
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  parent.kept = children;
}

/** The element of the document that has an id. */
export const byId = (id) => document.getElementById(id);
