"""Looks at the page with a real browser.

Usage: run.py VIEWER BROWSER FOLDER [NAME...]: the program, Chromium, and where journals
and pictures go; with names only these checks. Ends with 1 where one fails.
"""

import faulthandler
import os
import subprocess
import sys
import time
import traceback

from playwright.sync_api import expect, sync_playwright

import journal

# A browser that hangs must not hold up whoever waits for this.
faulthandler.dump_traceback_later(1200, exit=True)

VIEWER, BROWSER, FOLDER = [os.path.abspath(path) for path in sys.argv[1:4]]
# While the page is being worked on: its files from here instead of those in the program.
ASSETS = os.environ.get("PAGE_ASSETS")


class Served:
    """A running `viewer serve`."""

    def __init__(self, folder, port=0, *options):
        words = [VIEWER, "--dir", folder, "serve", "--port", str(port), *options]
        self.process = subprocess.Popen(words, env={**os.environ, "TZ": "UTC"}, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://"), self.address

    @property
    def port(self):
        return int(self.address.split(":")[2].split("/")[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def folder(name):
    path = os.path.join(FOLDER, f"{name}-{os.getpid()}")
    os.makedirs(path, exist_ok=True)
    return path


def opened(browser, address, **options):
    """A page, with what goes wrong on it."""
    page = browser.new_page(**{"viewport": {"width": 1400, "height": 900}, **options})
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.errors = []
    page.elsewhere = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith((address.split("#")[0], "data:")) else page.elsewhere.append(request.url))
    if ASSETS:
        def local(route):
            name = route.request.url.split("#")[0].split("?")[0].rsplit("/", 1)[1] or "index.html"
            path = os.path.join(ASSETS, name)
            kinds = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
            if "/api/" not in route.request.url and os.path.exists(path):
                route.fulfill(path=path, content_type=kinds[name.rsplit(".", 1)[1]])
            else:
                route.continue_()
        page.route("**/*", local)
    page.goto(address)
    page.wait_for_selector("#rows article, #empty:not([hidden])", state="attached")
    return page


def clean(page):
    assert page.errors == [], page.errors
    assert page.elsewhere == [], page.elsewhere


def seen(page):
    """Numbers of the messages within the view."""
    return page.evaluate("""() => {
        const view = document.getElementById("scroller").getBoundingClientRect();
        return [...document.querySelectorAll("#rows .row")].filter((row) => {
            const box = row.getBoundingClientRect();
            return box.bottom > view.top + 1 && box.top < view.bottom - 1;
        }).map((row) => Number(row.dataset.number));
    }""")


def until(condition, what):
    end = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def check_live_messages_appear(browser):
    path = folder("live")
    journal.write(path, journal.talk(50))
    with Served(path) as served:
        page = opened(browser, served.address)
        until(lambda: 50 in seen(page), "it opens at the end")
        journal.append(path, [journal.line(51, "human", "fresh words", seconds=9_000)])
        page.wait_for_selector("text=fresh words")
        until(lambda: 51 in seen(page), "whoever is at the end stays there")
        expect(page.locator("#found")).to_have_text("51 messages")
        page.keyboard.press("g")
        until(lambda: 1 in seen(page), "the first one")
        journal.append(path, [journal.line(52, "human", "more words", seconds=9_001)])
        expect(page.locator("#newest")).to_contain_text("1 new")
        assert page.title().startswith("(1)"), page.title()
        page.locator("#newest").click()
        until(lambda: 52 in seen(page), "the new one")
        clean(page)


def check_filters_search_and_links(browser):
    path = folder("filters")
    journal.write(path, journal.talk(300))
    with Served(path) as served:
        page = opened(browser, served.address)
        page.locator("#facets button.value", has_text="human").first.click()
        page.wait_for_function("() => document.getElementById('found').textContent.includes(' of ')")
        page.wait_for_selector("#rows .who")
        names = page.locator("#rows .who").all_text_contents()
        assert set(names) == {"human"}, set(names)
        page.locator("#chosen .chip").click()
        expect(page.locator("#found")).to_have_text("300 messages")
        page.keyboard.press("/")
        page.keyboard.type("retry (loop|never)")
        page.wait_for_selector("#rows mark")
        assert "grep=retry" in page.url, page.url
        # The address is all that somebody else needs.
        page.keyboard.press("Escape")
        other = opened(browser, page.url)
        other.wait_for_selector("#rows mark")
        assert other.locator("#found").text_content() == page.locator("#found").text_content()
        deep = opened(browser, served.address + "#at=42")
        until(lambda: seen(deep)[:1] == [42], "the place is in the address")
        deep.keyboard.press("t")
        deep.wait_for_selector("#thread[open] article")
        deep.keyboard.press("Escape")
        deep.locator("#rows .row[data-number='42'] [data-reply]").click()
        until(lambda: seen(deep)[0] < 42, "the message that it answers")
        for each in [page, other, deep]:
            clean(each)


def check_it_goes_on_after_the_server_restarts(browser):
    path = folder("restart")
    journal.write(path, journal.talk(20))
    served = Served(path, 0, "--no-token")
    port = served.port
    page = opened(browser, served.address)
    until(lambda: 20 in seen(page), "it opens at the end")
    served.__exit__()
    journal.append(path, [journal.line(21, "human", "while it was away", seconds=9_000)])
    with Served(path, port, "--no-token"):
        journal.append(path, [journal.line(22, "human", "and back", seconds=9_001)])
        until(lambda: {21, 22} <= set(seen(page)), "both are there")
        numbers = [int(text) for text in page.locator("#rows .row").evaluate_all("(rows) => rows.map((row) => row.dataset.number)")]
        assert len(numbers) == len(set(numbers)), numbers


def check_hostile_messages_run_nothing(browser):
    path = folder("hostile")
    journal.write(path, journal.hostile())
    with Served(path) as served:
        page = opened(browser, served.address)
        page.on("dialog", lambda dialog: page.errors.append(dialog.message))
        for number in range(1, len(journal.HOSTILE) + 1):
            page.evaluate("(number) => { location.hash = `at=${number}`; }", number)
            page.wait_for_selector(f"#rows .row[data-number='{number}'] article")
        for link in page.locator("#rows a[href]").evaluate_all("(links) => links.map((link) => link.getAttribute('href'))"):
            assert link.startswith(("#", "http://", "https://", "mailto:")), link
        assert page.evaluate("() => document.querySelectorAll('#rows script, #rows iframe, #rows svg, #rows style').length") == 0
        assert "PWNED" not in page.title()
        clean(page)


def check_a_million_messages_scroll(browser):
    path = folder("million")
    journal.write(path, journal.many(1_000_000))
    with Served(path) as served:
        # Asked once before, so that the disk's speed is left out.
        begin = time.monotonic()
        page = opened(browser, served.address)
        until(lambda: 1_000_000 in seen(page), "it opens at the end")
        took = time.monotonic() - begin
        scroller = "document.getElementById('scroller')"
        for share in [0.5, 0.25, 0.75, 0.1]:
            page.evaluate(f"(share) => {{ const s = {scroller}; s.scrollTop = share * (s.scrollHeight - s.clientHeight); }}", share)
            until(lambda: seen(page) and abs(seen(page)[0] / 1_000_000 - share) < 0.001, f"the scroll bar is true at {share}")
            page.wait_for_function("() => !document.querySelector('#rows .row.waiting')")
        page.mouse.move(900, 500)
        before = seen(page)[0]
        frames = page.evaluate("""async () => {
            const scroller = document.getElementById("scroller");
            const times = [];
            let last = performance.now();
            for (let at = 0; at < 120; at += 1) {
                scroller.scrollTop += 60;
                await new Promise(requestAnimationFrame);
                const now = performance.now();
                times.push(now - last);
                last = now;
            }
            times.sort((a, b) => a - b);
            return { median: times[60], p95: times[114] };
        }""")
        after = seen(page)[0]
        assert 0 < after - before < 400, (before, after)
        page.keyboard.press("g")
        until(lambda: 1 in seen(page), "the first one")
        page.keyboard.press("Shift+G")
        until(lambda: 1_000_000 in seen(page), "the last one")
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        heap = page.evaluate("() => performance.memory.usedJSHeapSize") / 1e6
        nodes = page.evaluate("() => document.querySelectorAll('*').length")
        print(f"  1,000,000 messages: open in {took:.1f} s, heap {heap:.0f} MB, {nodes} elements, "
              f"frames of {frames['median']:.1f} ms, p95 {frames['p95']:.1f} ms")
        assert heap < 300 and nodes < 20_000, (heap, nodes)
        clean(page)


def check_the_rules_of_accessibility(browser):
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        print("  without axe: not checked")
        return
    path = folder("axe")
    journal.write(path, journal.talk(120))
    with Served(path) as served:
        for scheme in ["light", "dark"]:
            page = opened(browser, served.address, color_scheme=scheme, bypass_csp=True)
            page.wait_for_selector("#graph svg")
            found = Axe().run(page)
            faults = [(fault["id"], fault["nodes"][0]["html"][:200], fault["nodes"][0].get("failureSummary")) for fault in found.response["violations"]]
            assert not faults, faults


def check_pictures(browser):
    path = folder("pictures")
    journal.write(path, journal.talk(200))
    with Served(path) as served:
        for width in [1400, 400]:
            for scheme in ["light", "dark"]:
                page = opened(browser, served.address + "#at=190", color_scheme=scheme, viewport={"width": width, "height": 900})
                page.wait_for_selector("#graph svg", state="attached")
                page.wait_for_function("() => !document.querySelector('#rows .row.waiting')")
                page.screenshot(path=os.path.join(FOLDER, f"page-{width}-{scheme}.png"))
                if width == 400:
                    page.locator("#open-filters").click()
                    page.screenshot(path=os.path.join(FOLDER, f"filters-{width}-{scheme}.png"))
                clean(page)
                page.close()
        page = opened(browser, served.address + "#at=180")
        page.keyboard.press("t")
        page.wait_for_selector("#thread[open] article")
        page.screenshot(path=os.path.join(FOLDER, "thread.png"))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    checks = {name: check for name, check in globals().items() if name.startswith("check_")}
    wanted = sys.argv[4:]
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--enable-precise-memory-info"])
        for name, check in checks.items():
            if wanted and not any(word in name for word in wanted):
                continue
            try:
                check(browser)
                print(f"ok {name}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED {name}", flush=True)
                traceback.print_exc()
        browser.close()
    sys.exit(1 if failed else 0)


main()
