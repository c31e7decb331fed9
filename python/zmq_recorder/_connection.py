"""One connection to the control port, and the time that it is waited for."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import zmq

from ._errors import NoAnswer, RecorderError
from ._keys import Keys

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
