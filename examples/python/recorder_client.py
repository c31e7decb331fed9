"""A client of the broker's control port: publish and know, consume and go on.

One file to copy into a project. Needs pyzmq (pip install pyzmq).

    from recorder_client import Recorder

    with Recorder(sender="me") as recorder:
        number = recorder.publish("greeting", {"content": "hi"})
        print("on disk as message", number)

        for message in recorder.consume("indexer"):
            print(message.number, message.topic, message.payload)
            message.ack()

What goes over the wire is described in docs/protocol.md. The package zmq-recorder has
this and a client for asyncio; the file is made of its modules by python/single_file.py.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol, TYPE_CHECKING, Union

import zmq
import zmq.auth


class RecorderError(Exception):
    """What the broker refused. `code` says which; docs/protocol.md lists them.

    `details` is the broker's whole answer, where there is one.
    """

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, str(self), self.details)


class NoAnswer(RecorderError, TimeoutError):
    """Nobody answered in time, and what was asked for is not done or can be asked again."""


class UnknownOutcome(RecorderError):
    """Nobody answered in time, and what was asked for may be done or not."""


def refused(header: dict[str, Any]) -> RecorderError:
    """The broker's error as an exception."""
    code = str(header.get("code"))
    kind = UnknownOutcome if code == "unknown_outcome" else RecorderError
    return kind(code, str(header.get("message")), header)


Path = Union[str, "os.PathLike[str]"]


class Keys(NamedTuple):
    """What a client needs to be let in."""

    public: bytes
    secret: bytes
    server: bytes


def load_keys(key: Path | None, server_key: Path | None) -> Keys | None:
    """Reads a client's own key and the broker's public one; None where neither is given."""
    if key is None and server_key is None:
        return None
    if key is None or server_key is None:
        raise ValueError(
            "key and server_key belong together: the client's own file NAME.key_secret, "
            "and the broker's server.key"
        )
    if not zmq.has("curve"):
        raise RuntimeError("this pyzmq was built without CURVE: install its wheel with pip")
    public, secret = zmq.auth.load_certificate(key)
    if secret is None:
        raise ValueError(
            f"{os.fspath(key)} holds no secret key: give the client's own file NAME.key_secret"
        )
    server, _ = zmq.auth.load_certificate(server_key)
    return Keys(public, secret, server)


Topic = Union[str, bytes]
Payload = Union[str, bytes, bytearray, memoryview, Mapping[str, Any], Sequence[Any]]

SENDER_KEYS = ("sender_id", "sender", "from", "agent")
NAME_KEYS = ("message_id", "id")

# `json.dumps` makes one of these each time.
encode = json.JSONEncoder(ensure_ascii=False).encode


def frames_of(topic: Topic, payload: Payload, sender: str | None = None) -> list[bytes]:
    """Topic and payload as frames.

    A dict gets a message_id where it has none, and the sender: the broker recognises
    a message by both when it is sent again.
    """
    if isinstance(payload, Mapping):
        payload = _named(dict(payload), sender)
    return [_bytes_of_topic(topic), _bytes_of_payload(payload)]


def is_named(frames: Sequence[bytes]) -> bool:
    """Whether the broker recognises the message when it is sent again."""
    if len(frames) < 2:
        return False
    try:
        payload = json.loads(frames[1], parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    if not isinstance(payload, dict):
        return False
    sender, name = _first(payload, SENDER_KEYS), _first(payload, NAME_KEYS)
    named = isinstance(sender, str) and isinstance(name, str)
    return named and sender not in ("", "unknown") and name != ""


def text_of(frame: bytes) -> str:
    """A frame for people: what is no UTF-8 is shown by its escapes."""
    return frame.decode("utf-8", "backslashreplace")


def value_of(frame: bytes) -> Any:
    """A payload as Python values, or as bytes where it is no JSON."""
    try:
        return json.loads(frame)
    except (ValueError, RecursionError):
        return frame


def _named(payload: dict[str, Any], sender: str | None) -> dict[str, Any]:
    if sender is not None and _first(payload, SENDER_KEYS) is None:
        payload = {"sender_id": sender, **payload}
        payload["sender_id"] = sender
    if _first(payload, NAME_KEYS) is None:
        payload["message_id"] = str(uuid.uuid4())
    return payload


def _bytes_of_topic(topic: Topic) -> bytes:
    if isinstance(topic, str):
        return topic.encode()
    if isinstance(topic, (bytes, bytearray, memoryview)):
        return bytes(topic)
    raise TypeError(f"a topic is a str or bytes, not {_kind(topic)}")


def _bytes_of_payload(payload: Payload) -> bytes:
    if isinstance(payload, str):
        return payload.encode()
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return bytes(payload)
    if not isinstance(payload, (dict, list, tuple)):
        raise TypeError(
            f"a payload is a dict or a list (sent as JSON), a str or bytes, not {_kind(payload)}"
        )
    try:
        return encode(payload).encode()
    except UnicodeEncodeError:
        # Half a surrogate pair, which JSON can spell and UTF-8 can't.
        return json.dumps(payload).encode()
    except TypeError as error:
        raise TypeError(f"the payload can't be written as JSON: {error}") from None


def _first(payload: dict[str, Any], keys: Sequence[str]) -> Any:
    return next((payload[key] for key in keys if payload.get(key) is not None), None)


def _refuse(constant: str) -> Any:
    # Python reads and writes it; the broker does not take it for JSON, and sees no names.
    raise ValueError(f"{constant} is no JSON")


def _kind(value: object) -> str:
    return type(value).__name__


if TYPE_CHECKING:
    Context = zmq.Context[zmq.Socket[bytes]]
    Socket = zmq.Socket[bytes]

ATTEMPT = 3.0  # seconds for one answer, before the connection is made anew
FIRST_ATTEMPT = 0.25  # the same for the first attempt; doubled each time
SLICE = 0.25  # seconds; a longer wait is made of several of these
FOREVER = 3600.0  # seconds; there is nothing to do until something is asked for
PATIENCE = 1.0  # seconds without an answer, after which the log says that it waits
IN_FLIGHT = 1000  # publish requests that may be without a reply
BATCH = 1000  # messages that are taken from the socket at a time

# As plain numbers: an operation on pyzmq's enumerations takes as long as a message.
LAST = int(zmq.DONTWAIT)
MORE = int(zmq.DONTWAIT) | int(zmq.SNDMORE)

decode = json.JSONDecoder().decode
log = logging.getLogger("zmq_recorder")


_contexts: dict[int, Context] = {}


def shared_context() -> Context:
    """The context of all connections of this process.

    It is never ended, which would wait for sockets: a Recorder that was forgotten
    must not stop the program when its memory is taken back.
    """
    process = os.getpid()
    return _contexts.get(process) or _contexts.setdefault(process, zmq.Context())


class Connection:
    """One DEALER socket, which is made when it is needed and can be made anew.

    Its clock goes only while the broker is waited for, and time limits are measured
    by it: a program that was stopped, or busy with something else, must not take
    that for the broker's silence while the answer lies there.
    """

    def __init__(self, endpoint: str, keys: Keys | None) -> None:
        self.endpoint = endpoint
        self.keys = keys
        self.clock = 0.0
        self.before_close: Callable[[Socket], None] = lambda socket: None
        self._socket: Socket | None = None
        self._last_id = 0

    @property
    def socket(self) -> Socket:
        if self._socket is None:
            self._socket = self._connect()
        return self._socket

    def _connect(self) -> Socket:
        socket = shared_context().socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SNDHWM, 2 * IN_FLIGHT)
        socket.setsockopt(zmq.RCVHWM, 0)
        if self.keys is not None:
            socket.curve_publickey = self.keys.public
            socket.curve_secretkey = self.keys.secret
            socket.curve_serverkey = self.keys.server
        socket.connect(self.endpoint)
        return socket

    def close(self, linger: int = 0) -> None:
        """Drops the connection with all that is on its way; the next use makes another."""
        if self._socket is not None:
            self.before_close(self._socket)
            self._socket.close(linger)
            self._socket = None

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def send(self, header: bytes, frames: Sequence[bytes] = ()) -> bool:
        """False where nobody reads: then it has to be sent later."""
        socket = self.socket
        last = len(frames) - 1
        try:
            socket.send(header, MORE if frames else LAST)
        except zmq.Again:
            return False
        # Where the first frame has found room, the others do.
        for index, frame in enumerate(frames):
            socket.send(frame, LAST if index == last else MORE)
        return True

    def request(self, request: dict[str, Any]) -> int | None:
        """Sends a request without frames; returns its id, or None where nobody reads."""
        request_id = self.new_id()
        header = json.dumps({**request, "id": request_id}).encode()
        return request_id if self.send(header) else None

    def poll(self, seconds: float) -> bool:
        """Whether a message comes in that time."""
        return bool(self.socket.poll(int(seconds * 1000 + 0.999)))

    def passed(self, planned: float, real: float) -> None:
        """So long was waited, of the time that was planned."""
        self.clock += max(0.0, min(planned, real))

    def no_answer(self, seconds: float) -> NoAnswer:
        keys = " and are these keys among the authorized ones?" if self.keys else ""
        return NoAnswer(
            "no_answer",
            f"no answer from {self.endpoint} within {seconds:g} s: "
            f"is the broker running, is this its control port?{keys}",
        )


class Machine:
    """What is asked and answered over one connection, without any waiting.

    Whoever drives it calls `advance`, waits until the socket has something or that
    time is over, and calls `take_what_came`.
    """

    def __init__(self, connection: Connection, timeout: float) -> None:
        self.connection = connection
        self.timeout = timeout
        self.heard = 0.0  # when something was heard or waiting began, by the clock
        self._waits = False  # whether the log says that it waits

    def advance(self) -> float:
        """Does what is to be done now; returns after how many seconds there is more."""
        raise NotImplementedError

    def take(self, header: dict[str, Any], frames: list[bytes]) -> None:
        """Takes what the broker has sent."""
        raise NotImplementedError

    def fail(self, error: Exception) -> None:
        """Ends all that is under way."""
        raise NotImplementedError

    def take_what_came(self) -> bool:
        """Takes what has come, up to a thousand messages; whether there may be more."""
        socket = self.connection.socket
        for _ in range(BATCH):
            try:
                frames = socket.recv_multipart(LAST)
            except zmq.Again:
                return False
            self.heard = self.connection.clock
            if self._waits:
                self._waits = False
                log.info("the broker at %s answers", self.connection.endpoint)
            self.take(self._header(frames[0]), frames[1:])
            if self.connection._socket is not socket:
                return False
        return True

    def silent(self, since: float) -> None:
        """Nobody has answered since then: after a second the log says so, once."""
        if not self._waits and self.connection.clock - since >= PATIENCE:
            self._waits = True
            log.warning(
                "waiting for the broker at %s, for at most %g s",
                self.connection.endpoint,
                self.timeout,
            )

    def _header(self, frame: bytes) -> dict[str, Any]:
        try:
            header = decode(frame.decode())
        except ValueError:
            header = None
        if not isinstance(header, dict) or "type" not in header:
            raise RecorderError(
                "bad_reply",
                f"what answers at {self.connection.endpoint} is no recorder: {frame[:80]!r}",
            )
        return header


PROTOCOL = 1
BYTES_IN_FLIGHT = 8 << 20  # or one message
PAUSE = 0.05  # seconds, before a request that was refused for the moment
PASSING = {
    "busy", "disk_full", "interrupted", "not_ready", "shutting_down", "unknown_outcome",
}  # fmt: skip


class Ticket(Protocol):
    """Where the answer goes: an asyncio.Future, or something like it."""

    def done(self) -> bool: ...
    def set_result(self, result: Any, /) -> None: ...
    def set_exception(self, exception: Exception, /) -> None: ...


class Request:
    """One request until it is answered."""

    __slots__ = ("fields", "frames", "member", "order", "safe_again", "since", "size", "ticket")

    def __init__(
        self,
        ticket: Ticket,
        fields: dict[str, Any],
        frames: Sequence[bytes] = (),
        member: str | None = None,
        safe_again: bool | None = None,
    ) -> None:
        self.ticket = ticket
        self.fields = fields
        self.frames = frames
        self.member = member  # of the answer; the whole answer where there is none
        self.safe_again = safe_again  # whether it may be sent twice; None: not looked at yet
        self.size = sum(map(len, frames))
        self.since = 0.0
        self.order = 0

    def is_safe_again(self) -> bool:
        if self.safe_again is None:
            self.safe_again = is_named(self.frames)
        return self.safe_again

    def answer(self, header: dict[str, Any]) -> None:
        if not self.ticket.done():
            self.ticket.set_result(header if self.member is None else header[self.member])

    def fail(self, error: Exception) -> None:
        if not self.ticket.done():
            self.ticket.set_exception(error)


class Requests(Machine):
    """What was asked for, in order, many at a time.

    What gets no answer is sent again over a new connection, once the broker has
    shown with an answer to `hello` that it is there. A message that the broker would
    not recognise is sent once: without an answer its outcome is unknown.

    That answer begins a sequence. Where one message of it is lost or refused, the
    broker takes none behind it: so they are recorded in the order in which they were
    given, though libzmq reconnects by itself.
    """

    def __init__(self, connection: Connection, timeout: float) -> None:
        super().__init__(connection, timeout)
        self._waiting: deque[Request] = deque()
        self._again: list[Request] = []
        self._sent: dict[int, Request] = {}
        self._bytes = 0
        self._greeting: int | None = None
        self._sequence: int | None = None  # while there is none, nothing is sent
        self._attempt = FIRST_ATTEMPT
        self._tried = 0.0  # when this attempt began, or brought something
        self._progress = 0.0  # when something was achieved, or began
        self._paused_until = 0.0
        self._orders = 0

    def submit(self, request: Request) -> None:
        clock = self.connection.clock
        if self.is_idle():
            self.heard = self._tried = self._progress = clock
            self._attempt = FIRST_ATTEMPT
        self._orders += 1
        request.order, request.since = self._orders, clock
        self._waiting.append(request)

    def is_idle(self) -> bool:
        return not (self._waiting or self._sent or self._again)

    def backlog(self) -> int:
        """How many requests were not sent yet."""
        return len(self._waiting)

    def advance(self) -> float:
        if self.is_idle():
            return FOREVER
        clock = self.connection.clock
        if clock - self._progress > self.timeout:
            self._expire(clock)
            if self.is_idle():
                return FOREVER
        if clock - self._tried >= self._attempt:
            self._start_over(clock)
        if clock >= self._paused_until:
            self._send()
        self.silent(self.heard)
        if self.is_idle():
            return FOREVER
        late = self._progress + self.timeout - clock
        due = [self._tried + self._attempt - clock, late if late > 0 else SLICE]
        if self._paused_until > clock:
            due.append(self._paused_until - clock)
        return max(min(due), 0.001)

    def take(self, header: dict[str, Any], frames: list[bytes]) -> None:
        clock = self._tried = self.connection.clock
        answered = header.get("id")
        if answered is not None and answered == self._greeting:
            self._greet(header)
            return
        request = self._sent.pop(answered, None) if isinstance(answered, int) else None
        if request is None:
            return  # the answer to what was asked over and over
        self._bytes -= request.size
        if header["type"] == "reply":
            self._progress = clock
            self._attempt = FIRST_ATTEMPT
            request.answer(header)
            return
        safe = header.get("recorded") is False or request.is_safe_again()
        late = clock - max(self._progress, request.since) > self.timeout
        if header.get("code") not in PASSING or not safe or late:
            request.fail(refused(header))
            return
        self._again.append(request)
        # Of all that were refused together, the first one is waited for.
        if self._sequence is not None and header["code"] != "interrupted":
            self._paused_until = clock + PAUSE
        self._end_sequence()

    def fail(self, error: Exception) -> None:
        """Ends all that is under way."""
        for request in [*self._sent.values(), *self._again, *self._waiting]:
            request.fail(error)
        self._sent.clear()
        self._again.clear()
        self._waiting.clear()
        self._bytes = 0

    def drop_connection(self) -> None:
        self.connection.close()
        self._end_sequence()

    def _end_sequence(self) -> None:
        self._greeting = self._sequence = None

    def _greet(self, header: dict[str, Any]) -> None:
        self._greeting = None
        if header["type"] == "reply":
            self._sequence = header["sequence"]
        else:
            self.fail(refused(header))

    def _begin_sequence(self) -> None:
        """Says hello, when it is known what became of all that is to be sent again."""
        if self._greeting is None and not any(r.is_safe_again() for r in self._sent.values()):
            fields = {"op": "hello", "protocol": PROTOCOL, "client": "zmq-recorder"}
            self._greeting = self.connection.request(fields)

    def _send(self) -> None:
        if self._sequence is None:
            self._begin_sequence()
            return
        if self._again:
            self._again.sort(key=lambda request: request.order)
            self._waiting.extendleft(reversed(self._again))
            self._again.clear()
        while self._waiting and len(self._sent) < IN_FLIGHT:
            request = self._waiting[0]
            # Nobody waits for it any more: it was cancelled.
            if request.ticket.done():
                self._waiting.popleft()
                continue
            if self._bytes and self._bytes + request.size > BYTES_IN_FLIGHT:
                return
            request_id = self.connection.new_id()
            header = _header(request, request_id, self._sequence)
            if not self.connection.send(header, request.frames):
                return
            self._waiting.popleft()
            self._sent[request_id] = request
            self._bytes += request.size

    def _start_over(self, clock: float) -> None:
        """Nobody answers: what may be sent again is sent over a new connection."""
        self._attempt = min(ATTEMPT, 2 * self._attempt)
        self._tried = clock
        again = {i: request for i, request in self._sent.items() if request.is_safe_again()}
        for request_id, request in again.items():
            del self._sent[request_id]
            self._bytes -= request.size
            if not request.ticket.done():
                self._again.append(request)
        # Over the old connection the answer to the others may still come.
        if not self._sent:
            self.drop_connection()
        elif again or self._sequence is None:
            self._end_sequence()

    def _expire(self, clock: float) -> None:
        """Fails what has waited for too long."""

        def is_late(request: Request) -> bool:
            return clock - max(self._progress, request.since) > self.timeout

        for request_id, request in list(self._sent.items()):
            if is_late(request):
                del self._sent[request_id]
                self._bytes -= request.size
                request.fail(self._no_answer(request))
        # What was given up must not be done when the broker comes back.
        if not self._sent:
            self.drop_connection()
        for request in [*self._again, *self._waiting]:
            if is_late(request):
                request.fail(self.connection.no_answer(self.timeout))
        self._again = [request for request in self._again if not request.ticket.done()]
        self._waiting = deque(request for request in self._waiting if not request.ticket.done())

    def _no_answer(self, request: Request) -> Exception:
        if request.is_safe_again():
            return self.connection.no_answer(self.timeout)
        return UnknownOutcome(
            "unknown_outcome",
            f"no answer from {self.connection.endpoint} within {self.timeout:g} s: "
            f"the {request.fields['op']} may be done or not, and is not safe to be sent again",
        )


def _header(request: Request, request_id: int, sequence: int) -> bytes:
    if request.frames:
        return b'{"op":"publish","id":%d,"sequence":%d}' % (request_id, sequence)
    return json.dumps({**request.fields, "id": request_id}).encode()


ALIVE = 1.0  # seconds; how often the broker hears of a consumer at least
LOST = 15.0  # seconds; a broker that gives no answer for this long is lost
AWAY = 0.2  # seconds, before a broker that has ended the consumer is asked again
CREDIT = 1000  # messages that may be on their way or wait to be taken
WINDOW = 1 << 20  # bytes taken, after which the broker is told; it sends up to four times this


class Consuming(Machine):
    """One consumer. It is asked for again where it was lost, behind what has come."""

    def __init__(self, connection: Connection, timeout: float, request: dict[str, Any]) -> None:
        super().__init__(connection, timeout)
        self.request = request
        self.buffer: deque[tuple[dict[str, Any], list[bytes]]] = deque()
        self.end: int | None = None  # how far the journal was read, once it has come to the head
        self.failure: Exception | None = None
        self.taken: int | None = None  # the last message that was taken out of the buffer
        self._received: int | None = None
        self._handle: int | None = None
        self._opening: int | None = None
        self._opened = 0
        self._since = 0.0  # when it was asked for, by the clock
        self._tried = 0.0
        self._not_before = 0.0
        self._begin = 0  # behind which message this handle began
        self._fresh = 0  # messages taken since credit was given
        self._fresh_bytes = 0
        self._spoke = 0.0
        self._asked: float | None = None  # since when an answer is owed, by the clock
        self._unsent: deque[tuple[int, Ticket, float]] = deque()
        self._acks: dict[int, tuple[int, Ticket, float]] = {}

    def is_open(self) -> bool:
        return self._handle is not None

    def pop(self) -> tuple[dict[str, Any], list[bytes]]:
        """The oldest message that has come."""
        header, frames = self.buffer.popleft()
        self.taken = header["message_num"]
        self._fresh += 1
        self._fresh_bytes += sum(map(len, frames))
        return header, frames

    def ack(self, number: int, ticket: Ticket) -> None:
        self._unsent.append((number, ticket, self.connection.clock))

    def is_due(self) -> bool:
        """Whether the broker should hear of it, though nobody waits for a message."""
        return self._owes_credit() or time.monotonic() - self._spoke >= ALIVE

    def resume(self) -> Exception | None:
        """The failure, where there is one. After a silence it may be tried again."""
        failure = self.failure
        if isinstance(failure, NoAnswer):
            self.failure = None
            self._since = self.heard = self.connection.clock
        return failure

    def advance(self) -> float:
        if self.failure is not None:
            return FOREVER
        self._expire_acks()
        return self._serve() if self.is_open() else self._open()

    def take(self, header: dict[str, Any], frames: list[bytes]) -> None:
        answered, kind = header.get("id"), header["type"]
        self._asked = None
        if answered is not None and answered == self._opening and kind in ("reply", "error"):
            self._take_opening(header)
        elif kind in ("message", "end"):
            if header.get("consumer") == self._handle and self.end is None:
                self._take_news(header, frames)
        elif header.get("code") == "unknown_consumer":
            # What was asked of an older handle is answered late.
            if self.is_open() and isinstance(answered, int) and answered > self._opened:
                self._reopen()
        elif isinstance(answered, int) and answered in self._acks:
            _, ticket, _ = self._acks.pop(answered)
            if ticket.done():
                return
            if kind == "reply":
                ticket.set_result(None)
            else:
                ticket.set_exception(refused(header))

    def fail(self, error: Exception) -> None:
        self.failure = error
        for _, ticket, _ in [*self._acks.values(), *self._unsent]:
            if not ticket.done():
                ticket.set_exception(error)
        self._acks.clear()
        self._unsent.clear()

    def close(self) -> None:
        if self.is_open():
            self.connection.request({"op": "cancel", "consumer": self._handle})
        # The place of one that says nothing is kept for two minutes.
        self.connection.close(linger=100 if self.is_open() else 0)
        self._handle = None

    def _open(self) -> float:
        """Asks for a consumer; one that was there before is gone on with."""
        clock = self.connection.clock
        if clock < self._not_before:
            return self._not_before - clock
        if clock - self._since >= self.timeout:
            self._opening = None
            self.connection.close()
            self.fail(self.connection.no_answer(self.timeout))
            return FOREVER
        if self._opening is not None and clock - self._tried >= ATTEMPT:
            self.connection.close()
            self._opening = None
        if self._opening is None:
            credit = max(1, CREDIT - len(self.buffer))
            request = {"op": "consume", "credit": credit, **self.request}
            if self._received is not None:
                request["from"] = self._received + 1
                request.pop("initial", None)
            self._tried = clock
            self._opening = self.connection.request(request)
            self._fresh = self._fresh_bytes = 0
        self.silent(self._since)
        ends = (self._tried + ATTEMPT, self._since + self.timeout)
        return max(min(ends) - clock, 0.001)

    def _take_opening(self, header: dict[str, Any]) -> None:
        self._opened, self._opening = self._opening or 0, None
        if header["type"] == "error":
            self.fail(refused(header))
            return
        self._handle = header["consumer"]
        self._begin = self._received = header["after"]
        self._spoke = time.monotonic()

    def _take_news(self, header: dict[str, Any], frames: list[bytes]) -> None:
        if header["type"] == "message":
            self._received = header["message_num"]
            self.buffer.append((header, frames))
        elif header["reason"] == "head":
            self.end = header["message_num"]
        elif header["reason"] == "replaced":
            self.fail(RecorderError("replaced", "another consumer has taken the name", header))
        else:
            self.connection.close()
            self._reopen()
            self._not_before = self.connection.clock + AWAY

    def _serve(self) -> float:
        while self._unsent:
            number, ticket, since = self._unsent[0]
            request = {"op": "ack", "consumer": self._handle, "message_num": number}
            request_id = self.connection.request(request)
            if request_id is None:
                break
            self._unsent.popleft()
            self._acks[request_id] = (number, ticket, since)
        if self.is_due():
            self._give_credit()
        if self.connection.clock - self.heard > LOST:
            self.connection.close()
            self._reopen()
            return 0.0
        if self._asked is not None:
            self.silent(self._asked)
        wait = self._spoke + ALIVE - time.monotonic()
        return max(min(wait, SLICE if self._acks else wait), 0.0)

    def _owes_credit(self) -> bool:
        return self._fresh >= CREDIT // 2 or self._fresh_bytes >= WINDOW

    def _give_credit(self) -> None:
        """Gives credit for what was taken; none is a sign of life."""
        received = max(self._begin, self.taken or 0)
        fields = {
            "op": "credit", "consumer": self._handle,
            "credit": self._fresh, "received": received,
        }  # fmt: skip
        if self.connection.request(fields) is not None:
            self._fresh = self._fresh_bytes = 0
        if self._asked is None:
            self._asked = self.connection.clock
        self._spoke = time.monotonic()

    def _reopen(self) -> None:
        self._handle = self._opening = None
        self._since = self.heard = self.connection.clock
        self._asked = None
        self._unsent.extendleft(reversed(list(self._acks.values())))
        self._acks.clear()

    def _expire_acks(self) -> None:
        clock = self.connection.clock
        late = [i for i, (_, _, since) in self._acks.items() if clock - since > self.timeout]
        for request_id in late:
            _, ticket, _ = self._acks.pop(request_id)
            if not ticket.done():
                ticket.set_exception(self.connection.no_answer(self.timeout))
        while self._unsent and clock - self._unsent[0][2] > self.timeout:
            _, ticket, _ = self._unsent.popleft()
            if not ticket.done():
                ticket.set_exception(self.connection.no_answer(self.timeout))


Position = Union[int, str, datetime.datetime, Mapping[str, str]]
WORDS = ("start", "session", "now", "after")
FILTERS = ("topic", "sender", "tier", "chain", "tag")


class Archived(NamedTuple):
    """A session that was closed."""

    archive: str | None  # the file's name; None where nothing was in the session
    messages: int


class BaseMessage:
    """A message of the journal."""

    def __init__(self, header: dict[str, Any], frames: list[bytes]) -> None:
        self.number: int = header["message_num"]
        """Its number in the journal."""
        self.recorded_at: str = header["recorded_at"]
        """When it was recorded, by the broker's clock."""
        self.gap: int = header.get("gap", 0)
        """How many numbers before it hold no message that can be read."""
        self.frames = frames
        """All frames, as they were published."""

    @property
    def topic(self) -> str:
        """The first frame as text."""
        return text_of(self.frames[0])

    @property
    def payload(self) -> Any:
        """The payload as Python values, or as bytes where it is no JSON."""
        return value_of(self.frames[-1])

    def __repr__(self) -> str:
        size = sum(map(len, self.frames))
        return f"<Message {self.number} [{self.topic[:60]}], {size} bytes>"


def consume_request(
    name: str | None,
    from_: Position | None,
    initial: Position | None,
    filter: Mapping[str, str] | None,
    follow: bool,
    pace: float | None,
) -> dict[str, Any]:
    """The request for a consumer, as the protocol has it."""
    if name is None and from_ is None:
        raise ValueError(
            "where to begin? Give a name, under which the broker keeps the position, "
            "or from_: 'start', 'session', 'now', a number or a datetime"
        )
    for key in filter or {}:
        if key not in FILTERS:
            raise ValueError(f"there is no filter {key!r}: it is one of {', '.join(FILTERS)}")
    given = {
        "name": name,
        "from": _position("from_", from_),
        "initial": _position("initial", initial),
        "filter": dict(filter) if filter else None,
        "follow": None if follow else False,
        "pace": pace,
    }
    return {key: value for key, value in given.items() if value is not None}


def positions_of(status: dict[str, Any]) -> dict[str, int]:
    """The positions that are kept for consumers' names, out of a status."""
    return {
        one["name"]: one["acked"]
        for one in status["consumers"]
        if one["name"] is not None and one["acked"] is not None
    }


def _position(member: str, value: Position | None) -> Any:
    if value is None or isinstance(value, Mapping):
        return value
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise ValueError(f"{member} is a time without a time zone: add one, such as UTC")
        return {"time": value.isoformat()}
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(
            f"{member} is a number, a datetime or one of {', '.join(WORDS)}, "
            f"not {type(value).__name__}"
        )
    if isinstance(value, str) and value not in WORDS:
        raise ValueError(f"{member} is one of {', '.join(WORDS)}, or a number, not {value!r}")
    return value


EARLY = 64  # messages that go out together


class Recorder:
    """Talks to one broker, over its control port.

    It connects when it is first used, and again whenever the connection is lost.
    `timeout` is how long the broker's silence is borne, in seconds. A `sender` is put
    into each dict that names none. With `key` and `server_key`, the files that
    `broker keygen` makes, it speaks CURVE.

    Threads may share one; they wait for each other, so give each its own.
    """

    def __init__(
        self,
        endpoint: str = "tcp://127.0.0.1:5558",
        timeout: float = 30.0,
        *,
        sender: str | None = None,
        key: Path | None = None,
        server_key: Path | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.timeout = timeout
        self.sender = sender
        self._keys = load_keys(key, server_key)
        self._requests = Requests(Connection(endpoint, self._keys), timeout)
        self._consumers: set[Consumer] = set()
        self._lock = threading.RLock()
        self._closed = False

    def __repr__(self) -> str:
        return f"<Recorder {self.endpoint}{', closed' if self._closed else ''}>"

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends its consumers and connections."""
        with self._lock:
            self._closed = True
            for consumer in list(self._consumers):
                consumer.close()
            self._requests.connection.close()

    def publish(self, topic: Topic, payload: Payload) -> int:
        """Publishes a message and returns its number when it is on stable storage.

        A dict or a list is sent as JSON, a str as UTF-8, bytes as they are. A dict
        without a message_id gets one. With a message_id and a sender the message is
        recorded once, however often it has to be sent; a message without them is sent
        once, and `UnknownOutcome` is raised where no answer comes.
        """
        return self.publish_frames(frames_of(topic, payload, self.sender))

    def publish_frames(self, frames: Sequence[bytes]) -> int:
        """Publishes a message of any frames, the topic first; returns its number."""
        if not frames:
            raise ValueError("a message has at least one frame: its topic")
        outcome = Outcome()
        request = Request(outcome, {"op": "publish"}, frames, "message_num")
        return int(self._finish(request, outcome))

    def publish_many(self, messages: Iterable[tuple[Topic, Payload]]) -> list[int]:
        """Publishes (topic, payload) pairs, many at a time; returns their numbers.

        They are recorded in this order. Where one is refused the rest is recorded all
        the same, and the first error is raised at the end.
        """
        outcomes = []
        with self._lock:
            self._check_open()
            for topic, payload in messages:
                outcome = Outcome()
                frames = frames_of(topic, payload, self.sender)
                self._requests.submit(Request(outcome, {"op": "publish"}, frames, "message_num"))
                outcomes.append(outcome)
                if self._requests.backlog() % EARLY == 0:
                    self._requests.advance()
                while self._requests.backlog() >= IN_FLIGHT:
                    turn(self._requests, SLICE)
            for outcome in outcomes:
                self._wait(outcome)
        return [outcome.result() for outcome in outcomes]

    def consume(
        self,
        name: str | None = None,
        *,
        from_: Position | None = None,
        initial: Position | None = None,
        filter: Mapping[str, str] | None = None,
        follow: bool = True,
        pace: float | None = None,
    ) -> Consumer:
        """Reads the journal from any position, and follows it.

        With a `name` the broker keeps the position that was acknowledged, and the next
        consumer of that name goes on behind it; `initial` is where it begins while there
        is none ("start" unless told otherwise). `from_` is a number, "start", "session",
        "now", "after" or a datetime. `filter` may have topic (how it begins), sender,
        tier, chain and tag. Without `follow` it ends at the last message there is.
        `pace` 1 gives the messages out as fast as they were recorded.
        """
        self._check_open()
        request = consume_request(name, from_, initial, filter, follow, pace)
        connection = Connection(self.endpoint, self._keys)
        consumer = Consumer(Consuming(connection, self.timeout, request), self._consumers)
        try:
            consumer.open()
        except BaseException:
            consumer.close()
            raise
        return consumer

    def status(self) -> dict[str, Any]:
        """What the broker does: docs/protocol.md tells the members."""
        return dict(self._ask({"op": "status"}))

    def positions(self) -> dict[str, int]:
        """The position that was acknowledged for each consumer's name."""
        return positions_of(self.status())

    def forget(self, name: str) -> bool:
        """Forgets a consumer's name with its position; False where there was none."""
        return bool(self._ask({"op": "forget", "name": name})["forgotten"])

    def ping(self) -> None:
        """Returns when the broker has answered."""
        self._ask({"op": "ping"})

    def limits(self) -> dict[str, int]:
        """How much the broker takes: docs/protocol.md tells the members."""
        return dict(self._ask({"op": "hello", "protocol": 1})["limits"])

    def archive(self, label: str | None = None) -> Archived:
        """Closes the session; returns the archive's name and its number of messages.

        It is asked once, so that a session that was closed without an answer is not
        closed twice. The label becomes part of the name.
        """
        request = {"op": "archive"} if label is None else {"op": "archive", "label": label}
        reply = self._ask(request, again=False)
        return Archived(reply["archive"], reply["messages"])

    def _ask(self, fields: dict[str, Any], again: bool = True) -> dict[str, Any]:
        outcome = Outcome()
        return dict(self._finish(Request(outcome, fields, safe_again=again), outcome))

    def _finish(self, request: Request, outcome: Outcome) -> Any:
        with self._lock:
            self._check_open()
            self._requests.submit(request)
            self._wait(outcome)
        return outcome.result()

    def _wait(self, outcome: Outcome) -> None:
        try:
            while not outcome.done():
                turn(self._requests, SLICE)
        except Exception as error:
            self._requests.fail(error)
            self._requests.drop_connection()
            raise

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("this Recorder is closed")


class Message(BaseMessage):
    """A message of the journal."""

    def __init__(self, consumer: Consumer, header: dict[str, Any], frames: list[bytes]) -> None:
        super().__init__(header, frames)
        self._consumer = consumer

    def ack(self) -> None:
        """Says that all messages up to this one are done; returns when that is stored."""
        self._consumer.ack(self.number)


class Consumer:
    """Messages of the journal, in order; an iterator.

    When the broker is away, it is waited for, and the consumer goes on behind the
    last message that it gave out. See `Recorder.consume`.
    """

    def __init__(self, machine: Consuming, siblings: set[Consumer]) -> None:
        self._machine = machine
        self._siblings = siblings
        siblings.add(self)
        self._lock = threading.RLock()
        self._closed = False

    def __repr__(self) -> str:
        name = self._machine.request.get("name")
        return f"<Consumer {name or ''!r} at {self._machine.taken}>"

    def __iter__(self) -> Iterator[Message]:
        return self

    def __enter__(self) -> Consumer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __next__(self) -> Message:
        message = self.next(FOREVER)
        while message is None:
            if self.end is not None:
                raise StopIteration
            message = self.next(FOREVER)
        return message

    @property
    def end(self) -> int | None:
        """How far the journal was read, once a consumer that does not follow is at its end."""
        return self._machine.end

    def next(self, seconds: float) -> Message | None:
        """The next message, or None where none comes in that time."""
        machine = self._machine
        with self._lock:
            give_up = machine.connection.clock + seconds
            while not machine.buffer and machine.end is None:
                self._turn(give_up - machine.connection.clock)
                if machine.connection.clock >= give_up:
                    break
            if not machine.buffer:
                return None
            header, frames = machine.pop()
            if machine.is_due():
                machine.advance()
            return Message(self, header, frames)

    def ack(self, number: int | None = None) -> None:
        """Says that all messages up to this one are done; returns when that is stored.

        Without a number it is the last one that was given out.
        """
        with self._lock:
            number = self._machine.taken if number is None else number
            if number is None:
                raise ValueError("nothing to acknowledge: no message was given out yet")
            outcome = Outcome()
            self._machine.ack(number, outcome)
            while not outcome.done():
                self._turn(SLICE)
        outcome.result()

    def open(self) -> None:
        """Returns when the broker has said where it begins."""
        with self._lock:
            while not self._machine.is_open():
                self._turn(SLICE)

    def close(self) -> None:
        """Ends it; the position that was acknowledged stays."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._siblings.discard(self)
                self._machine.close()

    def _turn(self, limit: float) -> None:
        if self._closed:
            raise ValueError("this Consumer is closed")
        if failure := self._machine.resume():
            raise failure
        turn(self._machine, limit)
        if failure := self._machine.resume():
            raise failure


class Outcome:
    """What came of a request."""

    __slots__ = ("_done", "_error", "_result")

    def __init__(self) -> None:
        self._done = False
        self._result: Any = None
        self._error: Exception | None = None

    def done(self) -> bool:
        return self._done

    def set_result(self, result: Any, /) -> None:
        self._done, self._result = True, result

    def set_exception(self, exception: Exception, /) -> None:
        self._done, self._error = True, exception

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._result


def turn(machine: Machine, limit: float) -> None:
    """Waits for what comes, for at most `limit` seconds, and takes it."""
    wait = max(0.0, min(machine.advance(), limit, SLICE))
    began = time.monotonic()
    machine.connection.poll(wait)
    machine.connection.passed(wait, time.monotonic() - began)
    machine.take_what_came()
