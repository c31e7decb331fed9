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

const look = async () => {
  try {
    const health = await ask("health");
    const parts = [];
    if (health.newest === null) parts.push("nothing recorded yet");
    else parts.push(`newest ${ago(Math.max(0, health.seconds_ago))} ago`, `${health.messages_a_minute} a minute`);
    if (health.damaged_lines) parts.push(`${health.damaged_lines} damaged lines`);
    line.textContent = parts.join(" · ");
    line.className = health.seconds_ago !== null && health.seconds_ago < 60 ? "fresh" : "still";
  } catch {
    line.textContent = "the server does not answer";
    line.className = "lost";
  }
};

export const watchHealth = () => {
  look();
  setInterval(() => document.hidden || look(), HEALTH);
};
