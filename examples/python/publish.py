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
from zmq.utils.monitor import recv_monitor_message


def connect(context, endpoint, seconds):
    """A PUB socket that is connected, or None when nobody answers in time.

    A PUB socket drops what it is told to send before the connection stands, what
    is over its high-water mark, and what is unsent when it is closed. So: no mark,
    no limit to the time that closing may take, and no message before the handshake.
    """
    publisher = context.socket(zmq.PUB)
    publisher.set(zmq.SNDHWM, 0)
    publisher.set(zmq.LINGER, -1)

    # The monitor is there before the connection, so that its event can't be missed.
    events = publisher.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    publisher.connect(endpoint)
    connected = events.poll(seconds * 1000)
    if connected:
        recv_monitor_message(events)
    publisher.disable_monitor()
    events.close()
    if not connected:
        publisher.close(linger=0)
        return None
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
    parser.add_argument("--count", type=int, default=1, help="send it all so often (%(default)s)")
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
