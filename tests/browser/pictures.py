"""Makes the pictures of the documentation: pictures.py VIEWER BROWSER FOLDER OUT."""

import datetime
import os
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

import journal
from served import BROWSER, FOLDER, Served, folder, opened

OUT = sys.argv[4]
# Few colours are enough for a page, and small.
COLOURS = 240


def take(page, name):
    page.wait_for_function("() => !document.querySelector('#rows .row.waiting')")
    page.wait_for_selector("#open-questions details", state="attached")
    page.wait_for_function("() => document.getElementById('facts').textContent.includes('open question')")
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    path = os.path.join(OUT, name)
    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {os.path.getsize(path) // 1024} KiB")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    path = folder("story")
    now = datetime.datetime.now(datetime.timezone.utc)
    journal.write(path, journal.story(now))
    with Served(path, 0, "--control", "tcp://127.0.0.1:1") as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        for width, height in [(1400, 900), (400, 800)]:
            for scheme in ["light", "dark"]:
                page = opened(browser, served.address + ("#at=75" if width > 1000 else "#at=76"), color_scheme=scheme, viewport={"width": width, "height": height})
                if width > 1000:
                    page.keyboard.press("t")
                    page.wait_for_selector("#thread:not([hidden]) article.current")
                    page.evaluate("() => { document.getElementById('thread-body').scrollTop = 0; document.activeElement.blur(); }")
                take(page, f"page-{width}-{scheme}.png")
                page.close()
        browser.close()


main()
