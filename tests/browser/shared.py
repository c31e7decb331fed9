"""What `-o html` writes: one file, or many pages."""

import os
import subprocess

from playwright.sync_api import expect

import journal
from served import VIEWER, clean, folder, found, opened_file


def transcript(name, count, *options):
    """A transcript of a number of messages, made by the viewer."""
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


def check_what_is_far_down_in_a_file(browser):
    address = transcript("far-down", 5_000)
    # What nobody has looked at yet is where a link leads to.
    page = opened_file(browser, address + "#m4000")
    page.wait_for_selector("article:target")
    assert page.locator("article:target .number").text_content() == "#4000"
    page.wait_for_function("() => !document.querySelector('noscript.later')")
    assert page.locator("#messages > article").count() == 5_000
    numbers = page.locator("#messages > article").evaluate_all("(all) => all.map((article) => article.id)")
    assert numbers == [f"m{number}" for number in range(1, 5_001)], "all of it, in order"
    # A link within the page, before all is there.
    other = opened_file(browser, address)
    other.evaluate("() => { location.hash = '#m4500'; }")
    other.wait_for_selector("article#m4500:target")
    # On paper there is all of it.
    printed = opened_file(browser, address)
    printed.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert printed.locator("#messages > article").count() == 5_000
    # Without scripts, too.
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(address)
    expect(plain.locator("#messages article")).to_have_count(5_000)
    for each in [page, other, printed]:
        clean(each)


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
