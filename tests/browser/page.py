"""The list, its keys and filters, threads, and what is open."""

from playwright.sync_api import expect

import journal
from served import Served, clean, current, folder, found, opened, seen, until


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
        # A row is there before its message is.
        deep.wait_for_selector("#rows .row[data-number='42'] article")
        deep.keyboard.press("t")
        deep.wait_for_selector("#thread:not([hidden]) article.current")
        deep.keyboard.press("Escape")
        expect(deep.locator("#thread")).to_be_hidden()
        deep.locator("#rows .row[data-number='42'] [data-reply]").click()
        until(lambda: seen(deep)[0] < 42, "the message that it answers")
        for each in [page, other, deep]:
            clean(each)


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
        # Its answer comes when nobody wants it any more.
        held = []
        page.route("**/api/numbers?topic=*", lambda route: held.append(route) if not held else route.continue_())
        page.locator("#rows .row[data-number='3'] [data-topic]").click(modifiers=["Alt"])
        page.wait_for_event("request", lambda request: "numbers?topic" in request.url) if not held else None
        assert "topic=%21" in page.url, page.url
        page.go_back()
        until(lambda: "topic=" not in page.url, "the browser's way back")
        with page.expect_response("**/api/numbers?topic=*"):
            held[0].continue_()
        page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
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


def check_a_thread_stays_where_it_is_read(browser):
    path = folder("long-thread")
    journal.write(path, [journal.line(number, "human", "words\n" * 9, name=f"m{number}", seconds=number,
                                      reply=f"m{number - 1}" if number > 1 else None) for number in range(1, 41)])
    with Served(path) as served:
        page = opened(browser, served.address + "#at=1")
        until(lambda: current(page) == 1, "the message")
        page.keyboard.press("t")
        page.wait_for_selector("#thread:not([hidden]) article.current")
        held = []
        page.route("**/api/thread/**", lambda route: held.append(route))
        journal.append(path, [journal.line(41, "qwen", "the last one", reply="m40", name="m41", seconds=99)])
        until(lambda: held or page.wait_for_timeout(50), "it is asked for again")
        body = "document.getElementById('thread-body')"
        page.evaluate(f"() => {{ {body}.scrollTop = 500; }}")
        held[0].continue_()
        page.locator("#thread .row[data-number='41']").wait_for()
        assert page.evaluate(f"() => {body}.scrollTop") == 500
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
