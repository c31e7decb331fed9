#!/usr/bin/env python3
"""Publishes messages and says under which number each is on disk.

Needs pyzmq (pip install pyzmq). With a broker on its usual ports:

    python3 acked_publish.py --topic greeting --sender claude_code "Hello, Gemini"

It may be killed and started again with the same --run: what is recorded already
is not recorded twice.
"""

import argparse
import sys
import uuid

from recorder_client import Recorder, RecorderError


def arguments():
    parser = argparse.ArgumentParser(description="Publishes, and knows that it is on disk.")
    parser.add_argument("text", nargs="+", help="one message each")
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5558", help="(%(default)s)")
    parser.add_argument("--topic", default="general", help="first frame (%(default)s)")
    parser.add_argument("--sender", default="python_example", help="who sends (%(default)s)")
    parser.add_argument("--run", default=str(uuid.uuid4()), help="begins the messages' names")
    parser.add_argument("--count", type=int, default=1, help="how often to send it all (%(default)s)")
    parser.add_argument("--wait", type=float, default=30, help="seconds for the broker (%(default)s)")
    return parser.parse_args()


def main():
    args = arguments()
    texts = args.text * args.count
    messages = [
        (
            args.topic,
            {
                "sender_id": args.sender,
                "message_id": f"{args.run}-{number}",
                "content": {"message": text},
            },
        )
        for number, text in enumerate(texts, 1)
    ]
    try:
        with Recorder(args.endpoint, args.wait) as recorder:
            numbers = recorder.publish_many(messages)
    except RecorderError as error:
        sys.exit(f"acked_publish.py: {error}")
    print(f"[*] {len(numbers)} messages on disk, numbers {min(numbers)} to {max(numbers)}")


if __name__ == "__main__":
    main()
