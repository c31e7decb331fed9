"""Looks at the page with a real browser.

Usage: run.py VIEWER BROWSER FOLDER [NAME...]: the program, Chromium, and where journals
and pictures go; with names only these checks. Ends with 1 where one fails.
"""

import datetime
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
        deep.wait_for_selector("#thread:not([hidden]) article.current")
        deep.keyboard.press("Escape")
        expect(deep.locator("#thread")).to_be_hidden()
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


def current(page):
    """The number of the message that is chosen."""
    return page.evaluate("() => Number(document.querySelector('#rows article.current')?.parentElement.dataset.number)")


def found(page):
    return page.locator("#found").text_content()


def check_keys(browser):
    path = folder("keys")
    journal.write(path, journal.talk(120))
    with Served(path) as served:
        page = opened(browser, served.address)
        until(lambda: 120 in seen(page), "it opens at the end")
        page.keyboard.press("g")
        until(lambda: current(page) == 1, "g: the first one")
        page.keyboard.press("j")
        page.keyboard.press("j")
        until(lambda: current(page) == 3, "j: the next one")
        page.keyboard.press("k")
        until(lambda: current(page) == 2, "k: the one before")
        page.keyboard.press("Shift+G")
        until(lambda: 120 in seen(page), "G: the last one")
        for words, number in [("60", 60), ("2025-11-20T05:00:00Z", 49)]:
            page.keyboard.press("#")
            page.locator("#go-to").fill(words)
            page.locator("#go-now").click()
            until(lambda: current(page) == number, f"#: {words} is message {number}, not {current(page)}")
        page.keyboard.press("t")
        page.wait_for_selector("#thread:not([hidden]) article")
        page.keyboard.press("Escape")
        expect(page.locator("#thread")).to_be_hidden()
        page.keyboard.press("r")
        expect(page.locator("#raw")).to_be_visible()
        assert '"message_num"' in page.locator("#raw-body").text_content()
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.type("retry")
        until(lambda: " of " in found(page), "a search")
        # A key that is typed is no command.
        assert page.locator("#grep").input_value() == "retry"
        page.keyboard.press("Escape")
        page.keyboard.press("x")
        until(lambda: found(page) == "120 messages", "x: no filters")
        # Unread ones: those that came while one was elsewhere.
        page.keyboard.press("g")
        until(lambda: current(page) == 1, "the first one again")
        journal.append(path, [journal.line(121, "human", "first unread", seconds=9_000), journal.line(122, "human", "second", seconds=9_001)])
        expect(page.locator("#newest")).to_contain_text("2 new")
        page.keyboard.press("n")
        until(lambda: current(page) == 121, "n: the first unread")
        page.wait_for_selector("#rows .row.first-unread[data-number='121']")
        clean(page)


def check_every_filter(browser):
    path = folder("facets")
    journal.write(path, journal.talk(300))
    with Served(path) as served:
        page = opened(browser, served.address)
        page.wait_for_selector("#facets details")
        titles = page.locator("#facets summary").all_text_contents()
        assert [title.split(" ")[0] for title in titles] == ["Senders", "Topics", "Tiers", "Tags", "Chains", "Keys"], titles
        for section in page.locator("#facets details").all():
            if section.get_attribute("open") is None:
                section.locator("summary").click()
        for name, value in [("sender", "human"), ("topic", "review"), ("tier", "A"), ("tag", "@Status-Ready"), ("key", "mallory"), ("chain", "system_architecture")]:
            button = page.locator(f"#facets button[data-name='{name}'][data-value='{value}']")
            own = int(button.locator(".number").text_content())
            button.click()
            until(lambda: found(page) == f"{own} of 300 messages match", f"{name}={value}: {found(page)}")
            assert f"{name}=" in page.url, page.url
            expect(button).to_have_attribute("aria-pressed", "true")
            page.locator("#chosen .chip").click()
            until(lambda: found(page) == "300 messages", "no filter")
            button.locator("xpath=..").locator(".not").click()
            until(lambda: found(page) == f"{300 - own} of 300 messages match", f"not {name} {value}: {found(page)}")
            page.locator("#chosen .chip.not").click()
            until(lambda: found(page) == "300 messages", "no filter")
        # In a message itself.
        page.keyboard.press("g")
        page.locator("#rows .row[data-number='3'] [data-topic]").click(modifiers=["Alt"])
        until(lambda: "topic=%21" in page.url, page.url)
        page.go_back()
        until(lambda: found(page) == "300 messages", "the browser's way back")
        # A time, by keyboard.
        page.locator("#since").fill("2025-11-20T05:00:00Z")
        page.locator("#until").fill("2025-11-20T05:30:00Z")
        page.keyboard.press("Enter")
        until(lambda: " of 300" in found(page), "a time")
        assert "since=2025" in page.url and "until=2025" in page.url, page.url
        page.keyboard.press("Escape")
        page.locator("main").click(position={"x": 2, "y": 2})
        page.keyboard.press("x")
        until(lambda: found(page) == "300 messages", "no filter")
        # A time, by dragging over the bars and over a lane.
        for chart in ["#histogram svg", "#lanes svg >> nth=0"]:
            with page.expect_response("**/api/statistics*"):
                page.reload()
            box = until(lambda: page.locator(chart).bounding_box(), chart)
            page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2)
            page.mouse.down()
            page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2, steps=4)
            page.mouse.up()
            until(lambda: " of 300" in found(page), f"dragged over {chart}")
            count = int(found(page).split(" ")[0])
            assert 0 < count < 300, count
            page.keyboard.press("x")
            until(lambda: found(page) == "300 messages", "no filter")
        clean(page)


def check_what_messages_look_like(browser):
    path = folder("looks")
    picture = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
    said = [*journal.SAID, f"![mine]({picture}) ![theirs](https://evil.example/track.png)", "see [the guide](https://example.org/guide)"]
    journal.write(path, (journal.line(number, "human", text, seconds=number) for number, text in enumerate(said, 1)))
    with Served(path) as served:
        page = opened(browser, served.address)
        row = lambda number: page.locator(f"#rows .row[data-number='{number}']")

        def show(number):
            page.evaluate("(number) => { location.hash = `at=${number}`; }", number)
            row(number).locator("article").wait_for()
            return row(number)

        review = show(2)
        for part in ["h3", "ol li", "blockquote", "table th", "figure.code .word", "figure.code .comment", "figure.code pre .number", "a[href='https://example.org/guide']"]:
            assert review.locator(part).count() > 0, part
        assert review.locator("figcaption span").first.text_content() == "rust"
        parts = show(3)
        assert parts.locator("details.part").count() == 3
        assert parts.locator("details.part[open]").count() == 0, "calls of tools and thoughts are folded"
        diff = show(4)
        colours = [diff.locator(part).first.evaluate("(line) => getComputedStyle(line).backgroundColor") for part in [".added", ".removed", ".place"]]
        assert len(set(colours)) == 3, colours
        tree = show(5)
        assert tree.locator(".json details").count() >= 3
        hebrew = show(7)
        assert hebrew.locator(".body").evaluate("(body) => getComputedStyle(body).direction") == "rtl"
        long = show(8)
        long.locator("button.all").wait_for()
        before = long.bounding_box()["height"]
        long.locator("button.all").click()
        until(lambda: row(8).bounding_box()["height"] > before + 100, "show all")
        assert row(8).locator("button.all").count() == 0
        pictures = show(9)
        assert pictures.locator("img").count() == 1, "only what the message brings is a picture"
        assert "evil.example/track.png" in pictures.text_content()
        link = show(10)
        assert "(https://example.org/guide)" in link.text_content(), "a link tells where it leads"
        clean(page)


def check_code_is_copied(browser):
    path = folder("copy")
    journal.write(path, [journal.line(1, "human", journal.REVIEW)])
    with Served(path) as served:
        page = opened(browser, served.address, permissions=["clipboard-read", "clipboard-write"])
        button = page.locator("#rows .copy")
        button.click()
        page.wait_for_selector("#rows .copy.copied")
        assert page.evaluate("() => navigator.clipboard.readText()").startswith("// Waits twice as long"), "the code is in the clipboard"
        clean(page)


def check_threads_beside_the_list(browser):
    path = folder("threads")
    lines = [journal.line(1, "human", "Who knows?", name="a"), journal.line(2, "qwen", "I do.", reply="a", name="b", seconds=1),
             journal.line(3, "codex", "elsewhere", name="c", seconds=2), journal.line(4, "human", "Tell.", reply="b", name="d", seconds=3)]
    journal.write(path, lines)
    with Served(path) as served:
        page = opened(browser, served.address + "#at=2")
        until(lambda: current(page) == 2, "the message")
        page.keyboard.press("t")
        page.wait_for_selector("#thread:not([hidden]) article.current")
        rows = page.locator("#thread .row")
        assert rows.evaluate_all("(rows) => rows.map((row) => [row.dataset.number, row.dataset.depth])") == [["1", "0"], ["2", "1"], ["4", "2"]]
        thread, main = page.locator("#thread").bounding_box(), page.locator("#main").bounding_box()
        assert thread["x"] >= main["x"] + main["width"] - 1, "it stands beside the list"
        journal.append(path, [journal.line(5, "qwen", "Now you know.", reply="d", name="e", seconds=4)])
        page.locator("#thread .row[data-number='5']").wait_for()
        # What it answers, by hovering and by a jump.
        page.locator("#rows .row[data-number='4'] [data-reply]").hover()
        expect(page.locator("#hover")).to_contain_text("I do.")
        page.locator("#rows .row[data-number='4'] [data-reply]").click()
        until(lambda: current(page) == 2, "the message that it answers")
        page.keyboard.press("p")
        until(lambda: current(page) == 1, "and by a key what that answers")
        edges = page.locator("#graph table tbody tr").evaluate_all("(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))")
        assert ["qwen", "human", "1", "1.0 s"] in edges, edges
        clean(page)


def check_open_questions_and_silences(browser):
    path = folder("open")
    lines = [journal.line(number, "human", "words", name=f"m{number}", seconds=number * 10) for number in range(1, 20)]
    lines += [journal.line(20, "qwen", "Is anybody there?", name="q", seconds=4_000), journal.line(21, "human", "more words", name="r", seconds=4_010)]
    journal.write(path, lines)
    with Served(path) as served:
        page = opened(browser, served.address)
        page.wait_for_selector("#histogram .silence", state="attached")
        expect(page.locator("#silence")).to_contain_text("longest silence: 64 min")
        page.wait_for_selector("#lanes svg[data-sender='qwen'] .open", state="attached")
        page.locator("#open-questions summary").click()
        page.locator("#open-questions button", has_text="Is anybody there?").click()
        until(lambda: current(page) == 20, "the question")
        expect(page.locator("#facts")).to_contain_text("1 open question")
        clean(page)


def check_health_at_a_glance(browser):
    path = folder("health")
    journal.write(path, journal.talk(5))
    journal.append(path, ["{\"torn\n", *(journal.line(6, "human", "behind it", seconds=9_000),)])
    with Served(path, 0, "--control", "tcp://127.0.0.1:1") as served:
        page = opened(browser, served.address)
        expect(page.locator("#state")).to_have_text("no broker answers")
        expect(page.locator("#health")).to_have_class("still")
        expect(page.locator("#facts")).to_contain_text("1 damaged line")
        now = datetime.datetime.now(datetime.timezone.utc)
        journal.append(path, [journal.line(7, "human", "just now", seconds=(now - journal.START).total_seconds())])
        expect(page.locator("#state")).to_have_text("being recorded")
        expect(page.locator("#health")).to_have_class("fresh")
        expect(page.locator("#facts")).to_contain_text("1 a minute")
        clean(page)


def check_very_many_come_at_once(browser):
    path = folder("fast")
    journal.write(path, journal.talk(10))
    # 50,000 a second, for two seconds.
    batch, rounds = 2_500, 40
    lines = [[journal.line(11 + round * batch + at, "human", f"fast {at}", seconds=9_000 + round) for at in range(batch)] for round in range(rounds)]
    with Served(path) as served:
        page = opened(browser, served.address)
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "/api/messages" in request.url else None)
        says = []
        began = time.monotonic()
        for each in lines:
            begin = time.monotonic()
            journal.append(path, each)
            says.append(found(page))
            time.sleep(max(0, 0.05 - (time.monotonic() - begin)))
        last = 10 + batch * rounds
        assert any("a second: not all are drawn" in text for text in says), says[-3:]
        until(lambda: found(page) == f"{last:,} messages", f"all are counted: {found(page)}")
        until(lambda: last in seen(page), "the newest is shown in the end")
        took = time.monotonic() - began
        assert len(asked) < 10 + 6 * took, f"a part is drawn, with {len(asked)} questions in {took:.0f} s"
        print(f"  {batch * rounds:,} messages in {rounds * 0.05:.0f} s: {len(asked)} questions for messages")
        # Nothing is lost where one scrolls back.
        for at in [11, last // 3, last // 2, last - 1_000]:
            page.evaluate("(at) => { location.hash = `at=${at}`; }", at)
            until(lambda: seen(page)[:1] == [at], f"message {at}")
            page.wait_for_function("() => !document.querySelector('#rows .row.waiting')")
            assert page.locator("#rows article.missing").count() == 0
        clean(page)


def check_print_motion_and_narrow_screens(browser):
    path = folder("narrow")
    journal.write(path, journal.talk(60))
    with Served(path) as served:
        page = opened(browser, served.address, reduced_motion="reduce")
        moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter((element) => {
            const style = getComputedStyle(element);
            return style.transitionDuration !== "0s" || style.animationName !== "none" || style.scrollBehavior === "smooth";
        }).length""")
        assert moving == 0, "nothing moves by itself"
        page.emulate_media(media="print")
        assert page.locator("#side").is_hidden() and page.locator("#head").is_hidden()
        assert page.locator("#rows article").first.is_visible()
        narrow = opened(browser, served.address, viewport={"width": 400, "height": 800}, has_touch=True)
        wide = narrow.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= 400, f"nothing is wider than the screen: {wide}"
        narrow.locator("#open-filters").click()
        expect(narrow.locator("#side")).to_be_visible()
        expect(narrow.locator("#main")).to_be_hidden()
        narrow.locator("#open-filters").click()
        expect(narrow.locator("#main")).to_be_visible()
        clean(narrow)


def transcript(name, count, *options):
    """A transcript of so many messages, made by the viewer."""
    path = folder(name)
    journal.write(path, journal.talk(count))
    out = os.path.join(path, "talk")
    words = [VIEWER, "--dir", path, "-o", "html", "--limit", "0", "--utc", *options]
    made = subprocess.run([*words, "--out", out] if count > 5_000 else words, check=True, capture_output=True)
    if count <= 5_000:
        with open(out + ".html", "wb") as file:
            file.write(made.stdout)
        return "file://" + out + ".html"
    return "file://" + made.stdout.decode().strip()


def opened_file(browser, address, **options):
    page = browser.new_page(**{"viewport": {"width": 1400, "height": 900}, **options})
    page.set_default_timeout(60_000)
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


def check_one_file_to_share(browser):
    address = transcript("single", 5_000)
    page = opened_file(browser, address)
    expect(page.locator("#found")).to_have_text("5000 messages")
    heap = page.evaluate("() => performance.memory.usedJSHeapSize") / 1e6
    print(f"  5,000 messages in one file: open in {page.took:.1f} s, heap {heap:.0f} MB")
    page.keyboard.press("/")
    page.keyboard.type("retry loop never")
    page.wait_for_function("() => document.getElementById('found').textContent.includes(' of 5000')")
    shown = page.evaluate("() => [...document.querySelectorAll('#messages > article')].filter((article) => !article.hidden).length")
    assert 0 < shown < 5_000, shown
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_have_text("5000 messages")
    page.locator("#threads").check()
    assert page.locator("#messages .answers article").count() > 1_000
    clean(page)


def check_many_pages_to_share(browser):
    address = transcript("pages", 20_000)
    page = opened_file(browser, address)
    print(f"  20,000 messages: the index page opens in {page.took:.1f} s", end="")
    rows = page.locator("#contents tr a").count()
    assert rows >= 20, rows
    page.keyboard.press("/")
    page.keyboard.type("retry loop")
    page.wait_for_function("() => /messages match/.test(document.getElementById('found').textContent) && !/page/.test(document.getElementById('found').textContent)")
    matching = int(found(page).split(" ")[0].replace(",", ""))
    assert matching > 2_000, "all pages are searched"
    assert page.locator("#results .found").count() == 200
    # The address holds the search.
    assert "#q=retry%20loop" in page.url, page.url
    link = page.locator("#results .found a").last
    number = link.text_content().split(" ")[0].lstrip("#")
    link.click()
    page.wait_for_selector("article:target")
    assert page.locator("article:target .number").text_content() == f"#{number}"
    one = opened_file(browser, address.replace("index.html", "pages/0002.html"))
    print(f", a page in {one.took:.1f} s")
    # From a page to what it answers on the one before, and back by the answer there.
    reply = one.locator("article .reply a[href^='0001.html']").first
    answer = one.locator("article", has=one.locator(".reply a[href^='0001.html']")).first.get_attribute("id")
    reply.click()
    one.wait_for_selector("article:target")
    assert "/pages/0001.html#" in one.url, one.url
    one.locator(f"article:target .answered a[href='0002.html#{answer}']").click()
    one.wait_for_selector(f"article:target#{answer}")
    one.locator("nav.way a[rel=next]").first.click()
    one.wait_for_url("**/pages/0003.html")
    one.locator("nav.way a", has_text="all pages").first.click()
    one.wait_for_url("**/index.html")
    for each in [page, one]:
        each.elsewhere = [url for url in each.elsewhere if not url.startswith(address.rsplit("/", 1)[0])]
        clean(each)


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
        page.wait_for_selector("#thread:not([hidden]) article")
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
