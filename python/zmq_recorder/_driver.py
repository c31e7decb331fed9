"""A task of an event loop that drives a machine."""

from __future__ import annotations

import asyncio
import contextlib
import select
import time
from typing import TYPE_CHECKING, Any

import zmq

from ._connection import FOREVER, SLICE, Machine

if TYPE_CHECKING:
    Socket = zmq.Socket[bytes]


class Driver:
    """Sends and receives for a machine, in a task of its own, many messages at a turn.

    A future of the socket for each message would take four times as long.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake: asyncio.Event | None = None
        self._turned: asyncio.Future[None] | None = None
        self._watched: int | None = None
        self._select: asyncio.Future[Any] | None = None
        machine.connection.before_close = self._unwatch

    def start(self) -> None:
        """Starts the task where it does not run yet."""
        loop = asyncio.get_running_loop()
        if self._loop is not None and self._loop is not loop:
            raise RuntimeError("this belongs to another event loop: make one in each loop")
        if self._task is None:
            self._loop = loop
            self._wake = asyncio.Event()
            self._turned = loop.create_future()
            self._task = loop.create_task(self._run())

    def wake(self) -> None:
        """There is something to be done."""
        if self._wake is not None:
            self._wake.set()

    async def turn(self, seconds: float | None = None) -> None:
        """Waits until something has come or was done, for at most `seconds`."""
        assert self._turned is not None
        await asyncio.wait({self._turned}, timeout=seconds)

    async def stop(self) -> None:
        """Ends the task, and tells all who wait for it."""
        task, self._task = self._task, None
        if task is not None and self._loop is asyncio.get_running_loop():
            task.cancel()
            await asyncio.wait({task})
            self._tell()

    async def _run(self) -> None:
        machine = self.machine
        while True:
            try:
                await self._wait(machine.advance())
                # Others get their turn between a thousand messages and the next.
                while machine.take_what_came():
                    self._tell()
                    await asyncio.sleep(0)
            except Exception as error:
                machine.fail(error)
                machine.connection.close()
            self._tell()

    def _tell(self) -> None:
        assert self._loop is not None
        assert self._turned is not None
        turned, self._turned = self._turned, self._loop.create_future()
        if not turned.done():
            turned.set_result(None)

    async def _wait(self, seconds: float) -> None:
        """Waits until the socket has something, somebody wakes it, or time is over."""
        assert self._loop is not None
        assert self._wake is not None
        socket = self.machine.connection.socket
        self._watch(socket)
        # The descriptor only tells of changes: what is there already is seen here.
        if int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            return
        if seconds < FOREVER:
            seconds = min(seconds, SLICE)
        timer = self._loop.call_later(seconds, self._wake.set)
        began = time.monotonic()
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        self._wake.clear()
        self.machine.connection.passed(seconds, time.monotonic() - began)

    def _watch(self, socket: Socket) -> None:
        assert self._loop is not None
        assert self._wake is not None
        descriptor = int(socket.getsockopt(zmq.FD))
        if self._watched == descriptor:
            return
        self._watched = descriptor
        try:
            self._loop.add_reader(descriptor, self._wake.set)
        except NotImplementedError:
            # Windows' usual loop watches no sockets that it has not made: a thread does.
            self._watch_from_a_thread(descriptor)

    def _watch_from_a_thread(self, descriptor: int) -> None:
        assert self._loop is not None
        self._select = self._loop.run_in_executor(None, _select, descriptor)
        self._select.add_done_callback(lambda _: self._selected(descriptor))

    def _selected(self, descriptor: int) -> None:
        self.wake()
        if self._watched == descriptor and self._task is not None:
            self._watch_from_a_thread(descriptor)

    def _unwatch(self, socket: Socket) -> None:
        if self._watched is not None and self._loop is not None:
            # Where a thread watches it, or the loop is closed, there is none to remove.
            with contextlib.suppress(NotImplementedError, RuntimeError):
                self._loop.remove_reader(self._watched)
            self._watched = None


def _select(descriptor: int) -> None:
    # The connection may be dropped meanwhile.
    with contextlib.suppress(OSError, ValueError):
        select.select([descriptor], [], [], SLICE)
