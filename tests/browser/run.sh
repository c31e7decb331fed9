#!/bin/sh
# Checks the page of `viewer serve` in Chromium, where that can be had.
set -eu
cd "$(dirname "$0")/../.."
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
    apt-get install -y -qq chromium > /dev/null 2>&1 || true
    browser=$(command -v chromium || true)
fi
if [ -z "$browser" ]; then
    echo "the page is not checked in a browser: there is no Chromium, and it can't be installed"
    exit 0
fi
venv=target/browser-venv
if [ ! -e "$venv/ready" ]; then
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q playwright crc32c axe-playwright-python; }; then
        echo "the page is not checked in a browser: its driver can't be installed"
        exit 0
    fi
    touch "$venv/ready"
fi
rm -rf target/browser
exec "$venv/bin/python" tests/browser/run.py target/debug/viewer "$browser" target/browser "$@"
