"""A plain recording broker as one would write it in Python: receive a message,
parse it, append a line of JSON, fsync, deliver. Nothing is done at a time."""

import json
import os
import sys

import zmq


def main() -> None:
    context = zmq.Context()
    publishers = context.socket(zmq.SUB)
    publishers.set(zmq.RCVHWM, 0)
    publishers.set(zmq.SUBSCRIBE, b"")
    publish_port = publishers.bind_to_random_port("tcp://127.0.0.1")
    subscribers = context.socket(zmq.PUB)
    subscribers.set(zmq.SNDHWM, 0)
    subscribe_port = subscribers.bind_to_random_port("tcp://127.0.0.1")

    with open(sys.argv[1], "a", encoding="utf-8") as journal:
        print(f"publish {publish_port}", flush=True)
        print(f"subscribe {subscribe_port}", flush=True)
        number = 0
        while True:
            topic, payload = publishers.recv_multipart()
            number += 1
            message = json.loads(payload)
            record = {
                "message_num": number,
                "topic": topic.decode(),
                "sender": message.get("sender_id", "unknown"),
                "message": message,
            }
            journal.write(json.dumps(record) + "\n")
            journal.flush()
            os.fsync(journal.fileno())
            subscribers.send_multipart([topic, payload])


main()
