"""libzmq's own proxy with keys: whoever knows its public key gets in."""

import sys

import zmq
import zmq.auth


def listen(context: zmq.Context, kind: int, certificate: str) -> zmq.Socket:
    socket = context.socket(kind)
    # A high-water mark would make it drop messages.
    socket.set(zmq.SNDHWM, 0)
    socket.set(zmq.RCVHWM, 0)
    socket.set(zmq.LINGER, 0)
    socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(certificate)
    socket.curve_server = True
    return socket


def main() -> None:
    context = zmq.Context()
    publishers = listen(context, zmq.XSUB, sys.argv[1])
    subscribers = listen(context, zmq.XPUB, sys.argv[1])
    print("publish", publishers.bind_to_random_port("tcp://127.0.0.1"), flush=True)
    print("subscribe", subscribers.bind_to_random_port("tcp://127.0.0.1"), flush=True)
    zmq.proxy(publishers, subscribers)


main()
