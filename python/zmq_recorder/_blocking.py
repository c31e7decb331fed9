"""The client for programs that wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from ._connection import FOREVER, IN_FLIGHT, SLICE, Connection, Machine
from ._consuming import Consuming
from ._frames import Payload, Topic, frames_of
from ._keys import Path, load_keys
from ._messages import Archived, BaseMessage, Position, consume_request, positions_of
from ._requests import Request, Requests

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
