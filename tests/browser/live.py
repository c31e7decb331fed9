"""What is recorded while one looks, and how the recording is doing."""

import datetime
import time

from playwright.sync_api import expect

import journal
from served import Served, clean, folder, found, opened, seen, until


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
