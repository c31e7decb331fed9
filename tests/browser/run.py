"""Looks at the page with a real browser.

Usage: run.py VIEWER BROWSER FOLDER [NAME...]: the program, Chromium, and where journals
and pictures go; with names only these checks. Ends with 1 where one fails.
"""

import faulthandler
import os
import sys
import traceback

from playwright.sync_api import sync_playwright

import large
import live
import looks
import page
import shared
from served import BROWSER, FOLDER

# A browser that hangs must not hold up whoever waits for this.
faulthandler.dump_traceback_later(1200, exit=True)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    modules = [page, live, looks, shared, large]
    checks = {name: check for module in modules for name, check in vars(module).items() if name.startswith("check_")}
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
