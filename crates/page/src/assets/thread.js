// Threads: the nested view, and what a message answers.

import { ask } from "./api.js";

const pane = document.getElementById("thread");
const body = document.getElementById("thread-body");
const hover = document.getElementById("hover");
const DEEPEST = 6;
const REFRESH = 2_000;
let shown = null;
let refresh = null;

const draw = (message) => {
  const holder = document.createElement("div");
  holder.className = "row";
  holder.dataset.number = message.number;
  holder.dataset.depth = Math.min(message.depth ?? 0, DEEPEST);
  holder.innerHTML = message.html;
  return holder;
};

// Tells whether what was asked for is still wanted, once it is here.
const fill = async () => {
  const asked = shown;
  const params = new URLSearchParams({ draw: "1" });
  const { messages, more } = await ask(`thread/${encodeURIComponent(asked.name)}`, params);
  if (shown !== asked) return false;
  // People may have scrolled while the answer was on its way.
  const at = body.scrollTop;
  body.replaceChildren(...messages.map(draw));
  if (more) body.append("… and more: the viewer's --thread shows all.");
  body.querySelector(`[data-number="${shown.number}"]`)?.firstElementChild?.classList.add("current");
  body.scrollTop = at;
  return true;
};

// Shows the conversation of a message beside the list.
export const open = async (message) => {
  const name = message?.message_id ?? message?.in_reply_to ?? message?.context_id;
  if (!name) return;
  shown = { name, number: message.number };
  if (!(await fill())) return;
  pane.hidden = false;
  body.querySelector(".current")?.scrollIntoView({ block: "center" });
  body.focus({ preventScroll: true });
};

export const isOpen = () => !pane.hidden;

export const close = () => {
  shown = null;
  pane.hidden = true;
  body.replaceChildren();
};

// Something came that may belong to it.
export const refreshSoon = () => {
  if (!shown || refresh) return;
  refresh = setTimeout(() => {
    refresh = null;
    if (shown) fill().catch(() => {});
  }, REFRESH);
};

// The message of that name, as far as it is recorded.
export const find = async (name) => {
  const value = /^\\*!/.test(name) ? `\\${name}` : name;
  const params = new URLSearchParams({ id: value, limit: "1", order: "oldest", draw: "1" });
  const { messages } = await ask("messages", params);
  return messages[0];
};

let wanted = null;
export const preview = async (target) => {
  wanted = target.dataset.reply;
  const message = await find(wanted).catch(() => null);
  if (!message || wanted !== target.dataset.reply) return;
  hover.replaceChildren(draw(message));
  hover.hidden = false;
  const place = target.getBoundingClientRect();
  const room = hover.getBoundingClientRect();
  const above = place.top - room.height - 6;
  hover.style.top = `${above > 0 ? above : place.bottom + 6}px`;
  hover.style.left = `${Math.max(8, Math.min(place.left, innerWidth - room.width - 8))}px`;
};

export const endPreview = () => {
  wanted = null;
  hover.hidden = true;
};
