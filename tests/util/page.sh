#!/bin/sh
# Opens the viewer's page of a hostile journal in headless Chromium: nothing that a
# message says may run, and the page's own script must. Leaves pictures in target/page.
set -eu
browser=$1
viewer=$2
out=target/page
mkdir -p "$out"
"$viewer" --file bins/viewer/tests/fixtures/hostile.jsonl -o html --utc > "$out/page.html" 2> "$out/findings.txt"
page="file://$PWD/$out/page.html"
open() {
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$PWD/$out/profile" \
        --virtual-time-budget=3000 --window-size=1000,1600 "$@" "$page" 2>> "$out/log.txt"
}
open --dump-dom > "$out/dom.html"
open --screenshot="$out/light.png"
open --force-dark-mode --enable-features=WebContentsForceDark:none --blink-settings=preferredColorScheme=0 --screenshot="$out/dark.png"
if grep -q '<title>PWNED' "$out/dom.html"; then
    echo "a message's script ran: see $out/dom.html" >&2
    exit 1
fi
grep -q '<title>Conversation: ' "$out/dom.html" || { echo "the page has another title" >&2; exit 1; }
grep -q '13 messages</span>' "$out/dom.html" || { echo "the page's own script did not run" >&2; exit 1; }
echo "nothing of the messages ran; pictures are in $out"
