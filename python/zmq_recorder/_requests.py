"""Requests under way: each gets its answer, or an error that says what is certain."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from ._connection import (
    ATTEMPT,
    FIRST_ATTEMPT,
    FOREVER,
    IN_FLIGHT,
    SLICE,
    Connection,
    Machine,
)
from ._errors import UnknownOutcome, refused
from ._frames import is_named

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
