"""What the checks have in common: the running viewer, the browser's pages, and waiting."""

import os
import subprocess
import sys
import time

from playwright.sync_api import expect

VIEWER, BROWSER, FOLDER = [os.path.abspath(path) for path in sys.argv[1:4]]
# Seconds; less of them where a check is expected to fail.
PATIENCE = int(os.environ.get("PATIENCE", "60"))
# While the page is being worked on: its files from here instead of those in the program.
ASSETS = os.environ.get("PAGE_ASSETS")
# Scrolls for 120 frames, and tells how long the middle one took, and of 20 the slowest, in ms.
FRAMES = """async () => {
    const scroller = document.getElementById("scroller") ?? document.scrollingElement;
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
    return [times[60], times[114]];
}"""


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
    page.set_default_timeout(PATIENCE * 1_000)
    expect.set_options(timeout=PATIENCE * 1_000)
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
    page.began = time.monotonic()
    page.goto(address)
    page.wait_for_selector("#rows article, #empty:not([hidden])", state="attached")
    return page


def opened_file(browser, address, **options):
    page = browser.new_page(**{"viewport": {"width": 1400, "height": 900}, **options})
    page.set_default_timeout(PATIENCE * 1_000)
    page.errors = []
    page.elsewhere = []
    folder = address.rsplit("/", 1)[0]
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith((folder, "data:")) else page.elsewhere.append(request.url))
    begin = time.monotonic()
    page.goto(address)
    page.locator("#controls").wait_for()
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    page.took = time.monotonic() - begin
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


def current(page):
    """The number of the message that is chosen."""
    return page.evaluate("() => Number(document.querySelector('#rows article.current')?.parentElement.dataset.number)")


def found(page):
    return page.locator("#found").text_content()


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found
