"""A million messages."""

import time

import journal
from served import FRAMES, Served, clean, folder, opened, seen, until


def check_a_million_messages_scroll(browser):
    path = folder("million")
    journal.write(path, journal.many(1_000_000))
    with Served(path) as served:
        # Asked once before, so that the disk's speed is left out.
        page = opened(browser, served.address)
        until(lambda: 1_000_000 in seen(page), "it opens at the end")
        took = time.monotonic() - page.began
        scroller = "document.getElementById('scroller')"
        for share in [0.5, 0.25, 0.75, 0.1]:
            page.evaluate(f"(share) => {{ const s = {scroller}; s.scrollTop = share * (s.scrollHeight - s.clientHeight); }}", share)
            until(lambda: seen(page) and abs(seen(page)[0] / 1_000_000 - share) < 0.001, f"the scroll bar is true at {share}")
            page.wait_for_function("() => !document.querySelector('#rows .row.waiting')")
        page.mouse.move(900, 500)
        before = seen(page)[0]
        median, p95 = page.evaluate(FRAMES)
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
              f"frames of {median:.1f} ms, p95 {p95:.1f} ms")
        assert heap < 300 and nodes < 20_000, (heap, nodes)
        clean(page)


# Goes elsewhere 1 ms before the list settles, which happens before the browser tells of the scrolling.
JUMP = """(share) => new Promise((done) => {
    const scroller = document.getElementById("scroller");
    scroller.addEventListener("scroll", () => requestAnimationFrame(() => setTimeout(() => {
        scroller.scrollTop = share * (scroller.scrollHeight - scroller.clientHeight);
        done();
    }, 179)), { once: true });
    scroller.scrollTop -= 1;
})"""


def check_a_jump_is_kept_whatever_is_due(browser):
    path = folder("jumps")
    journal.write(path, journal.many(20_000))
    with Served(path) as served:
        page = opened(browser, served.address)
        until(lambda: 20_000 in seen(page), "it opens at the end")
        for share in [0.5, 0.25, 0.75, 0.1]:
            page.wait_for_function("() => !document.querySelector('#rows .row.waiting')")
            page.evaluate(JUMP, share)
            until(lambda: seen(page) and abs(seen(page)[0] / 20_000 - share) < 0.002, f"it is at {share}")
        clean(page)
