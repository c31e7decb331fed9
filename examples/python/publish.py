#!/usr/bin/env python3
"""Publishes messages to the broker without losing any on the way.

Needs pyzmq (pip install pyzmq). With a broker on its usual ports:

    python3 publish.py "Hello, Gemini"
    python3 publish.py --topic status --sender claude_code "tests are green" "merging"
"""

import argparse
import datetime
import json
import sys
import time
import uuid

import zmq


def connect(context, endpoint, seconds):
    """A socket for publishing that the broker listens to, or None when there is no broker.

    A PUB socket drops what it is told to send before it has the broker's
    subscription, what is over its high-water mark, and what is unsent when it is
    closed. So: no mark, no limit to the time that closing may take, and no message
    before the subscription has come.

    The socket is an XPUB and no PUB because it alone can tell that moment. It sends
    just as a PUB does, and besides hands out the subscriptions that come in. The
    broker's is the single byte 1: "everything". A PUB could wait for the monitor's
    event EVENT_HANDSHAKE_SUCCEEDED at most, which comes a moment too early.
    """
    publisher = context.socket(zmq.XPUB)
    publisher.set(zmq.SNDHWM, 0)
    publisher.set(zmq.LINGER, -1)
    publisher.connect(endpoint)
    if not publisher.poll(seconds * 1000):
        publisher.close(linger=0)
        return None
    publisher.recv()
    return publisher


def message(sender, text):
    """One message as the broker's records know it; content may be any JSON."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "sender_id": sender,
        "message_id": str(uuid.uuid4()),
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "content": {"message": text},
        "metadata": {"ace_tier": "E", "chain_type": "examples", "shl_tags": []},
    }


def arguments():
    parser = argparse.ArgumentParser(description="Publishes messages to the broker.")
    parser.add_argument("text", nargs="*", default=["Hello from Python"], help="one message each")
    parser.add_argument("--host", default="127.0.0.1", help="the broker's address (%(default)s)")
    parser.add_argument("--port", type=int, default=5555, help="its publishers' port (%(default)s)")
    parser.add_argument("--topic", default="general", help="first frame (%(default)s)")
    parser.add_argument("--sender", default="python_example", help="who sends (%(default)s)")
    parser.add_argument("--count", type=int, default=1, help="how often to send it all (%(default)s)")
    parser.add_argument(
        "--wait", type=float, default=10, help="seconds to wait for the broker (%(default)s)"
    )
    return parser.parse_args()


def main():
    args = arguments()
    endpoint = f"tcp://{args.host}:{args.port}"
    context = zmq.Context()
    publisher = connect(context, endpoint, args.wait)
    if publisher is None:
        sys.exit(f"publish.py: no broker answers on {endpoint}; start it, or give --port")

    started = time.monotonic()
    texts = args.text * args.count
    for text in texts:
        payload = json.dumps(message(args.sender, text), ensure_ascii=False)
        publisher.send_multipart([args.topic.encode(), payload.encode()])

    # Closing and then ending the context waits until the last message has left.
    publisher.close()
    context.term()
    print(f"[*] Sent {len(texts)} messages in {time.monotonic() - started:.2f} s")


if __name__ == "__main__":
    main()
