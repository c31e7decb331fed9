#!/usr/bin/env python3
"""Shows every message once, also when it or the broker is stopped in between.

Needs pyzmq (pip install pyzmq). With a broker on its usual ports:

    python3 durable_consumer.py --name indexer
    python3 durable_consumer.py --name rehearsal --from start --pace 10 --end

The broker keeps the position under the name. Start it again: it goes on there.
"""

import argparse
import signal
import sys

# Before pyzmq is imported, which takes a moment: Ctrl+C is no error at any time.
signal.signal(signal.SIGINT, lambda signum, frame: sys.exit(0))

from recorder_client import Recorder, RecorderError  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description="Shows every message once.")
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5558", help="(%(default)s)")
    parser.add_argument("--name", required=True, help="where the broker keeps the position")
    parser.add_argument("--from", dest="from_", help="a number, start, session, now or after")
    parser.add_argument("--topic", help="only topics that begin so")
    parser.add_argument("--sender", help="only this sender's messages")
    parser.add_argument("--pace", type=float, help="times as fast as it was recorded")
    parser.add_argument("--end", action="store_true", help="end at the last message")
    parser.add_argument("--wait", type=float, default=30, help="seconds for the broker (%(default)s)")
    return parser.parse_args()


def request(args):
    """The arguments that were given, as the protocol has them."""
    filters = {"topic": args.topic, "sender": args.sender}
    wanted = {
        "from_": int(args.from_) if (args.from_ or "").isdigit() else args.from_,
        "pace": args.pace,
        "filter": {name: text for name, text in filters.items() if text is not None},
        "follow": not args.end,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def visible(text):
    """The text with everything that could drive a terminal as a visible escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def main():
    args = arguments()
    try:
        with Recorder(args.endpoint, args.wait) as recorder:
            consumer = recorder.consume(args.name, **request(args))
            for message in consumer:
                print(f"{message.number} [{visible(message.topic)}] {visible(str(message.payload))}")
                sys.stdout.flush()
                # Done with it: it does not come again.
                message.ack()
            consumer.ack(consumer.end)
    except RecorderError as error:
        sys.exit(f"durable_consumer.py: {error}")


if __name__ == "__main__":
    main()
