// A list that draws only what is seen, with a scroll bar that is true.
//
// Each message that matches is a row. The rows that are seen, and some around them, are
// elements in the flow of one box, which stands at `base` in a space that is as high as
// all rows together, or as high as browsers allow. Scrolling within the box is the
// browser's own; where one jumps out of it, the place in the space tells the row, and once
// the scrolling rests, the space is moved so that the place is that of the row again.

import { ask } from "./api.js";

const HIGHEST = 8_000_000;
const PAGE = 40;
const HELD = 1_500;
const AROUND = 900;
const REST = 180;

const scroller = document.getElementById("scroller");
const spacer = document.getElementById("spacer");
const box = document.getElementById("rows");

// Numbers of all rows, as stretches; `before` is how many rows are before each.
class Numbers {
  constructor(runs = []) {
    this.runs = [];
    this.count = 0;
    this.add(runs);
  }

  add(runs) {
    for (const [first, last] of runs) {
      const end = this.runs.at(-1);
      if (end && end.last + 1 === first) end.last = last;
      else this.runs.push({ first, last, before: this.count });
      this.count += last - first + 1;
    }
  }

  find(isBehind) {
    let [low, high] = [0, this.runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBehind(this.runs[middle])) high = middle;
      else low = middle + 1;
    }
    return this.runs[low - 1];
  }

  at(row) {
    const run = this.find((run) => run.before > row);
    return run ? run.first + row - run.before : undefined;
  }

  // The row with this number, or the next one.
  row(number) {
    const run = this.find((run) => run.first > number);
    if (!run) return 0;
    return Math.min(run.before + number - run.first, run.before + run.last - run.first + (number > run.last ? 1 : 0), Math.max(this.count - 1, 0));
  }

  get last() {
    return this.runs.at(-1)?.last ?? 0;
  }
}

const list = {
  numbers: new Numbers(),
  filters: new URLSearchParams(),
  held: new Map(),
  asked: new Set(),
  elements: new Map(),
  first: 0,
  base: 0,
  usual: 110,
  generation: 0,
  current: null,
  // Whether it stays at the end, whatever comes or grows there.
  sticks: false,
  // How many rows there were when the end was drawn last; more may be known by now.
  end: 0,
  onMove: () => {},
  onDraw: () => {},
};
let rest = null;
let lastTop = 0;
let frame = null;
let aborter = new AbortController();

// On paper rows stand below each other, and nothing scrolls: what moves rows waits until
// they are on the screen again, at the place where they were.
const paper = matchMedia("print");
let wasOnPaper = false;
const isOnPaper = () => {
  if (wasOnPaper && !paper.matches) scroller.scrollTop = lastTop;
  wasOnPaper = paper.matches;
  return wasOnPaper;
};

const count = () => list.numbers.count;
// Whoever stays at the end is led to the next one when that is drawn, and not before.
const end = () => (list.sticks ? Math.min(list.end, count()) : count());
const space = () => Math.max(Math.min(count() * list.usual, HIGHEST), scroller.clientHeight);

const element = (row) => {
  const number = list.numbers.at(row);
  const holder = document.createElement("div");
  holder.className = "row";
  holder.dataset.row = row;
  fill(holder, number);
  return holder;
};

const fill = (holder, number) => {
  const message = list.held.get(number);
  holder.dataset.number = number;
  if (!message) {
    holder.classList.add("waiting");
    holder.style.height = `${list.usual}px`;
    holder.textContent = `#${number}`;
    return;
  }
  // The server has escaped all that somebody has written, and the page's policy runs nothing.
  holder.innerHTML = message.html;
  holder.classList.remove("waiting");
  holder.style.height = "";
  const article = holder.firstElementChild;
  article.tabIndex = -1;
  article.setAttribute("aria-posinset", Number(holder.dataset.row) + 1);
  article.setAttribute("aria-setsize", count());
  article.setAttribute("aria-label", `Message ${number} from ${message.sender}`);
  if (number === list.current) article.classList.add("current");
  list.onDraw(holder, message);
};

const place = (base) => {
  if (isOnPaper()) return;
  list.base = base;
  box.style.top = `${base}px`;
};

const rows = () => Array.from(box.children);

// The first row that is seen, and how far its top is above the edge.
const top = () => {
  const edge = scroller.getBoundingClientRect().top;
  const children = box.children;
  let [low, high] = [0, children.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (children[middle].getBoundingClientRect().bottom > edge + 1) high = middle;
    else low = middle + 1;
  }
  const holder = children[low] ?? children[children.length - 1];
  return holder && { holder, row: Number(holder.dataset.row), above: edge - holder.getBoundingClientRect().top };
};

// Does something to rows without moving what is seen.
const keep = (action) => {
  const before = top();
  action();
  if (!before || !before.holder.isConnected) return;
  const edge = scroller.getBoundingClientRect().top;
  const moved = before.above - (edge - before.holder.getBoundingClientRect().top);
  if (Math.abs(moved) > 0.5) place(list.base - moved);
};

const drop = (holder) => {
  list.elements.delete(Number(holder.dataset.row));
  holder.remove();
};

// Adds rows until the view and some more is filled, and takes away what is far from it.
const extend = () => {
  if (isOnPaper()) return;
  const view = scroller.getBoundingClientRect();
  const [from, to] = [view.top - AROUND, view.bottom + AROUND];
  if (!box.children.length) return;
  for (let guard = 0; guard < 400; guard += 1) {
    const last = box.lastElementChild;
    const row = Number(last.dataset.row) + 1;
    if (row >= end() || last.getBoundingClientRect().bottom >= to) break;
    const holder = element(row);
    list.elements.set(row, holder);
    box.append(holder);
  }
  for (let guard = 0; guard < 400; guard += 1) {
    const first = box.firstElementChild;
    const row = Number(first.dataset.row) - 1;
    if (row < 0 || first.getBoundingClientRect().top <= from) break;
    const holder = element(row);
    list.elements.set(row, holder);
    box.prepend(holder);
    place(list.base - holder.getBoundingClientRect().height);
  }
  while (box.children.length > 1 && box.lastElementChild.getBoundingClientRect().top > to + AROUND) drop(box.lastElementChild);
  while (box.children.length > 1 && box.firstElementChild.getBoundingClientRect().bottom < from - AROUND) {
    const height = box.firstElementChild.getBoundingClientRect().height;
    drop(box.firstElementChild);
    place(list.base + height);
  }
  load();
};

const load = () => {
  const missing = rows().filter((holder) => holder.classList.contains("waiting"));
  const pages = new Set(missing.map((holder) => Math.floor(Number(holder.dataset.row) / PAGE)));
  for (const page of pages) fetchPage(page);
};

const fetchPage = async (page) => {
  if (list.asked.has(page)) return;
  list.asked.add(page);
  const generation = list.generation;
  const [from, to] = [page * PAGE, Math.min((page + 1) * PAGE, count()) - 1];
  const params = new URLSearchParams(list.filters);
  params.set("from", list.numbers.at(from));
  params.set("to", list.numbers.at(to));
  params.set("limit", PAGE);
  params.set("order", "oldest");
  params.set("draw", "1");
  scroller.setAttribute("aria-busy", "true");
  try {
    const { messages } = await ask("messages", params, { signal: aborter.signal });
    if (generation !== list.generation) return;
    hold(messages, list.numbers.at(from), list.numbers.at(to));
  } catch (error) {
    if (error.name !== "AbortError") setTimeout(load, 1_000);
  } finally {
    // Of another list the same page may have been asked for meanwhile.
    if (generation === list.generation) {
      list.asked.delete(page);
      scroller.setAttribute("aria-busy", String(list.asked.size > 0));
      if (!list.asked.size) for (const resolve of waiting.splice(0)) resolve();
    }
  }
};

const waiting = [];
// Waits until nothing that was asked for is missing.
export const filled = () => (list.asked.size ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve());

// What the server does not have of these numbers is damaged or was taken away.
const missing = (number) => ({ number, sender: "", html: `<article class="missing">#${number} is not here</article>` });

const hold = (messages, from, to) => {
  for (const message of messages) list.held.set(message.number, message);
  noticeScroll();
  for (const holder of rows()) {
    const number = Number(holder.dataset.number);
    if (number >= from && number <= to && !list.held.has(number)) list.held.set(number, missing(number));
  }
  keep(() => {
    for (const holder of rows()) {
      const number = Number(holder.dataset.number);
      if (holder.classList.contains("waiting") && list.held.has(number)) fill(holder, number);
    }
  });
  const heights = rows().filter((holder) => !holder.classList.contains("waiting"));
  if (heights.length > 4) {
    const all = heights.reduce((sum, holder) => sum + holder.getBoundingClientRect().height, 0);
    list.usual = list.usual * 0.7 + (all / heights.length) * 0.3;
  }
  // What was seen longest ago goes first; what is on the screen is asked for again only once it has left.
  for (const number of list.held.keys()) {
    if (list.held.size <= HELD) break;
    list.held.delete(number);
  }
  if (list.sticks) alignEnd();
  else extend();
  settleSoon();
};

// Draws anew with a row at the upper edge.
const jump = (row, above = 0) => {
  list.sticks = false;
  box.replaceChildren();
  list.elements.clear();
  if (!count()) return;
  const first = Math.max(0, Math.min(row, count() - 1));
  const holder = element(first);
  list.elements.set(first, holder);
  box.append(holder);
  place(scroller.scrollTop - above);
  extend();
};

// Moves space and place so that the scroll bar tells the truth, and both ends are ends.
const settle = () => {
  const at = top();
  if (!at || isOnPaper()) return;
  spacer.style.height = `${space()}px`;
  const height = box.getBoundingClientRect().height;
  const room = space() - scroller.clientHeight;
  const before = list.base - scroller.scrollTop;
  const hasFirst = Number(box.firstElementChild.dataset.row) === 0;
  const hasLast = Number(box.lastElementChild.dataset.row) === end() - 1;
  let wanted;
  if (hasFirst && hasLast) {
    spacer.style.height = `${height}px`;
    wanted = -before;
  } else if (hasFirst) wanted = -before;
  else if (hasLast) wanted = space() - height - before;
  else wanted = Math.round((at.row / Math.max(count() - 1, 1)) * room);
  place(before + wanted);
  scroller.scrollTop = wanted;
  // A browser may not go where it is told.
  place(before + scroller.scrollTop);
  lastTop = scroller.scrollTop;
};

const settleSoon = () => {
  clearTimeout(rest);
  rest = setTimeout(() => {
    noticeScroll();
    settle();
  }, REST);
};

const scrolled = () => {
  frame = null;
  if (isOnPaper()) return;
  const now = scroller.scrollTop;
  const height = scroller.clientHeight;
  const isOwn = Math.abs(now - lastTop) < 1;
  const far = Math.abs(now - lastTop) > height * 3;
  lastTop = now;
  const within = now + height > list.base && now < list.base + box.getBoundingClientRect().height;
  if (far && !within && count()) {
    const share = now / Math.max(scroller.scrollHeight - height, 1);
    const row = Math.round(share * (count() - 1));
    jump(row);
    if (share > 0.999999) toEnd();
  } else extend();
  if (!isOwn) list.sticks = isAtEnd();
  settleSoon();
  const at = top();
  if (at) list.onMove(list.numbers.at(at.row), isAtEnd());
};

// A browser tells of scrolling with the next frame. Whatever moves rows before that must
// look first, or it takes the rows of the old place for those that are wanted, and goes back.
const noticeScroll = () => {
  if (!isOnPaper() && Math.abs(scroller.scrollTop - lastTop) >= 1) scrolled();
};

scroller.addEventListener("scroll", () => {
  frame ??= requestAnimationFrame(scrolled);
}, { passive: true });
paper.addEventListener("change", () => catchUp());
addEventListener("resize", () => {
  noticeScroll();
  extend();
  settleSoon();
});

export const isAtEnd = () => {
  const last = box.lastElementChild;
  if (!last) return true;
  const isLast = Number(last.dataset.row) === end() - 1;
  return isLast && last.getBoundingClientRect().bottom <= scroller.getBoundingClientRect().bottom + 40;
};

export const toEnd = () => {
  jump(count() - 1);
  list.end = count();
  list.sticks = true;
  alignEnd();
  settle();
};

// Puts the end of the last row, and of those that come behind it, to the lower edge.
const alignEnd = () => {
  for (let guard = 0; guard < 20 && box.lastElementChild; guard += 1) {
    const gap = scroller.getBoundingClientRect().bottom - box.lastElementChild.getBoundingClientRect().bottom;
    place(list.base + gap);
    extend();
    if (Number(box.lastElementChild.dataset.row) >= end() - 1 && Math.abs(gap) < 1) break;
  }
  // Few rows stand at the upper edge.
  const free = box.firstElementChild?.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  if (Number(box.firstElementChild?.dataset.row) === 0 && free > 0) place(list.base - free);
};

export const goTo = (number) => {
  jump(list.numbers.row(number));
  settle();
  setCurrent(list.numbers.at(list.numbers.row(number)));
};

export const show = (found, filters, at) => {
  aborter.abort();
  aborter = new AbortController();
  list.generation += 1;
  list.numbers = new Numbers(found.runs);
  list.filters = filters;
  list.held.clear();
  list.asked.clear();
  list.current = null;
  document.getElementById("empty").hidden = count() > 0;
  spacer.style.height = `${space()}px`;
  if (at === null) toEnd();
  else goTo(at);
};

// Adds what was recorded meanwhile, and draws it later; tells whether one was at the end.
export const add = (runs) => {
  noticeScroll();
  const wasAtEnd = !count() || list.sticks || isAtEnd();
  list.numbers.add(runs);
  document.getElementById("empty").hidden = count() > 0;
  // In a tab that nobody sees, it stays where it was read.
  if (wasAtEnd) list.sticks = !document.hidden;
  return wasAtEnd;
};

// Adds what was recorded meanwhile; whoever is at the end stays there.
export const append = (runs) => {
  const wasAtEnd = add(runs);
  catchUp();
  return wasAtEnd;
};

// Draws what was added.
export const catchUp = () => {
  noticeScroll();
  if (list.sticks && !document.hidden) {
    list.end = count();
    const last = box.lastElementChild;
    // So much at once is not worth being drawn one by one.
    if (!last || list.end - Number(last.dataset.row) > 200) toEnd();
    else {
      list.sticks = true;
      extend();
      alignEnd();
      settle();
    }
  } else {
    extend();
    settleSoon();
  }
};

const setCurrent = (number) => {
  list.current = number;
  for (const holder of rows()) {
    const is = Number(holder.dataset.number) === number;
    holder.firstElementChild?.classList.toggle("current", is);
    if (is && holder.firstElementChild && document.activeElement?.id !== "grep") holder.firstElementChild.focus({ preventScroll: true });
  }
};

// Goes to the next or previous message.
export const step = (by) => {
  if (!count()) return;
  const at = top();
  const from = list.current === null ? at.row - (by > 0 ? 1 : 0) : list.numbers.row(list.current);
  const row = Math.max(0, Math.min(from + by, count() - 1));
  const holder = list.elements.get(row);
  const view = scroller.getBoundingClientRect();
  if (!holder) goTo(list.numbers.at(row));
  else {
    const place = holder.getBoundingClientRect();
    if (place.top < view.top || place.bottom > view.bottom) scroller.scrollTop += place.top - view.top - 8;
    setCurrent(list.numbers.at(row));
  }
};

export const currentMessage = () => {
  const at = top();
  const number = list.current ?? (at && list.numbers.at(at.row));
  return list.held.get(number);
};
export const select = setCurrent;
export const messageCount = count;
export const lastNumber = () => list.numbers.last;
export const onMove = (listener) => (list.onMove = listener);
export const onDraw = (listener) => (list.onDraw = listener);
export const relayout = settleSoon;
export const keepPlace = keep;
