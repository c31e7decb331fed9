#!/bin/sh
# How fast the bridge is: `bench_bridge.sh [RECORDS]`. Needs target/e2e-nats-venv and
# target/e2e-venv, which the end-to-end tests make, and release builds of broker and bridge.
set -eu
records=${1:-200000}
cd "$(dirname "$0")/../.."
nats=target/e2e-nats-venv/bin/nats-server
python=target/e2e-venv/bin/python
[ -x "$nats" ] || { echo "run the tests first: cargo test --test e2e -- bridge" >&2; exit 1; }
dir=$(mktemp -d)
trap 'kill $(cat "$dir"/*.pid) 2>/dev/null; sleep 1; rm -rf "$dir"' EXIT
start() {
    name=$1
    shift
    "$@" >"$dir/$name.log" 2>&1 &
    echo $! >"$dir/$name.pid"
}
start nats "$nats" -js -a 127.0.0.1 -p 26222 -sd "$dir/store"
start here target/release/broker --dir "$dir/here" --pub-port 26555 --sub-port 26556 --control-port 26558
start there target/release/broker --dir "$dir/there" --pub-port 27555 --sub-port 27556 --control-port 27558
sleep 1
"$python" - "$records" <<'P'
import json, sys, zmq
context = zmq.Context()
socket = context.socket(zmq.PUSH)
socket.connect("tcp://127.0.0.1:26555")
for number in range(int(sys.argv[1])):
    message = {"sender_id": "bench", "message_id": str(number), "content": "x" * 700}
    socket.send_multipart([b"bench", json.dumps(message).encode()])
socket.close()
context.term()
P
sleep 2
target/release/examples/ship_rate nats://127.0.0.1:26222 tcp://127.0.0.1:26558
start out target/release/bridge --nats nats://127.0.0.1:26222 --origin here --dir "$dir/here" \
    --broker tcp://127.0.0.1:26558 --from now
start in target/release/bridge --nats nats://127.0.0.1:26222 --origin there --dir "$dir/there" \
    --broker tcp://127.0.0.1:27558 --no-ship --receive --origins here
sleep 8
"$python" tests/python/bridge_latency.py 26555 26556 27556 "$dir/here" "$dir/there"
