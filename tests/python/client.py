"""Stock pyzmq sockets that a test drives with JSON lines.

Each line on standard input is one command, such as
    {"do": "recv", "socket": "sub", "count": 3}
and each gets one line on standard output, in order: the command's result as an
object, or {"error": "..."}. Frames travel as base64. The program ends at the end
of its input, without waiting for anything.
"""

import base64
import json
import os
import pathlib
import queue
import sys
import threading
import time

import zmq
import zmq.auth
from zmq.utils.monitor import recv_monitor_message

DEADLINE = 60.0

context = zmq.Context()
context.set(zmq.MAX_SOCKETS, 4096)
sockets = {}
monitors = {}
commands = queue.Queue()


class Failed(Exception):
    """A command that could not be done; the test gets the sentence."""


def encode(frames):
    return [base64.b64encode(frame).decode("ascii") for frame in frames]


def decode(frames):
    return [base64.b64decode(frame) for frame in frames]


def agent_payload(sender, number, size):
    """One message as agents send it, padded to about `size` bytes."""
    head = (
        '{"sender_id": "%s", "message_id": "%s-%d", '
        '"timestamp": "2025-11-20T04:30:00Z", "content": {"n": %d, "pad": "'
        % (sender, sender, number, number)
    )
    tail = (
        '"}, "metadata": {"sender_role": "Agent", "ace_tier": "E", '
        '"chain_type": "load", "shl_tags": ["@Status-Ready"]}}'
    )
    return (head + "x" * max(0, size - len(head) - len(tail)) + tail).encode("ascii")


# Connecting


def wait_event(monitor, wanted):
    give_up = time.monotonic() + DEADLINE
    while time.monotonic() < give_up:
        if monitor.poll(1000) and recv_monitor_message(monitor)["event"] == wanted:
            return
    raise Failed("the socket was not connected in %d s" % DEADLINE)


def secure(socket, command):
    """Gives a socket its keys, from files as zmq.auth reads them."""
    keys = command.get("keys")
    if keys:
        socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(keys["own"])
        socket.curve_serverkey, _ = zmq.auth.load_certificate(keys["server"])


def patient(socket, command):
    """Gives a socket heartbeats, and a time limit for the peer's answer to them."""
    if "patience" in command:
        socket.set(zmq.HEARTBEAT_IVL, 100)
        socket.set(zmq.HEARTBEAT_TIMEOUT, command["patience"])


def stays_connected(command):
    """Asserts that a socket has not lost its connection since it was made."""
    if monitors[command["socket"]].poll(0):
        raise Failed("it has lost its connection")
    return {}


def certificate(command):
    zmq.auth.create_certificates(command["folder"], command["name"])
    return {}


def endpoint(command):
    return command.get("endpoint") or "tcp://127.0.0.1:%d" % command["port"]


def connect(name, socket, where):
    monitors[name] = socket.get_monitor_socket(
        zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
    )
    sockets[name] = socket
    socket.set(zmq.IPV6, int("[" in where))
    socket.connect(where)
    wait_event(monitors[name], zmq.EVENT_HANDSHAKE_SUCCEEDED)


def pub(command):
    """A publisher that follows the recipe against loss before the broker.

    An XPUB socket sends as a PUB socket does, and also shows when the broker's
    subscription has come. Before that, which is a moment after the handshake, both
    drop what they are told to send; a PUB socket just can't tell.
    """
    plain = command["plain"]
    socket = context.socket(zmq.PUB if plain else zmq.XPUB)
    socket.set(zmq.SNDHWM, 0)
    socket.set(zmq.LINGER, -1)
    secure(socket, command)
    patient(socket, command)
    connect(command["socket"], socket, endpoint(command))
    if not plain:
        if not socket.poll(DEADLINE * 1000):
            raise Failed("the broker did not subscribe")
        if socket.recv() != b"\x01":
            raise Failed("the broker subscribed to something else than everything")
    return {}


def sub(command):
    socket = context.socket(zmq.SUB)
    for option in ("RCVHWM", "RCVBUF"):
        if option in command:
            socket.set(getattr(zmq, option), command[option])
    for topic in command["topics"]:
        socket.subscribe(topic)
    secure(socket, command)
    patient(socket, command)
    connect(command["socket"], socket, endpoint(command))
    return {}


def request(command):
    """A DEALER or REQ on the control port."""
    socket = context.socket(getattr(zmq, command["kind"]))
    for option in ("RCVHWM", "RCVBUF"):
        if option in command:
            socket.set(getattr(zmq, option), command[option])
    socket.set(zmq.LINGER, 0)
    secure(socket, command)
    patient(socket, command)
    connect(command["socket"], socket, endpoint(command))
    return {}


def open(command):
    """A socket of any kind, without waiting for anything."""
    socket = context.socket(getattr(zmq, command["kind"]))
    socket.set(zmq.LINGER, -1 if command["kind"] == "PUSH" else 0)
    socket.set(zmq.SNDHWM, 0)
    sockets[command["socket"]] = socket
    secure(socket, command)
    socket.connect("tcp://127.0.0.1:%d" % command["port"])
    return {}


def herd(command):
    """Many subscribers at once, named 0, 1, 2 and so on."""
    for number in range(command["count"]):
        socket = context.socket(zmq.SUB)
        socket.set(zmq.RCVHWM, 0)
        socket.subscribe("")
        socket.connect("tcp://127.0.0.1:%d" % command["port"])
        sockets[str(number)] = socket
    return {}


def heartbeats(command):
    """Sockets that give a peer two seconds to answer a heartbeat, while messages flow."""
    publisher, subscriber = context.socket(zmq.XPUB), context.socket(zmq.SUB)
    subscriber.subscribe("beat")
    monitors = []
    for socket, port in ((publisher, "publish"), (subscriber, "subscribe")):
        secure(socket, command)
        socket.set(zmq.HEARTBEAT_IVL, 20)
        socket.set(zmq.HEARTBEAT_TIMEOUT, 2000)
        socket.set(zmq.HEARTBEAT_TTL, 5000)
        monitors.append(socket.get_monitor_socket(zmq.EVENT_DISCONNECTED))
        socket.connect("tcp://127.0.0.1:%d" % command[port])
    publisher.recv()
    for number in range(command["count"]):
        message = [b"beat", b"%d" % number, b"x" * 1000]
        publisher.send_multipart(message)
        if not subscriber.poll(DEADLINE * 1000):
            raise Failed("message %d did not come" % number)
        if subscriber.recv_multipart() != message:
            raise Failed("message %d came out of order" % number)
        time.sleep(0.005)
    # Messages count as signs of life too: now only heartbeats are left.
    time.sleep(3)
    if any(monitor.poll(0) for monitor in monitors):
        raise Failed("a connection was given up")
    for socket in (publisher, subscriber):
        socket.disable_monitor()
        socket.close(linger=0)
    return {}


def churn(command):
    """Sockets that connect, shake hands and leave, one after the other."""
    for number in range(command["rounds"]):
        socket = context.socket(zmq.SUB if number % 2 else zmq.PUB)
        socket.set(zmq.LINGER, 0)
        if number % 2:
            socket.subscribe("")
        port = command["subscribe" if number % 2 else "publish"]
        connect("churn", socket, endpoint({"port": port}))
        close({"socket": "churn"})
    return {}


def wait_connected(command):
    """Waits for the next time that the socket connects, by itself."""
    wait_event(monitors[command["socket"]], zmq.EVENT_HANDSHAKE_SUCCEEDED)
    return {}


def wait_disconnected(command):
    wait_event(monitors[command["socket"]], zmq.EVENT_DISCONNECTED)
    return {}


def reconnect(command):
    """Drops the connection of the same socket and makes a new one."""
    name = command["socket"]
    # No event tells of a connection that was dropped on purpose.
    sockets[name].disconnect("tcp://127.0.0.1:%d" % command["port"])
    sockets[name].connect("tcp://127.0.0.1:%d" % command["port"])
    wait_event(monitors[name], zmq.EVENT_HANDSHAKE_SUCCEEDED)
    return {}


def subscribe(command):
    sockets[command["socket"]].subscribe(command["topic"])
    return {}


def unsubscribe(command):
    sockets[command["socket"]].unsubscribe(command["topic"])
    return {}


def close(command):
    """Closes a socket, or all of them."""
    names = [command["socket"]] if "socket" in command else list(sockets)
    for name in names:
        if name in monitors:
            sockets[name].disable_monitor()
            monitors.pop(name).close()
        sockets.pop(name).close()
    return {}


def leave(command):
    """Closes all sockets and waits until everything that was sent has left."""
    close({})
    context.term()
    return {}


# Sending


def send(command):
    for message in command["messages"]:
        sockets[command["socket"]].send_multipart(decode(message))
    return {}


def send_large(command):
    """One message of [topic, payload], the payload being bytes 0 to 250 over and over.

    More frames may come behind it.
    """
    block = bytes(range(251))
    size = command["size"]
    payload = (block * (size // len(block) + 1))[:size]
    behind = [frame.encode() for frame in command.get("behind", [])]
    sockets[command["socket"]].send_multipart([command["topic"].encode(), payload, *behind])
    return {}


def burst(command):
    """Agents' messages one after the other, as fast as Python sends them."""
    socket = sockets[command["socket"]]
    topic = command["topic"].encode()
    first = command["first"]
    for number in range(first, first + command["count"]):
        payload = agent_payload(command["sender"], number, command["size"])
        socket.send_multipart([topic, payload])
    return {}


def send_frames(command):
    """One message of a number of frames."""
    frames = [b"frame %d" % number for number in range(command["count"])]
    sockets[command["socket"]].send_multipart(frames)
    return {}


# Receiving


def receive_many(command, enough):
    """Receives until `enough(messages)`, or fails after a long silence and says how many came."""
    socket = sockets[command["socket"]]
    messages = []
    while not enough(messages):
        if not socket.poll(DEADLINE * 1000):
            last = [frame[:100] for frame in messages[-1]] if messages else None
            raise Failed("then silence: %d messages came, the last one %r" % (len(messages), last))
        messages.append(socket.recv_multipart())
    return messages


def message_id(frames):
    return json.loads(frames[-1]).get("message_id")


def recv(command):
    messages = receive_many(command, lambda got: len(got) == command["count"])
    return {"messages": [encode(frames) for frames in messages]}


def drain(command):
    """Ids of the messages that have come and were not received yet."""
    ids = []
    while sockets[command["socket"]].poll(0):
        ids.append(message_id(sockets[command["socket"]].recv_multipart()))
    return {"ids": ids}


def recv_to_file(command):
    """The second frame of the next message goes to a file: it may be large."""
    (frames,) = receive_many(command, lambda got: len(got) == 1)
    pathlib.Path(command["file"]).write_bytes(frames[1])
    return {"topic": frames[0].decode(), "frames": len(frames)}


def recv_until(command):
    """Ids of all messages up to the one whose id is `last`."""
    last = command["last"]
    messages = receive_many(command, lambda got: got and message_id(got[-1]) == last)
    return {"ids": [message_id(frames) for frames in messages]}


def herd_recv(command):
    """Ids that each of the herd gets, up to `last`; subscribers with equal lists are counted."""
    lists = {}
    for number in range(command["count"]):
        ids = recv_until({"socket": str(number), "last": command["last"]})["ids"]
        key = json.dumps(ids)
        lists[key] = lists.get(key, 0) + 1
    return {"lists": [{"ids": json.loads(key), "count": lists[key]} for key in lists]}


def read_commands():
    for line in sys.stdin:
        commands.put(json.loads(line))
    # The test has gone: nobody waits for what is left to do.
    os._exit(0)


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        pub, sub, request, open, herd, churn, wait_connected, wait_disconnected, reconnect, subscribe, unsubscribe,
        close, leave, send, send_large, send_frames, burst, recv, drain, recv_to_file, recv_until,
        herd_recv, heartbeats, stays_connected, certificate,
    )
}  # fmt: skip


def main():
    threading.Thread(target=read_commands, daemon=True).start()
    while True:
        command = commands.get()
        try:
            reply = OPERATIONS[command["do"]](command)
        except (Failed, zmq.ZMQError) as error:
            reply = {"error": "%s: %s" % (command["do"], error)}
        print(json.dumps(reply), flush=True)


main()
