"""What is run with pyzmq: each socket type once. Prints what came of it as JSON."""

import json
import os
import time

import zmq

COUNT = 100
context = zmq.Context()


def socket(kind, port):
    made = context.socket(getattr(zmq, kind))
    made.linger = 10_000
    made.rcvtimeo = 20_000
    if "SERVER_KEY" in os.environ:
        made.curve_serverkey = os.environ["SERVER_KEY"].encode()
        made.curve_publickey = os.environ["PUBLIC_KEY"].encode()
        made.curve_secretkey = os.environ["SECRET_KEY"].encode()
    if kind == "SUB":
        made.subscribe(b"")
    made.connect("tcp://127.0.0.1:" + os.environ[port])
    return made


def publish(kind):
    made = socket(kind, "PUB_PORT")
    if kind == "XPUB":
        made.recv()
    elif kind == "PUB":
        time.sleep(1)
    for number in range(COUNT):
        made.send_multipart([kind.encode(), b'{"message_id": "%s-%d"}' % (kind.encode(), number)])
    made.close()


def receive(expected):
    made = socket("SUB", "SUB_PORT")
    count = 0
    try:
        while count < expected:
            made.recv_multipart()
            count += 1
    except zmq.Again:
        pass
    made.close()
    return count


def ask(kind):
    made = socket(kind, "CONTROL_PORT")
    made.send(b'{"op": "hello", "id": 1, "protocol": 1}')
    reply = json.loads(made.recv_multipart()[0])
    made.close()
    return reply["type"]


def main():
    publishers = os.environ["PUBLISHERS"].split()
    for kind in publishers:
        publish(kind)
    result = {"SUB": receive(COUNT * len(publishers))}
    for kind in ("DEALER", "REQ"):
        result[kind] = ask(kind)
    print(json.dumps({"version": "libzmq " + zmq.zmq_version(), "result": result}))
    context.term()


main()
