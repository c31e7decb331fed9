"""A consumer: messages that come as far as there is credit, and acknowledgements."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from ._connection import ATTEMPT, FOREVER, SLICE, Connection, Machine
from ._errors import NoAnswer, RecorderError, refused
from ._requests import Ticket

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
