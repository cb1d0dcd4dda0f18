// What the program declares about a function: what it may do, its environment, its code and builds.

import { el } from "./dom.js";
import { clock, duration } from "./format.js";
import { select } from "./selection.js";

/** Creates the facts of a function. */
export function create() {
  const may = el("ul", { class: "may", role: "list" });
  const environment = el("dl", { class: "attributes" });
  const code = el("dl", { class: "attributes" });
  const element = el("section", { "aria-label": "Facts", hidden: true },
    el("h3", {}, "What it may do"), may,
    el("details", {}, el("summary", {}, "Environment"), environment),
    el("details", {}, el("summary", {}, "Code, role and builds"), code));
  let shown = "";
  return {
    element,
    show({ facts }) {
      element.hidden = !facts;
      const key = JSON.stringify(facts ?? null);
      if (!facts || key === shown) return; // what is open stays open
      shown = key;
      may.replaceChildren(...(facts.may?.map(permission) ?? [el("li", {}, "Nothing: its role has no policy.")]));
      environment.replaceChildren(...(facts.environment ?? []).map(({ name, value }) => row(name, value)));
      code.replaceChildren(row("source", facts.source), row("declared in", facts.declared_in), row("role", facts.role),
        ...(facts.builds ?? []).map((b) => row("built", built(b))));
    },
  };
}

/** Creates the facts of a resource: its ARN, and which functions may do what with it. */
export function createResource() {
  const arn = el("code");
  const who = el("ul", { class: "may", role: "list" });
  const element = el("section", { "aria-label": "Facts", hidden: true },
    el("p", { class: "arn" }, arn), el("h3", {}, "Who may do what"), who);
  let shown = "";
  return {
    element,
    show({ resource }) {
      element.hidden = !resource;
      const key = JSON.stringify(resource ?? null);
      if (!resource || key === shown) return;
      shown = key;
      arn.textContent = resource.arn;
      who.replaceChildren(...(resource.who.length
        ? resource.who.map(grant)
        : [el("li", {}, "No function's role names it.")]));
    },
  };
}

/** A statement about the resource, with the function that it is for. */
function grant({ node, function: name, effect, actions, condition }) {
  return el("li", {},
    el("button", { type: "button", class: "link", click: () => select("node", node) }, name),
    effect === "Deny" ? el("strong", { class: "deny" }, " never ") : " ",
    el("code", {}, actions.join(", ")),
    condition && el("span", { class: "soft" }, ` · if ${condition}`));
}

const row = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));

const built = ({ state, time, took_ms: took, error }) =>
  `${clock(time)}${took ? ` in ${duration(took)}` : ""}${state === "ok" ? "" : `, failed: ${error ?? ""}`}`;

function permission({ effect, actions, on, condition }) {
  const targets = (on ?? []).flatMap((t, i) => [i ? ", " : "", t.node
    ? el("button", { type: "button", class: "link", click: () => select("node", t.node) }, t.text) : t.text]);
  return el("li", {},
    effect === "Deny" && el("strong", { class: "deny" }, "never "),
    el("code", {}, actions.join(", ")), " on ", targets,
    condition && el("span", { class: "soft" }, ` · if ${condition}`));
}
