// The page: puts its parts together.

import { ask } from "./api.js";
import * as charts from "./charts.js";
import * as filters from "./filters.js";
import * as list from "./list.js";
import * as live from "./live.js";
import * as thread from "./thread.js";
import * as view from "./view.js";

const by = (id) => document.getElementById(id);
const found = by("found");
const unread = { first: null, count: 0 };
let shownFilters = null;
let total = null;
const opened = new Set();

const number = (count) => count.toLocaleString("en");

const tellFound = () => {
  const count = list.messageCount();
  const isSome = view.filters().size > 0;
  const text = isSome && total !== null ? `${number(count)} of ${number(total)} messages match` : `${number(count)} messages`;
  found.textContent = flow.isFast ? `${text} · ${number(flow.rate)} a second: not all are drawn as they come` : text;
};

const tellUnread = () => {
  by("newest").hidden = unread.count === 0;
  by("newest").textContent = `${number(unread.count)} new ↓`;
  document.title = unread.count ? `(${unread.count}) Conversation` : "Conversation";
};

const haveRead = () => {
  unread.count = 0;
  tellUnread();
};

// Up to this many a second are drawn one by one. Of more, one could read none: the newest are
// drawn twice a second, and all the others are there where one scrolls back.
const FAST = 100;
const SAMPLE = 500;
const flow = { counts: [], rate: 0, isFast: false, timer: null };

const measure = (count) => {
  const now = performance.now();
  flow.counts.push([now, count]);
  while (flow.counts[0][0] < now - 1_000) flow.counts.shift();
  flow.rate = flow.counts.reduce((sum, [, each]) => sum + each, 0);
  flow.isFast = flow.rate > FAST;
};

const drawSample = () => {
  flow.timer = null;
  list.catchUp();
  measure(0);
  tellFound();
  if (flow.isFast) flow.timer = setTimeout(drawSample, SAMPLE);
};

const add = (count, runs) => {
  measure(count);
  if (!flow.isFast && flow.timer === null) return list.append(runs);
  flow.timer ??= setTimeout(drawSample, SAMPLE);
  return list.add(runs);
};

const arrived = ({ count, runs }) => {
  const wasAtEnd = add(count, runs);
  if (total !== null) total += view.filters().size ? 0 : count;
  if (!flow.isFast) tellFound();
  thread.refreshSoon();
  if (wasAtEnd && !document.hidden) return;
  if (!unread.count) unread.first = runs[0][0];
  unread.count += count;
  tellUnread();
  chartsSoon();
};

// Charts are made of all that matches: where that takes long, they are drawn rarely.
let chartTimer = null;
let chartPause = 10_000;
const chartsSoon = () => {
  chartTimer ??= setTimeout(() => {
    chartTimer = null;
    drawCharts();
  }, chartPause);
};

const drawCharts = async () => {
  const wanted = view.filters();
  const begin = performance.now();
  await Promise.allSettled([charts.drawTimes(wanted), charts.drawGraph(wanted)]);
  await charts.drawOpen(wanted, jump).catch(() => {});
  chartPause = Math.max(10_000, (performance.now() - begin) * 10);
};

// Once what was drawn is on the screen.
const whenIdle = (work) => (globalThis.requestIdleCallback ?? ((then) => setTimeout(then, 200)))(work, { timeout: 1_000 });

let turn = 0;
const show = async () => {
  const wanted = view.filters();
  const text = wanted.toString();
  by("grep").value = view.value("grep");
  by("case").checked = view.value("ignore_case") === "1";
  by("since").value = view.value("since");
  by("until").value = view.value("until");
  filters.drawChosen();
  // Whatever was asked for before is not wanted any more.
  turn += 1;
  const mine = turn;
  if (text === shownFilters) {
    tellFound();
    if (view.place() !== null) list.goTo(view.place());
    return;
  }
  found.textContent = "…";
  try {
    const quick = new URLSearchParams({ quick: "1" });
    const numbers = await ask("numbers", wanted.size ? wanted : quick);
    if (mine !== turn) return;
    shownFilters = text;
    if (!wanted.size) total = numbers.count;
    else if (total === null) ask("count").then(({ matching }) => { total = matching; tellFound(); }, () => {});
    list.show(numbers, wanted, view.place());
    tellFound();
    haveRead();
    live.watch(wanted, list.lastNumber(), arrived, () => { shownFilters = null; show(); });
    // The charts make the server read all messages; those that are looked at come first.
    await list.filled();
    whenIdle(() => { if (mine === turn) drawCharts(); });
  } catch (error) {
    if (mine === turn) found.textContent = error.message;
  }
};

// Long messages are cut to a height until one wants all of them.
list.onDraw((holder, message) => {
  const article = holder.firstElementChild;
  const body = article.querySelector(".body");
  for (const button of article.querySelectorAll(".copy")) button.hidden = !navigator.clipboard;
  const isOpen = opened.has(message.number);
  if (!isOpen && (message.is_clipped || message.html.length > 3_000)) {
    body.classList.add("cut");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "all";
    button.textContent = "show all";
    body.after(button);
    // Only one that is higher than it may be needs a button.
    if (!message.is_clipped) requestAnimationFrame(() => {
      if (body.scrollHeight <= body.clientHeight + 2 && body.isConnected) {
        body.classList.remove("cut");
        button.remove();
      }
    });
  }
  // The line stays there when they were read, until others come.
  if (message.number === unread.first) holder.classList.add("first-unread");
});

const showAll = async (button) => {
  const holder = button.closest(".row");
  const at = Number(holder.dataset.number);
  const params = new URLSearchParams({ draw: "1" });
  if (view.value("grep")) params.set("grep", view.value("grep"));
  const message = await ask(`messages/${at}`, params);
  opened.add(at);
  const body = document.createElement("template");
  body.innerHTML = message.html;
  list.keepPlace(() => {
    holder.querySelector(".body").replaceWith(body.content.querySelector(".body"));
    button.remove();
  });
  list.relayout();
};

const FIELDS = ["sender", "key", "topic", "tier", "chain", "tag", "id"];

const clicked = async (event) => {
  const target = event.target;
  const holder = target.closest(".row");
  if (!holder) return;
  if (target.matches("button.all")) return showAll(target);
  if (target.matches("button.copy")) {
    await navigator.clipboard.writeText(target.closest(".code").querySelector("code").textContent);
    target.classList.add("copied");
    return;
  }
  const reply = target.closest("[data-reply]");
  if (reply) {
    event.preventDefault();
    const message = await thread.find(reply.dataset.reply);
    if (message) jump(message.number);
    return;
  }
  if (target.closest(".number")) {
    event.preventDefault();
    jump(Number(holder.dataset.number));
    return;
  }
  const field = FIELDS.find((field) => target.dataset[field] !== undefined);
  if (field) view.toggle(field, target.dataset[field], event.altKey || event.shiftKey);
  else if (!target.closest("a, summary, button")) list.select(Number(holder.dataset.number));
};

// On narrow screens filters and messages take turns.
const openFilters = (isOpen) => {
  document.body.classList.toggle("filters-open", isOpen);
  by("open-filters").setAttribute("aria-expanded", String(isOpen));
};

const isNarrow = () => matchMedia("(max-width: 1100px)").matches;

const jump = (at) => {
  // There the thread covers the list.
  if (isNarrow()) thread.close();
  openFilters(false);
  view.setPlace(at);
  list.goTo(at);
};

const goTo = async (text) => {
  const wanted = text.trim().replace(/^#/, "");
  if (/^\d{1,12}$/.test(wanted)) return jump(Number(wanted));
  const params = view.filters();
  params.set("since", wanted);
  params.set("order", "oldest");
  params.set("limit", "1");
  const { messages } = await ask("messages", params);
  if (messages.length) jump(messages[0].number);
};

const raw = async () => {
  const message = list.currentMessage();
  if (!message) return;
  const { line } = await ask(`messages/${message.number}`);
  let text = line;
  try {
    text = JSON.stringify(JSON.parse(line), null, 2);
  } catch {
    // It is shown as it is.
  }
  by("raw-body").textContent = text;
  by("raw").showModal();
};

const KEYS = {
  j: () => list.step(1),
  k: () => list.step(-1),
  g: () => list.goTo(0),
  G: () => { list.toEnd(); haveRead(); },
  n: () => unread.first !== null && jump(unread.first),
  t: () => thread.open(list.currentMessage()),
  p: async () => {
    const name = list.currentMessage()?.in_reply_to;
    const message = name && (await thread.find(name));
    if (message) jump(message.number);
  },
  r: raw,
  x: () => view.clear(),
  "#": () => by("go").showModal(),
  "/": () => { by("grep").focus(); by("grep").select(); },
  "?": () => by("help").showModal(),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target.matches("input, textarea");
  if (event.key === "Escape" && isTyping) event.target.blur();
  else if (event.key === "Escape" && thread.isOpen() && !document.querySelector("dialog[open]")) thread.close();
  if (isTyping || document.querySelector("dialog[open]")) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  Promise.resolve(action()).catch((error) => { found.textContent = error.message; });
});

let typing = null;
by("search").addEventListener("submit", (event) => event.preventDefault());
by("grep").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => view.set({ grep: by("grep").value }), 300);
});
by("case").addEventListener("change", () => view.set({ ignore_case: by("case").checked ? "1" : "" }));
for (const place of [by("rows"), by("thread-body"), by("hover")]) {
  place.addEventListener("click", (event) => clicked(event).catch((error) => { found.textContent = error.message; }));
}
by("rows").addEventListener("pointerover", (event) => {
  const reply = event.target.closest("[data-reply]");
  if (reply && event.pointerType === "mouse") thread.preview(reply);
});
by("rows").addEventListener("pointerout", (event) => event.target.closest("[data-reply]") && thread.endPreview());
by("close-thread").addEventListener("click", thread.close);
by("times").addEventListener("submit", (event) => {
  event.preventDefault();
  view.set({ since: by("since").value.trim(), until: by("until").value.trim() });
});
by("newest").addEventListener("click", () => { list.toEnd(); haveRead(); });
by("open-help").addEventListener("click", () => by("help").showModal());
by("open-filters").addEventListener("click", () => openFilters(!document.body.classList.contains("filters-open")));
by("go").addEventListener("close", () => {
  if (by("go").returnValue === "go") goTo(by("go-to").value).catch((error) => { found.textContent = error.message; });
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && list.isAtEnd()) haveRead();
});
list.onMove((at, isAtEnd) => {
  view.setPlace(isAtEnd ? null : at);
  if (isAtEnd && unread.count && !document.hidden) haveRead();
});

view.onChange(show);
show();
filters.drawFacets().then(filters.drawChosen, () => {});
live.watchHealth();
