"""Agent to agent over two brokers and two bridges:
bridge_latency.py PUB_PORT SUB_PORT_HERE SUB_PORT_THERE DIR_HERE DIR_THERE [COUNT].

Publishes one message at a time to the first broker, and measures when a subscriber of the
same broker gets it, and when one of the other machine's broker does. The journals, whose
clock is the same here, tell the time between the two records of a message.
"""

import json
import pathlib
import sys
import time
from datetime import datetime

import zmq

publish, here, there = map(int, sys.argv[1:4])
journals = [pathlib.Path(path) / "current_session.jsonl" for path in sys.argv[4:6]]
count = int(sys.argv[6]) if len(sys.argv) > 6 else 500


def recorded(journal):
    """When each message was recorded, by its id."""
    records = (json.loads(line) for line in journal.open(encoding="utf-8"))
    return {
        record["message_id"]: datetime.fromisoformat(record["recorded_at"].replace("Z", "+00:00"))
        for record in records
        if record["topic"] == "latency"
    }


context = zmq.Context()
publisher = context.socket(zmq.PUB)
publisher.connect(f"tcp://127.0.0.1:{publish}")
subscribers = []
for port in (here, there):
    socket = context.socket(zmq.SUB)
    socket.connect(f"tcp://127.0.0.1:{port}")
    socket.subscribe("latency")
    subscribers.append(socket)
time.sleep(1)
times = {"same machine": [], "over the bridge": []}
for number in range(count):
    payload = {"sender_id": "a", "message_id": f"l-{time.time_ns()}", "content": "x" * 200}
    begin = time.perf_counter()
    publisher.send_multipart([b"latency", json.dumps(payload).encode()])
    for name, socket in zip(list(times), subscribers):
        while True:
            frames = socket.recv_multipart()
            if json.loads(frames[1])["message_id"] == payload["message_id"]:
                break
        times[name].append((time.perf_counter() - begin) * 1000)
first, second = map(recorded, journals)
times["of that, record to record"] = [
    (second[name] - first[name]).total_seconds() * 1000 for name in second
]
for name, values in times.items():
    values.sort()
    p50, p99 = values[len(values) // 2], values[int(len(values) * 0.99)]
    print(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
