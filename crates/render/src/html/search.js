"use strict";
(() => {
  const PAUSE = 200;
  const SHOWN = 200;
  const BEFORE = 60;
  const BEHIND = 140;
  const contents = document.getElementById("contents");
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const results = document.getElementById("results");
  const count = Number(contents.dataset.pages);
  const name = (page) => String(page).padStart(4, "0");
  const number = (value) => value.toLocaleString("en");
  let turn = 0;
  let waiting = null;

  // Each page's texts lie in a script that calls this function.
  globalThis.conversation = (page, messages) => {
    if (waiting?.page === page) waiting.resolve(messages);
  };

  const texts = (page) => new Promise((resolve, reject) => {
    waiting = { page, resolve };
    const script = document.createElement("script");
    script.src = `search/${name(page)}.js`;
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error(`search/${name(page)}.js is missing`));
    });
    document.head.append(script);
  });

  // The words around the first one that was found.
  const excerpt = (text, words) => {
    const lower = text.toLowerCase();
    const at = lower.indexOf(words[0]);
    const [from, to] = [Math.max(0, at - BEFORE), at + words[0].length + BEHIND];
    const line = document.createElement("p");
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + words[0].length);
    line.append(from > 0 ? "…" : "", text.slice(from, at), mark, text.slice(at + words[0].length, to), to < text.length ? "…" : "");
    return line;
  };

  const draw = (page, [at, message, sender, time, text], words) => {
    const row = document.createElement("div");
    row.className = "found";
    const link = document.createElement("a");
    link.href = `pages/${name(page)}.html#m${at}`;
    link.textContent = `#${message ?? "?"} ${sender}`;
    const head = document.createElement("p");
    head.append(link, ` ${time}`);
    row.append(head, excerpt(text, words));
    results.append(row);
  };

  const look = async () => {
    turn += 1;
    const mine = turn;
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    location.replace(words.length ? `#q=${encodeURIComponent(search.value)}` : "#");
    results.replaceChildren();
    results.hidden = !words.length;
    found.textContent = "";
    if (!words.length) return;
    let matching = 0;
    const tell = (page) => {
      const shown = matching > SHOWN ? `, the first ${SHOWN} of them below` : "";
      const far = page < count ? `; page ${page} of ${count} …` : "";
      found.textContent = `${number(matching)} messages match${shown}${far}`;
    };
    for (let page = 1; page <= count; page += 1) {
      const messages = await texts(page);
      if (mine !== turn) return;
      for (const message of messages) {
        const text = message[4].toLowerCase();
        if (!words.every((word) => text.includes(word))) continue;
        matching += 1;
        if (matching <= SHOWN) draw(page, message, words);
      }
      tell(page);
    }
  };

  let typing = null;
  const start = () => look().catch((error) => { found.textContent = error.message; });
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(start, PAUSE);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "Escape") {
      search.value = "";
      start();
    }
  });
  document.getElementById("controls").hidden = false;
  const asked = new URLSearchParams(location.hash.slice(1)).get("q");
  if (asked) {
    search.value = asked;
    start();
  }
})();
