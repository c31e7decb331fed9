// Charts: when, who, and who answers whom.

import { ask } from "./api.js";
import * as view from "./view.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const LANES = 12;
// The times that are drawn.
let drawn = null;
// While somebody chooses a time, the bars stay as they are.
let isDragged = false;

const draw = (name, attributes = {}, ...children) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};

const time = (text) => new Date(text);
const two = (value) => String(value).padStart(2, "0");
// As messages show their times.
const shown = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;

const dragged = (chart, histogram) => {
  const mark = draw("rect", { class: "brush", y: 0, height: "100%", width: 0 });
  chart.append(mark);
  let from = null;
  const at = (event) => {
    const box = chart.getBoundingClientRect();
    return Math.max(0, Math.min(WIDTH, ((event.clientX - box.left) / box.width) * WIDTH));
  };
  const bucket = (x) => Math.min(histogram.buckets.length - 1, Math.floor((x / WIDTH) * histogram.buckets.length));
  chart.addEventListener("pointerdown", (event) => {
    from = at(event);
    isDragged = true;
    chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const to = at(event);
    mark.setAttribute("x", Math.min(from, to));
    mark.setAttribute("width", Math.abs(to - from));
  });
  chart.addEventListener("pointercancel", () => {
    from = null;
    isDragged = false;
    mark.setAttribute("width", 0);
  });
  chart.addEventListener("pointerup", (event) => {
    isDragged = false;
    if (from === null) return;
    const [first, last] = [from, at(event)].sort((a, b) => a - b).map(bucket);
    from = null;
    const since = time(histogram.buckets[first].start);
    const until = new Date(time(histogram.buckets[last].start).getTime() + histogram.seconds * 1_000);
    view.set({ since: since.toISOString(), until: until.toISOString() });
  });
};

const bars = (histogram) => {
  const most = Math.max(...histogram.buckets.map((bucket) => bucket.messages), 1);
  const [height, width] = [60, WIDTH / histogram.buckets.length];
  const chart = draw("svg", { viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", class: "chart", role: "img" });
  const all = histogram.buckets.reduce((sum, bucket) => sum + bucket.messages, 0);
  chart.setAttribute("aria-label", `${all} messages over time`);
  histogram.buckets.forEach((bucket, at) => {
    if (!bucket.messages) return;
    const tall = Math.max(2, (bucket.messages / most) * height);
    const bar = draw("rect", { x: at * width, y: height - tall, width: Math.max(width - 0.4, 0.6), height: tall, class: "bar" });
    const label = document.createElementNS(SVG, "title");
    label.textContent = `${shown(time(bucket.start))}: ${bucket.messages}`;
    bar.append(label);
    chart.append(bar);
  });
  dragged(chart, histogram);
  return chart;
};

const lane = (sender, histogram) => {
  const most = Math.max(...sender.counts, 1);
  const width = WIDTH / histogram.buckets.length;
  const chart = draw("svg", { viewBox: `0 0 ${WIDTH} 12`, preserveAspectRatio: "none", class: "chart lane", role: "img" });
  const name = sender.name ?? "others";
  chart.setAttribute("aria-label", `${sender.messages} messages of ${name}`);
  chart.dataset.sender = name;
  sender.counts.forEach((count, at) => {
    if (!count) return;
    const opacity = 0.35 + 0.65 * (count / most);
    chart.append(draw("rect", { x: at * width, y: 1, width: Math.max(width, 1), height: 10, class: "own", opacity }));
  });
  dragged(chart, histogram);
  const row = document.createElement("div");
  row.className = `lane-row k${sender.kind ?? 0}`;
  const label = document.createElement("span");
  label.className = "label";
  label.textContent = name;
  row.append(label, chart);
  return row;
};

export const drawTimes = async (filters) => {
  const params = new URLSearchParams(filters);
  params.set("buckets", 100);
  const histogram = await ask("histogram", params);
  if (isDragged) return;
  const [whole, lanes] = [document.getElementById("histogram"), document.getElementById("lanes")];
  whole.replaceChildren();
  lanes.replaceChildren();
  drawn = null;
  if (!histogram.buckets.length) return;
  const range = document.createElement("p");
  range.className = "range";
  const end = new Date(time(histogram.buckets.at(-1).start).getTime() + histogram.seconds * 1_000);
  for (const date of [time(histogram.buckets[0].start), end]) {
    const label = document.createElement("span");
    label.textContent = shown(date);
    range.append(label);
  }
  whole.append(bars(histogram), range);
  lanes.append(...histogram.senders.slice(0, LANES).map((sender) => lane(sender, histogram)));
  drawn = histogram;
};

// Where a time stands within the bars; nothing where it is beside them.
const position = (moment) => {
  const first = time(drawn.buckets[0].start).getTime();
  const at = (time(moment).getTime() - first) / (drawn.buckets.length * drawn.seconds * 1_000);
  return at >= 0 && at <= 1 ? at * WIDTH : null;
};

const markSilence = (silence) => {
  const place = document.getElementById("silence");
  place.textContent = silence ? `longest silence: ${seconds(silence.seconds)}` : "";
  const [from, to] = [silence?.between?.first, silence?.between?.last].map((end) => (end ? position(end) : null));
  if (from === null || to === null || to - from < 1) return;
  const band = draw("rect", { x: from, y: 0, width: to - from, height: "100%", class: "silence" });
  const label = document.createElementNS(SVG, "title");
  label.textContent = `silence of ${seconds(silence.seconds)}`;
  band.append(label);
  document.querySelector("#histogram .chart").prepend(band);
};

const markQuestion = (question) => {
  const at = question.recorded && position(question.recorded);
  const charts = document.querySelectorAll("#lanes .lane");
  const chart = [...charts].find((chart) => chart.dataset.sender === question.sender);
  if (!chart || at === null) return;
  const mark = draw("rect", { x: Math.max(0, at - 1.5), y: 0, width: 3, height: 12, class: "open" });
  const label = document.createElementNS(SVG, "title");
  label.textContent = `not answered: ${question.text}`;
  mark.append(label);
  chart.append(mark);
};

// What is open, and the longest silence: marks on the bars and lanes, and a list.
export const drawOpen = async (filters, jump) => {
  const { open_questions: open, longest_silence: silence } = await ask("statistics", filters);
  if (drawn?.buckets.length) {
    markSilence(silence);
    open.newest.forEach(markQuestion);
  }
  const items = open.newest.filter((question) => question.message_num !== null).map((question) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "question";
    button.textContent = `#${question.message_num} ${question.sender}: ${question.text}`;
    button.addEventListener("click", () => jump(question.message_num));
    item.append(button);
    return item;
  });
  const place = document.getElementById("open-questions");
  place.replaceChildren();
  if (!items.length) return;
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = `Open questions (${open.count.toLocaleString("en")})`;
  const all = document.createElement("ul");
  all.append(...items);
  details.append(summary, all);
  place.append(details);
};

const seconds = (value) => {
  if (value === null) return "";
  if (value < 90) return `${value.toFixed(1)} s`;
  return value < 5_400 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3_600)} h`;
};

// Senders on a circle, with a line for each pair; the table says the same in words.
const circle = (edges, kinds) => {
  const names = [...new Set(edges.flatMap((edge) => [edge.from, edge.to]))].slice(0, LANES);
  const [middle, radius] = [WIDTH / 2, 95];
  const chart = draw("svg", { viewBox: `0 0 ${WIDTH} 260`, class: "chart circle", role: "img", "aria-label": "Who answers whom" });
  const spot = (name) => {
    const angle = (names.indexOf(name) / names.length) * 2 * Math.PI - Math.PI / 2;
    return [middle + Math.cos(angle) * radius, 130 + Math.sin(angle) * radius];
  };
  const most = Math.max(...edges.map((edge) => edge.messages), 1);
  for (const edge of edges.filter((edge) => names.includes(edge.from) && names.includes(edge.to))) {
    const [[x1, y1], [x2, y2]] = [spot(edge.from), spot(edge.to)];
    const [bendX, bendY] = [(x1 + x2) / 2 + (y2 - y1) * 0.15, (y1 + y2) / 2 - (x2 - x1) * 0.15];
    const line = draw("path", { d: `M${x1} ${y1}Q${bendX} ${bendY} ${x2} ${y2}`, class: `edge k${kinds.get(edge.from) ?? 0}` });
    line.setAttribute("stroke-width", 1 + (edge.messages / most) * 5);
    chart.append(line);
  }
  for (const name of names) {
    const [x, y] = spot(name);
    chart.append(draw("circle", { cx: x, cy: y, r: 6, class: `own k${kinds.get(name) ?? 0}` }));
    const anchor = Math.abs(x - middle) < 30 ? "middle" : x > middle ? "end" : "start";
    const label = draw("text", { x: Math.max(4, Math.min(WIDTH - 4, x)), y: y + (y > 130 ? 20 : -12), "text-anchor": anchor });
    label.textContent = name.length > 20 ? `${name.slice(0, 19)}…` : name;
    chart.append(label);
  }
  return chart;
};

export const drawGraph = async (filters) => {
  const [{ edges }, { senders }] = await Promise.all([ask("graph", filters), ask("values")]);
  const kinds = new Map(senders.map((sender) => [sender.name, sender.kind]));
  const place = document.getElementById("graph");
  if (!edges.length) {
    place.textContent = "No message here answers another one by its name.";
    return;
  }
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const title of ["answers", "whom", "times", "median"]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const edge of edges.slice(0, 40)) {
    const row = body.insertRow();
    for (const text of [edge.from, edge.to, edge.messages, seconds(edge.median_seconds)]) row.insertCell().textContent = text;
  }
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = "As a table";
  details.append(summary, table);
  place.replaceChildren(circle(edges, kinds), details);
};
