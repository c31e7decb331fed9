"""What messages look like, on screens of any width, on paper, and to everybody."""

import os

from playwright.sync_api import expect

import journal
from served import FOLDER, Served, clean, folder, opened, seen, until


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
        expect(page.locator("#rows .waiting")).to_have_count(0)
        prints_what_is_drawn(page)
        narrow = opened(browser, served.address, viewport={"width": 400, "height": 800}, has_touch=True)
        wide = narrow.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= 400, f"nothing is wider than the screen: {wide}"
        narrow.locator("#open-filters").click()
        expect(narrow.locator("#side")).to_be_visible()
        assert narrow.evaluate("() => document.elementFromPoint(200, 400).closest('#side') !== null"), "it covers the messages"
        narrow.locator("#open-filters").click()
        expect(narrow.locator("#side")).to_be_hidden()
        clean(narrow)


def prints_what_is_drawn(page):
    drawn = "() => [...document.querySelectorAll('#rows .row')].map((row) => row.dataset.number).join()"
    page.evaluate("() => { location.hash = 'at=30'; }")
    until(lambda: seen(page)[:1] == [30], "somewhere in the middle")
    # It has come to rest, and all that is drawn is there.
    page.wait_for_timeout(500)
    expect(page.locator("#rows .waiting")).to_have_count(0)
    before, place = page.evaluate(drawn), seen(page)
    page.emulate_media(media="print")
    assert page.locator("#side").is_hidden() and page.locator("#head").is_hidden()
    # Whatever is due while the paper is there: a size that changes, and what follows from that.
    page.set_viewport_size({"width": 800, "height": 1100})
    page.wait_for_timeout(500)
    assert page.evaluate(drawn) == before, "the rows that were there are printed"
    assert page.locator("#rows article").first.is_visible()
    page.set_viewport_size({"width": 1400, "height": 900})
    page.emulate_media(media="screen")
    until(lambda: seen(page) == place, "after it, it stands where it stood")


def check_the_rules_of_accessibility(browser):
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        print("  without axe: not checked")
        return
    path = folder("axe")
    journal.write(path, journal.talk(120))
    with Served(path) as served:
        def look(page, what):
            found = Axe().run(page)
            faults = [(fault["id"], fault["nodes"][0]["html"][:200], fault["nodes"][0].get("failureSummary")) for fault in found.response["violations"]]
            assert not faults, (what, faults)

        for scheme in ["light", "dark"]:
            page = opened(browser, served.address, color_scheme=scheme, bypass_csp=True)
            page.wait_for_selector("#graph svg")
            page.wait_for_selector("#open-questions details")
            look(page, "the page")
            page.keyboard.press("t")
            page.wait_for_selector("#thread:not([hidden]) article")
            look(page, "a thread")
            page.keyboard.press("Escape")
            page.keyboard.press("?")
            look(page, "help")
            narrow = opened(browser, served.address, color_scheme=scheme, bypass_csp=True, viewport={"width": 400, "height": 800})
            look(narrow, "on a narrow screen")
            narrow.locator("#open-filters").click()
            narrow.wait_for_selector("#open-questions details")
            look(narrow, "filters on a narrow screen")


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
