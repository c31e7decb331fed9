// What is recorded while one looks, and how the recording is doing.

import { address, ask } from "./api.js";

const AGAIN = 2_000;
const HEALTH = 5_000;
let source = null;
let again = null;

// Numbers of new messages that match, behind `after`, each once.
export const watch = (filters, after, onNumbers, onAnew) => {
  source?.close();
  clearTimeout(again);
  let last = after;
  const connect = () => {
    const params = new URLSearchParams(filters);
    params.set("only", "numbers");
    params.set("after", String(last));
    const events = new EventSource(address("live", params));
    source = events;
    events.addEventListener("numbers", (event) => {
      last = Number(event.lastEventId);
      onNumbers(JSON.parse(event.data));
    });
    events.addEventListener("anew", () => {
      events.close();
      onAnew();
    });
    events.addEventListener("error", () => {
      // A browser gives up where the server is away; it is asked again from where it was.
      if (events.readyState !== EventSource.CLOSED || source !== events) return;
      again = setTimeout(connect, AGAIN);
    });
  };
  connect();
};

const ago = (seconds) => {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
};

const line = document.getElementById("health");
const state = document.getElementById("state");
const facts = document.getElementById("facts");

// Only what is said anew is read out.
const tell = (kind, text, parts) => {
  line.className = kind;
  if (state.textContent !== text) state.textContent = text;
  facts.textContent = parts.map((part) => ` · ${part}`).join("");
};

const said = (health) => {
  if (health.recording === null) return ["still", "a copy of files"];
  if (health.told_by === "broker" && health.recording) return ["fresh", "recording"];
  if (health.told_by === "broker") return ["lost", `NOTHING IS RECORDED: ${health.stalled ?? "the broker says so"}`];
  if (health.recording) return ["fresh", "being recorded"];
  return ["still", health.newest === null ? "nothing recorded yet" : "no broker answers"];
};

const counted = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

const look = async () => {
  try {
    const health = await ask("health");
    const [kind, text] = said(health);
    const parts = [];
    if (health.newest !== null && health.seconds_ago !== null) parts.push(`newest ${ago(Math.max(0, health.seconds_ago))} ago`);
    if (health.recording !== null) parts.push(`${health.messages_a_minute.toLocaleString("en")} a minute`);
    if (health.open_questions) parts.push(counted(health.open_questions, "open question", "open questions"));
    if (health.damaged_lines) parts.push(counted(health.damaged_lines, "damaged line", "damaged lines"));
    if (health.altered_messages) parts.push(counted(health.altered_messages, "altered message", "altered messages"));
    tell(kind, text, parts);
  } catch {
    tell("lost", "the server does not answer", []);
  }
};

export const watchHealth = () => {
  look();
  setInterval(() => document.hidden || look(), HEALTH);
};
