// Filters: what is chosen, and values to choose from.

import { ask } from "./api.js";
import * as view from "./view.js";

const KINDS = [["senders", "sender"], ["topics", "topic"], ["tiers", "tier"], ["tags", "tag"], ["chains", "chain"], ["keys", "key"]];
const SHOWN = 12;

const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

const chosen = document.getElementById("chosen");
const facets = document.getElementById("facets");

export const drawChosen = () => {
  const chips = Array.from(view.filters()).filter(([name]) => name !== "ignore_case");
  chosen.replaceChildren(...chips.map(([name, value]) => {
    const isNot = value.startsWith("!");
    const label = isNot ? `not ${name} ${value.slice(1)}` : `${name} ${value}`;
    const button = make("button", { type: "button", className: isNot ? "chip not" : "chip" }, `${label} ×`);
    button.setAttribute("aria-label", `Remove filter: ${label}`);
    button.addEventListener("click", () => view.remove(name, value));
    return button;
  }));
  for (const button of facets.querySelectorAll("button.value")) mark(button);
};

const mark = (button) => {
  const { name, value } = button.dataset;
  button.setAttribute("aria-pressed", String(view.has(name, value)));
};

const facet = (title, name, values, isAll) => {
  const shown = isAll ? values : values.slice(0, SHOWN);
  const items = shown.map(({ name: value, messages, kind }) => {
    const button = make("button", { type: "button", className: `value${kind === undefined ? "" : ` k${kind}`}` },
      make("span", { className: "label" }, value || "(empty)"), make("span", { className: "number" }, messages.toLocaleString("en")));
    button.dataset.name = name;
    button.dataset.value = value;
    mark(button);
    button.addEventListener("click", (event) => view.toggle(name, value, event.altKey || event.shiftKey));
    const not = make("button", { type: "button", className: "not" }, "not");
    not.setAttribute("aria-label", `Without ${name} ${value}`);
    not.addEventListener("click", () => view.toggle(name, value, true));
    return make("li", {}, button, not);
  });
  const section = make("details", { open: name === "sender" || name === "topic" }, make("summary", {}, `${title} (${values.length})`), make("ul", {}, ...items));
  if (shown.length < values.length) {
    const more = make("button", { type: "button", className: "more" }, `all ${values.length}`);
    more.addEventListener("click", () => section.replaceWith(facet(title, name, values, true)));
    section.append(more);
  }
  return section;
};

export const drawFacets = async () => {
  const all = await ask("values");
  const kinds = KINDS.filter(([kind]) => all[kind].length);
  facets.replaceChildren(...kinds.map(([kind, name]) => facet(kind[0].toUpperCase() + kind.slice(1), name, all[kind], false)));
};
