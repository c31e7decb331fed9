#!/usr/bin/env python3
"""Shows what goes through the broker, and goes on when the broker comes back.

Needs pyzmq (pip install pyzmq). With a broker on its usual ports:

    python3 monitor.py
    python3 monitor.py --topic claude --topic status

After it has connected, and again after each new connection, the broker first sends
the history of the current session, then what is live.
"""

import argparse
import json
import signal
import sys


def end(signum, frame):
    """Ends the program at the first Ctrl+C; another one changes nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(0)


# Before pyzmq is imported, which takes a moment: Ctrl+C is no error at any time.
signal.signal(signal.SIGINT, end)

import zmq  # noqa: E402
from zmq.utils.monitor import recv_monitor_message  # noqa: E402

SENDER_KEYS = ("sender_id", "sender", "from", "agent")


def visible(text):
    """The text with everything that could drive a terminal as a visible escape."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def decode(frame):
    return frame.decode("utf-8", "backslashreplace")


def describe(frames):
    """One message for people: who, where, what. Anything can be in a frame."""
    topic = visible(decode(frames[0])).replace("\n", "\\n")
    text = decode(b"\n".join(frames[1:]))
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        return f"[{topic}] {visible(text)}"
    sender = next((payload[key] for key in SENDER_KEYS if key in payload), "unknown")
    sender = visible(str(sender)).replace("\n", "\\n")
    content = payload.get("content", payload)
    if not isinstance(content, str):
        content = json.dumps(content, ensure_ascii=False, indent=2)
    return f"[{topic}] {sender}: {visible(content)}"


def show(text):
    print(text, flush=True)


def monitor(subscriber, events):
    poller = zmq.Poller()
    poller.register(subscriber, zmq.POLLIN)
    poller.register(events, zmq.POLLIN)
    while True:
        ready = dict(poller.poll())
        if events in ready:
            event = recv_monitor_message(events)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                show("[*] connected; the session so far comes first")
            else:
                show("[*] connection lost; waiting for the broker")
        if subscriber in ready:
            show(describe(subscriber.recv_multipart()))


def arguments():
    parser = argparse.ArgumentParser(description="Shows what goes through the broker.")
    parser.add_argument("--host", default="127.0.0.1", help="the broker's address (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=5556, help="its subscribers' port (%(default)s)"
    )
    parser.add_argument(
        "--topic", action="append", help="only topics that start with this; can be given often"
    )
    return parser.parse_args()


def main():
    args = arguments()
    context = zmq.Context()
    subscriber = context.socket(zmq.SUB)
    subscriber.set(zmq.LINGER, 0)
    # No limit of its own: what comes while it prints waits here and is not dropped.
    subscriber.set(zmq.RCVHWM, 0)
    for topic in args.topic or [""]:
        subscriber.subscribe(topic)
    events = subscriber.get_monitor_socket(
        zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
    )
    endpoint = f"tcp://{args.host}:{args.port}"
    show(f"[*] listening to {endpoint}")
    subscriber.connect(endpoint)
    try:
        monitor(subscriber, events)
    finally:
        subscriber.disable_monitor()
        events.close()
        subscriber.close()
        context.term()


if __name__ == "__main__":
    main()
