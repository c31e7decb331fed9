"use strict";
(() => {
  const main = document.getElementById("messages");
  const articles = Array.from(main.querySelectorAll("article"));
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const threads = document.getElementById("threads");
  // Kept apart from the page, since an article holds its answers where threads are shown.
  let texts = null;

  // Where scripts run, a browser leaves what stands behind the first messages as text.
  const later = Array.from(main.querySelectorAll("noscript.later"));
  const total = later.reduce((sum, part) => sum + Number(part.dataset.count), articles.length);
  const prepare = (part) => {
    for (const button of part.querySelectorAll(".copy")) button.hidden = !navigator.clipboard;
  };
  const unpack = () => {
    const part = later.shift();
    // A document of its own runs nothing.
    const { body } = new DOMParser().parseFromString(part.textContent, "text/html");
    prepare(body);
    articles.push(...body.querySelectorAll("article"));
    part.replaceWith(...body.childNodes);
  };
  const unpackAll = () => {
    while (later.length) unpack();
  };
  const idle = globalThis.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 0 }), 20));
  const unpackSome = (deadline) => {
    if (!later.length) return;
    do unpack();
    while (later.length && deadline.timeRemaining() > 8);
    idle(unpackSome);
  };
  const seek = () => {
    const wanted = /^#m(\d+)$/.exec(location.hash);
    if (!wanted || document.getElementById(`m${wanted[1]}`)) return;
    while (later.length && Number(later[0].dataset.first) <= Number(wanted[1])) unpack();
    // What is there only now, the browser goes to only now.
    location.replace(location.hash);
  };

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) {
      for (const article of articles) if (article.hidden) article.hidden = false;
      found.textContent = `${total} messages`;
      return;
    }
    unpackAll();
    texts ??= articles.map((article) => article.textContent.toLowerCase());
    const fits = new Set();
    let count = 0;
    articles.forEach((article, at) => {
      if (!words.every((word) => texts[at].includes(word))) return;
      count += 1;
      // What leads to a match stays visible.
      for (let node = article; node && node !== main; node = node.parentElement) fits.add(node);
    });
    for (const article of articles) article.hidden = !fits.has(article);
    found.textContent = `${count} of ${total}`;
  };

  const arrange = () => {
    unpackAll();
    texts ??= articles.map((article) => article.textContent.toLowerCase());
    for (const article of articles) main.append(article);
    for (const box of main.querySelectorAll(".answers")) box.remove();
    if (threads.checked) {
      for (const article of articles) {
        const parent = document.getElementById(article.dataset.parent || "");
        // A page holds at most one way up from a message, and no message answers a later one.
        if (!parent || parent.tagName !== "ARTICLE" || article.contains(parent)) continue;
        let box = parent.querySelector(":scope > .answers");
        if (!box) {
          box = document.createElement("div");
          box.className = "answers";
          parent.append(box);
        }
        box.append(article);
      }
    }
    show();
  };

  // Answers that stand on other pages: which message is answered, and where, by which.
  for (const [answered, address, number] of globalThis.answers || []) {
    const article = document.getElementById(`m${answered}`);
    if (!article) continue;
    let line = article.querySelector(":scope > .answered");
    if (!line) {
      line = document.createElement("p");
      line.className = "answered";
      line.textContent = "answered by ";
      article.append(line);
    } else line.append(", ");
    const link = document.createElement("a");
    link.href = address;
    link.textContent = `#${number ?? "?"}`;
    line.append(link);
  }

  search.addEventListener("input", show);
  threads.addEventListener("change", arrange);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
    // The browser's own search finds what is there.
    if (event.key === "f" && (event.ctrlKey || event.metaKey)) unpackAll();
    if (event.key === "Escape") {
      search.value = "";
      show();
    }
  });
  main.addEventListener("click", (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    navigator.clipboard.writeText(button.closest(".code").querySelector("code").textContent);
    button.classList.add("copied");
  });
  prepare(main);
  document.getElementById("controls").hidden = false;
  show();
  addEventListener("hashchange", seek);
  addEventListener("beforeprint", unpackAll);
  seek();
  idle(unpackSome);
})();
