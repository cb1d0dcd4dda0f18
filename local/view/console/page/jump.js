// Links to the parts of the page. Only a narrow screen shows them: there the picture is long, and
// everything else is below it.

import { byId, el, keep } from "./dom.js";
import { on } from "./store.js";

/** Starts the links. It must start after the panels, which hide what a program does not have. */
export function start() {
  const titles = [...document.querySelectorAll(".parts section:not(#details) h2")];
  on(["graph", "stock", "factory"], () =>
    keep(byId("jump"), titles.filter((t) => !t.closest("section").hidden), (t) => t.id, link));
}

function link(title) {
  title.tabIndex = -1;
  const jump = () => {
    title.focus({ preventScroll: true });
    title.closest("section").scrollIntoView();
  };
  return el("button", { type: "button", class: "link", click: jump }, title.textContent);
}
