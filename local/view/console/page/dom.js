// Elements, made and kept in step with data. Text is always set as text, never as markup: what a message, a log line or a compiler says
// is shown, not run.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an HTML element. Properties that are functions are listeners ("click"), those that are null or false are left out, and true is
 * an attribute without a value.
 */
export function el(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

/** Makes an SVG element, in the same way. */
export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

/** Sets an element's text where it differs: an unchanged live region stays silent, and nothing is laid out anew. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets or, for null, removes an attribute, where it differs. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/**
 * Keeps an element's children in step with a list: one child an item, in the items' order, found again by key. Children that stay are
 * updated where they are, so that what has the focus, or is open, keeps it.
 */
export function keep(parent, items, key, create, update = () => {}) {
  const kept = parent.kept ?? new Map();
  // What is gone is removed first: a child that is moved past it would lose the focus.
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
