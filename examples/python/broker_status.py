#!/usr/bin/env python3
"""Says whether the broker records, and how far behind whom it delivers to is.

Needs pyzmq (pip install pyzmq). With a broker on its usual ports:

    python3 broker_status.py

Ends with code 0 when it records, 1 when nobody answers, 3 when it is stalled.
"""

import argparse
import sys

from recorder_client import Recorder, RecorderError


def main():
    parser = argparse.ArgumentParser(description="Says whether the broker records.")
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:5558", help="(%(default)s)")
    parser.add_argument("--wait", type=float, default=5, help="seconds for the broker (%(default)s)")
    args = parser.parse_args()
    try:
        with Recorder(args.endpoint, args.wait) as recorder:
            status = recorder.status()
    except RecorderError as error:
        sys.exit(f"broker_status.py: {error}")
    if not status["recording"]:
        print(f"[!] NOT RECORDING since {status['stalled']['since']}: {status['stalled']['reason']}")
        sys.exit(3)
    print(f"[*] Recording; the last message is {status['last_message_num']}")
    for one in status["subscribers"]["list"]:
        print(f"[*] Subscriber {one['peer']} is {one['lag']} messages behind")
    for one in status["consumers"]:
        print(f"[*] Consumer {one['name']} is {one['lag']} messages behind")


if __name__ == "__main__":
    main()
