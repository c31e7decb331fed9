"""A client of the broker's control port: publish and know, consume and go on.

One file to copy into a project. Needs pyzmq (pip install pyzmq).

    from recorder_client import Recorder

    with Recorder() as recorder:
        number = recorder.publish("greeting", {"sender_id": "me", "content": "hi"})
        print("on disk as message", number)

        for message in recorder.consume("indexer"):
            print(message.number, message.topic, message.payload)
            message.ack()

What goes over the wire is described in docs/protocol.md. A Recorder is for one
thread; threads make one each.
"""

import collections
import json
import time
import uuid

import zmq

PROTOCOL = 1
ATTEMPT = 3.0  # seconds for one answer, before the connection is made anew
FIRST_ATTEMPT = 0.25  # the same for the first attempt to publish; doubled each time
ALIVE = 1.0  # seconds; how often the broker hears of a consumer at least
LOST = 15.0  # seconds; a broker that gives no answer for this long is lost
SLICE = 0.25  # seconds; a longer wait is made of several of these
CREDIT = 1000  # messages that may be on their way to a consumer
IN_FLIGHT = 1000  # publish requests that may be without a reply
PASSING = {"busy", "disk_full", "not_ready", "shutting_down", "unknown_outcome"}
SENDER_KEYS = ("sender_id", "sender", "from", "agent")


class RecorderError(Exception):
    """What the broker refused, or that nobody answered. `code` says which."""

    def __init__(self, code, message, details=None):
        super().__init__(message)
        self.code = code
        self.details = details or {}


class Message:
    """A message of the journal."""

    def __init__(self, consumer, header, frames):
        self._consumer = consumer
        self.number = header["message_num"]
        self.recorded_at = header["recorded_at"]
        self.gap = header.get("gap", 0)
        self.frames = frames

    @property
    def topic(self):
        return self.frames[0].decode("utf-8", "backslashreplace")

    @property
    def payload(self):
        """The payload as Python values, or as bytes where it is no JSON."""
        try:
            return json.loads(self.frames[-1])
        except (ValueError, RecursionError):
            return self.frames[-1]

    def ack(self):
        """Says that all messages up to this one are done; returns when that is stored."""
        self._consumer.ack(self.number)


class Recorder:
    """Talks to one broker."""

    def __init__(self, endpoint="tcp://127.0.0.1:5558", timeout=30.0):
        self.endpoint = endpoint
        self.timeout = timeout
        self.context = zmq.Context()
        self._consumers = []
        self._connection = Connection(self.context, endpoint)
        self._request({"op": "hello", "protocol": PROTOCOL})

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        for consumer in self._consumers:
            consumer.close()
        self._connection.close()
        self.context.term()

    def publish(self, topic, payload):
        """Publishes a message and returns its number when it is on stable storage.

        The payload is a dict, or bytes. A dict without a message_id gets one, so
        that the message can be sent again and is recorded once.
        """
        return self.publish_many([(topic, payload)])[0]

    def publish_many(self, messages):
        """Publishes (topic, payload) pairs, many at a time; returns their numbers."""
        return Publishing(self._connection, self.timeout, [frames_of(*m) for m in messages]).run()

    def consume(self, name=None, **request):
        """Returns messages one after the other; see Consumer."""
        consumer = Consumer(self, name, request)
        self._consumers.append(consumer)
        return consumer

    def status(self):
        return self._request({"op": "status"})

    def archive(self, label=None):
        """Closes the session; returns the archive's name and its number of messages.

        It is asked once: a session that was closed without an answer is not
        closed twice. The name is None where nothing was in the session.
        """
        request = {"op": "archive"} if label is None else {"op": "archive", "label": label}
        reply = self._ask(request, self.timeout)
        if reply is None:
            raise no_answer(self.endpoint)
        return reply["archive"], reply["messages"]

    def _request(self, request):
        """Asks again, over a new connection, until there is an answer."""
        connection = self._connection
        give_up = connection.clock + self.timeout
        while True:
            reply = self._ask(request, min(ATTEMPT, give_up - connection.clock))
            if reply is not None:
                return reply
            if connection.clock >= give_up:
                raise no_answer(self.endpoint)
            connection.renew()

    def _ask(self, request, seconds):
        """Asks once; None where nobody answers in that time."""
        connection = self._connection
        request_id = connection.send(request)
        give_up = connection.clock + seconds
        while True:
            incoming = connection.receive(give_up - connection.clock)
            if incoming is None:
                return None
            if incoming[0]["id"] == request_id:
                return checked(incoming[0])


class Publishing:
    """Messages under way. What gets no answer is sent again, over a new connection."""

    def __init__(self, connection, timeout, messages):
        self.connection = connection
        self.timeout = timeout
        self.messages = messages
        self.named = [is_named(frames) for frames in messages]
        self.unsent = collections.deque(range(len(messages)))
        self.sent = {}
        self.numbers = [None] * len(messages)
        self.attempt = FIRST_ATTEMPT
        self.progress = connection.clock

    def run(self):
        while self.unsent or self.sent:
            while self.unsent and len(self.sent) < IN_FLIGHT:
                index = self.unsent.popleft()
                request_id = self.connection.send({"op": "publish"}, self.messages[index])
                self.sent[request_id] = index
            # A message that can't be sent again is waited for to the end.
            again = all(self.named[index] for index in self.sent.values())
            incoming = self.connection.receive(self.attempt if again else self.timeout)
            if incoming is None:
                self.start_over()
            else:
                self.take(incoming[0])
        return self.numbers

    def take(self, header):
        index = self.sent.pop(header["id"], None)
        if index is None:
            return  # the reply to a request of an earlier call
        if header["type"] == "reply":
            self.numbers[index] = header["message_num"]
            self.progress = self.connection.clock
            self.attempt = FIRST_ATTEMPT
            return
        safe = header.get("recorded") is False or self.named[index]
        late = self.connection.clock - self.progress > self.timeout
        if header["code"] not in PASSING or not safe or late:
            checked(header)
        self.connection.pause(0.05)
        self.unsent.appendleft(index)

    def start_over(self):
        if not all(self.named[index] for index in self.sent.values()):
            raise RecorderError("unknown_outcome", "no answer: it may be recorded or not")
        if self.connection.clock - self.progress > self.timeout:
            raise no_answer(self.connection.endpoint)
        self.connection.renew()
        self.attempt = min(ATTEMPT, 2 * self.attempt)
        self.unsent.extendleft(sorted(self.sent.values(), reverse=True))
        self.sent.clear()


class Consumer:
    """Messages of the journal, in order; an iterator.

    With a name the broker keeps the position that was acknowledged, and the next
    consumer of that name goes on behind it. Other arguments are those of the
    protocol: from_ (a number, "start", "session", "now", "after", {"time": ...}),
    initial, filter, follow, pace.

    When the broker is away, it is waited for, and the consumer goes on behind the
    last message that it gave out.
    """

    def __init__(self, recorder, name, request):
        self.timeout = recorder.timeout
        self.request = dict(request)
        if "from_" in self.request:
            self.request["from"] = self.request.pop("from_")
        if name is not None:
            self.request["name"] = name
        self.connection = Connection(recorder.context, recorder.endpoint)
        self.buffer = collections.deque()
        self.received = None
        self.end = None  # how far the journal was read, once it has come to the head
        self.open()

    def __iter__(self):
        return self

    def __next__(self):
        while True:
            message = self.next(60.0)
            if message is not None:
                return message
            if self.end is not None:
                raise StopIteration

    def next(self, seconds):
        """The next message, or None where none comes in that time."""
        give_up = self.connection.clock + seconds
        # What is there is taken also where there is no time to wait.
        while not self.buffer and self.end is None:
            come = self.step(give_up)
            if come is None and self.connection.clock >= give_up:
                break
        return self.buffer.popleft() if self.buffer else None

    def ack(self, number):
        """Says that all messages up to this one are done; returns when that is stored."""
        give_up = self.connection.clock + self.timeout
        while self.connection.clock < give_up:
            handle = self.handle
            request_id = self.send({"op": "ack", "consumer": handle, "message_num": number})
            while self.handle == handle and self.connection.clock < give_up:
                header = self.step(give_up)
                if header is not None and header["id"] == request_id:
                    checked(header)
                    return
        raise no_answer(self.connection.endpoint)

    def close(self):
        if not self.connection.socket.closed:
            self.send({"op": "cancel", "consumer": self.handle})
            self.connection.close()

    def open(self):
        """Asks for a consumer; one that was there before is gone on with."""
        request = {"op": "consume", "credit": CREDIT, **self.request}
        if self.received is not None:
            request["from"] = self.received + 1
        connection = self.connection
        give_up = connection.clock + self.timeout
        while True:
            request_id = self.send(request)
            attempt = min(give_up, connection.clock + ATTEMPT)
            while (incoming := connection.receive(attempt - connection.clock)) is not None:
                # What comes for an older consumer comes again for the new one.
                if incoming[0]["id"] == request_id:
                    header = checked(incoming[0])
                    self.handle = header["consumer"]
                    self.received = header["after"]
                    self.fresh = 0
                    self.heard = connection.clock
                    return
            if connection.clock >= give_up:
                raise no_answer(connection.endpoint)
            connection.renew()

    def step(self, give_up):
        """Takes what comes, or shows a sign of life; returns the header of what came."""
        alive = self.spoke + ALIVE - time.monotonic()
        incoming = self.connection.receive(min(alive, give_up - self.connection.clock))
        now = self.connection.clock
        if incoming is None:
            if now - self.heard > LOST:
                self.connection.renew()
                self.open()
            elif time.monotonic() - self.spoke >= ALIVE:
                self.credit()
            return None
        self.heard = now
        self.take(*incoming)
        return incoming[0]

    def take(self, header, frames):
        ours = header.get("consumer") == self.handle
        if header["type"] == "message" and ours:
            self.received = header["message_num"]
            self.buffer.append(Message(self, header, frames))
            self.fresh += 1
            if self.fresh >= CREDIT // 2:
                self.credit()
        elif header["type"] == "end" and ours:
            if header["reason"] == "head":
                self.end = header["message_num"]
            elif header["reason"] == "replaced":
                raise RecorderError("replaced", "another consumer has taken the name")
            else:
                self.connection.pause(0.2)
                self.connection.renew()
                self.open()
        elif header.get("code") == "unknown_consumer":
            self.open()

    def credit(self):
        """Gives credit for what has come; none is a sign of life."""
        self.send({
            "op": "credit", "consumer": self.handle,
            "credit": self.fresh, "received": self.received,
        })  # fmt: skip
        self.fresh = 0

    def send(self, request):
        self.spoke = time.monotonic()
        return self.connection.send(request)


class Connection:
    """One DEALER socket, which can be made anew.

    Its clock goes only while the broker is waited for, and time limits are measured
    by it: a program that was stopped, or busy with something else, must not take
    that for the broker's silence while the answer lies there.
    """

    def __init__(self, context, endpoint):
        self.context = context
        self.endpoint = endpoint
        self.last_id = 0
        self.clock = 0.0
        self.socket = None
        self.renew()

    def renew(self):
        """Drops the connection with all that is on its way."""
        self.close()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.set(zmq.LINGER, 0)
        self.socket.set(zmq.SNDHWM, 2 * IN_FLIGHT)
        self.socket.connect(self.endpoint)

    def close(self):
        if self.socket is not None:
            self.socket.close()

    def send(self, request, frames=()):
        self.last_id += 1
        header = json.dumps({**request, "id": self.last_id})
        try:
            self.socket.send_multipart([header.encode(), *frames], zmq.DONTWAIT)
        except zmq.Again:
            pass  # nobody reads: there will be no answer, and it is sent again
        return self.last_id

    def receive(self, seconds):
        """The next header and its frames, or None where none comes in that time."""
        while not self.poll(min(max(seconds, 0.0), SLICE)):
            seconds -= SLICE
            if seconds <= 0:
                return None
        header, *frames = self.socket.recv_multipart()
        return json.loads(header), frames

    def poll(self, seconds):
        """Whether a message comes in that time."""
        began = time.monotonic()
        come = self.socket.poll(int(seconds * 1000 + 0.999))
        self.clock += min(seconds, time.monotonic() - began)
        return come

    def pause(self, seconds):
        """Waits for a while before the broker is tried again."""
        time.sleep(seconds)
        self.clock += seconds


def frames_of(topic, payload):
    """Topic and payload as frames; gives a dict a message_id where it has none."""
    if isinstance(payload, dict):
        if not ("message_id" in payload or "id" in payload):
            payload = {**payload, "message_id": str(uuid.uuid4())}
        payload = json.dumps(payload, ensure_ascii=False).encode()
    return [topic.encode() if isinstance(topic, str) else topic, payload]


def is_named(frames):
    """Whether the broker recognises the message when it is sent again."""
    try:
        payload = json.loads(frames[1])
    except (ValueError, RecursionError):
        return False
    if not isinstance(payload, dict):
        return False
    first = lambda keys: next((payload[k] for k in keys if payload.get(k) is not None), None)  # noqa: E731
    sender, name = first(SENDER_KEYS), first(("message_id", "id"))
    named = isinstance(sender, str) and isinstance(name, str)
    return named and sender not in ("", "unknown") and name != ""


def checked(header):
    """A reply; an error becomes an exception."""
    if header["type"] == "error":
        raise RecorderError(header["code"], header["message"], header)
    return header


def no_answer(endpoint):
    return RecorderError(
        "no_answer", f"no answer from {endpoint}: is the broker running, and is this its control port?"
    )
