"""How fast pages open and scroll, and in how much memory: figures.py VIEWER BROWSER FOLDER.

Prints a table. OLD_VIEWER is a viewer of some earlier version whose `-o html` is measured
beside this one's, CLAUDE_CODE_LOG the program of that name; without them their rows are
left out. Figures are worth something on a quiet machine alone.
"""

import datetime
import json
import os
import subprocess
import time
import uuid

from playwright.sync_api import sync_playwright

import journal
from served import BROWSER, FOLDER, FRAMES, VIEWER, Served, folder, opened, seen, until

COUNT = 20_000
LIMIT = 600_000
DRAWN = "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"


# When what was there, in ms from the moment at which the address was entered.
OPENING = """() => {
    const page = performance.getEntriesByType("navigation")[0];
    const of = (name) => Math.max(...performance.getEntriesByType("resource").filter((one) => one.name.includes(name)).map((one) => one.responseEnd));
    return {"the page": page.responseEnd, "its scripts": of(".js"), "their first answer": of("api/numbers"), "the messages": of("api/messages")};
}"""
# What the browser's main thread does, as its protocol names it.
PARTS = {"script": "ScriptDuration", "layout": "LayoutDuration", "style": "RecalcStyleDuration", "all": "TaskDuration"}


def main_thread(page):
    """Tells for how many seconds the main thread was at what so far."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def work():
        found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return {part: found[name] for part, name in PARTS.items()}

    return work


class Browser:
    """A browser of its own for each row, so that none has another one's memory."""

    def __init__(self, playwright):
        self.browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--enable-precise-memory-info"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.close()

    def memory(self):
        """What the processes that draw pages have for themselves, in MB."""
        session = self.browser.new_browser_cdp_session()
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        total = 0
        for process in found:
            if process["type"] == "renderer":
                with open(f"/proc/{process['id']}/smaps_rollup", encoding="ascii") as rollup:
                    total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        return total / 1000


def row(what, took, frames, memory, note=""):
    median, p95 = frames
    print(f"| {what} | {took:.2f} s | {median:.1f} ms | {p95:.1f} ms | {memory:.0f} MB | {note} |", flush=True)


def measure_served(playwright, count):
    path = folder("figures")
    journal.write(path, journal.many(count))
    with Served(path) as served, Browser(playwright) as browser:
        page = opened(browser.browser, served.address)
        until(lambda: count in seen(page), "it opens at the end")
        page.evaluate(DRAWN)
        took = time.monotonic() - page.began
        opening = page.evaluate(OPENING)
        page.evaluate("() => { const s = document.getElementById('scroller'); s.scrollTop = s.scrollHeight / 2; }")
        until(lambda: abs(seen(page)[0] / count - 0.5) < 0.01, "the middle")
        page.wait_for_function("() => !document.querySelector('#rows .row.waiting')")
        work = main_thread(page)
        before = work()
        frames = page.evaluate(FRAMES)
        after = work()
        row(f"`viewer serve`, {count:,} messages", took, frames, browser.memory())
        return opening, {part: (after[part] - before[part]) * 1000 / 120 for part in after}


def measure_file(playwright, what, path, note=""):
    with Browser(playwright) as browser:
        page = browser.browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(LIMIT)
        page.set_default_navigation_timeout(LIMIT)
        begin = time.monotonic()
        page.goto("file://" + os.path.abspath(path))
        page.evaluate(DRAWN)
        took = time.monotonic() - begin
        if page.locator("#messages").count():
            begin = time.monotonic()
            page.fill("#search", "retry loop")
            page.evaluate(DRAWN)
            found = time.monotonic() - begin
            begin = time.monotonic()
            page.fill("#search", "")
            page.evaluate(DRAWN)
            note = f"search {found:.2f} s, cleared {time.monotonic() - begin:.2f} s"
        row(what, took, page.evaluate(FRAMES), browser.memory(), note)


def html(viewer, path, *options):
    words = [viewer, "--dir", path, "-o", "html", "--limit", "0", *options]
    return subprocess.run(words, check=True, capture_output=True).stdout


def claude_lines(count):
    """The same words as Claude Code writes them down."""
    before = None
    for number in range(1, count + 1):
        said = journal.SAID[number % len(journal.SAID)]
        text = said if isinstance(said, (str, list)) else json.dumps(said)
        is_user = number % 2 == 1
        if is_user and isinstance(text, list):
            text = "words"
        name = str(uuid.UUID(int=number))
        time_ = (journal.START + datetime.timedelta(seconds=number * 37)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        message = {"role": "user", "content": text} if is_user else {
            "id": f"msg_{number}", "type": "message", "role": "assistant", "model": "claude", "stop_reason": None, "stop_sequence": None,
            "content": [{"type": "text", "text": text if isinstance(text, str) else "Let me look."}],
            "usage": {"input_tokens": 1, "output_tokens": 1}}
        yield json.dumps({"type": message["role"], "uuid": name, "parentUuid": before, "sessionId": "one", "timestamp": time_, "cwd": "/tmp",
                          "userType": "external", "version": "1.0.0", "isSidechain": False, "message": message}) + "\n"
        before = name


def measure_claude_code_log(playwright, program):
    path = os.path.join(folder("claude"), "talk.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(claude_lines(COUNT))
    out = os.path.join(os.path.dirname(path), "talk.html")
    begin = time.monotonic()
    subprocess.run([program, path, "-o", out], check=True, capture_output=True)
    made = time.monotonic() - begin
    size = os.path.getsize(out) / 1e6
    measure_file(playwright, f"claude-code-log, {COUNT:,} messages in one file", out, f"{size:.0f} MB, made in {made:.0f} s")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    print("| what | open | frame | 95% of frames within | memory | |\n|---|--:|--:|--:|--:|---|")
    with sync_playwright() as playwright:
        opening, working = measure_served(playwright, 1_000_000)
        path = folder("talk")
        journal.write(path, journal.talk(COUNT))
        pages = os.path.join(path, "pages")
        html(VIEWER, path, "--out", pages)
        measure_file(playwright, f"`-o html --out`, {COUNT:,} messages: the index page", os.path.join(pages, "index.html"))
        measure_file(playwright, "and one of its pages", os.path.join(pages, "pages", "0002.html"))
        versions = [("`-o html`", VIEWER, 5_000), ("`-o html`", VIEWER, COUNT)]
        if old := os.environ.get("OLD_VIEWER"):
            versions.append(("`-o html` of the earlier version", old, COUNT))
        for what, viewer, count in versions:
            name = os.path.join(path, "one.html")
            with open(name, "wb") as file:
                file.write(html(viewer, path, "--to", str(count)))
            measure_file(playwright, f"{what}, {count:,} messages in one file", name)
        if program := os.environ.get("CLAUDE_CODE_LOG"):
            measure_claude_code_log(playwright, program)
    print("\nOf a million messages, while they open: " + ", ".join(f"{what} there after {ms:.0f} ms" for what, ms in opening.items()))
    print("The main thread in each frame of scrolling: " + ", ".join(f"{part} {ms:.1f} ms" for part, ms in working.items()))


main()
