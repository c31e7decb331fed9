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
if [ ! -e "$venv/ready-2" ]; then
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q playwright crc32c axe-playwright-python pillow; }; then
        echo "the page is not checked in a browser: its driver can't be installed"
        exit 0
    fi
    touch "$venv/ready-2"
fi
rm -rf target/browser
case ${1:-} in
    # For the documentation, in docs/.
    --pictures) exec "$venv/bin/python" tests/browser/pictures.py "${VIEWER:-target/debug/viewer}" "$browser" target/browser docs ;;
    # How fast, and in how much memory: with the release build.
    --figures) exec "$venv/bin/python" tests/browser/figures.py "${VIEWER:-target/release/viewer}" "$browser" target/browser ;;
esac
exec "$venv/bin/python" tests/browser/run.py "${VIEWER:-target/debug/viewer}" "$browser" target/browser "$@"
