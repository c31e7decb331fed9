"""The client for asyncio: the same names as in `zmq_recorder`, with `await`.

from zmq_recorder.asyncio import Recorder

async with Recorder(sender="me") as recorder:
    number = await recorder.publish("greeting", {"content": "hi"})
    async for message in recorder.consume("indexer"):
        print(message.number, message.topic, message.payload)
        await message.ack()
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Union

from ._connection import IN_FLIGHT, Connection
from ._consuming import Consuming
from ._driver import Driver
from ._errors import NoAnswer, RecorderError, UnknownOutcome
from ._frames import Payload, Topic, frames_of
from ._keys import Path, load_keys
from ._messages import Archived, BaseMessage, Position, consume_request, positions_of
from ._requests import Request, Requests

__all__ = [
    "Archived",
    "Consumer",
    "Message",
    "NoAnswer",
    "Recorder",
    "RecorderError",
    "UnknownOutcome",
]

Messages = Union[Iterable[tuple[Topic, Payload]], AsyncIterable[tuple[Topic, Payload]]]


class Recorder:
    """Talks to one broker, over its control port.

    It connects when it is first used, and again whenever the connection is lost.
    `timeout` is how long the broker's silence is borne, in seconds. A `sender` is put
    into each dict that names none. With `key` and `server_key`, the files that
    `broker keygen` makes, it speaks CURVE.

    Any number of tasks of one event loop may share it: what they publish at the same
    time goes out together. A call that is cancelled withdraws what was not sent yet;
    what was sent may be recorded.
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
        self._driver = Driver(self._requests)
        self._consumers: set[Consumer] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"<Recorder {self.endpoint}{', closed' if self._closed else ''}>"

    async def __aenter__(self) -> Recorder:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends its consumers and connections; what is under way gets an error."""
        self._closed = True
        for consumer in list(self._consumers):
            await consumer.close()
        self._requests.fail(ValueError("this Recorder is closed"))
        await self._driver.stop()
        self._requests.connection.close()

    async def publish(self, topic: Topic, payload: Payload) -> int:
        """Publishes a message and returns its number when it is on stable storage.

        A dict or a list is sent as JSON, a str as UTF-8, bytes as they are. A dict
        without a message_id gets one. With a message_id and a sender the message is
        recorded once, however often it has to be sent; a message without them is sent
        once, and `UnknownOutcome` is raised where no answer comes.
        """
        return await self.publish_frames(frames_of(topic, payload, self.sender))

    async def publish_frames(self, frames: Sequence[bytes]) -> int:
        """Publishes a message of any frames, the topic first; returns its number."""
        if not frames:
            raise ValueError("a message has at least one frame: its topic")
        return int(await self._submit({"op": "publish"}, frames, "message_num"))

    async def publish_many(self, messages: Messages) -> list[int]:
        """Publishes (topic, payload) pairs, many at a time; returns their numbers.

        They are recorded in this order. Where one is refused the rest is recorded all
        the same, and the first error is raised at the end.
        """
        futures = []
        try:
            if isinstance(messages, AsyncIterable):
                async for topic, payload in messages:
                    futures.append(await self._queue(topic, payload))
            else:
                for topic, payload in messages:
                    futures.append(await self._queue(topic, payload))
            results = await asyncio.gather(*futures, return_exceptions=True)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        numbers: list[int] = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            numbers.append(result)
        return numbers

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

        It begins when it is awaited, entered with `async with` or first iterated.
        """
        self._check_open()
        request = consume_request(name, from_, initial, filter, follow, pace)
        connection = Connection(self.endpoint, self._keys)
        return Consumer(Consuming(connection, self.timeout, request), self._consumers)

    async def status(self) -> dict[str, Any]:
        """What the broker does: docs/protocol.md tells the members."""
        return dict(await self._submit({"op": "status"}))

    async def positions(self) -> dict[str, int]:
        """The position that was acknowledged for each consumer's name."""
        return positions_of(await self.status())

    async def forget(self, name: str) -> bool:
        """Forgets a consumer's name with its position; False where there was none."""
        return bool((await self._submit({"op": "forget", "name": name}))["forgotten"])

    async def ping(self) -> None:
        """Returns when the broker has answered."""
        await self._submit({"op": "ping"})

    async def limits(self) -> dict[str, int]:
        """How much the broker takes: docs/protocol.md tells the members."""
        return dict((await self._submit({"op": "hello", "protocol": 1}))["limits"])

    async def archive(self, label: str | None = None) -> Archived:
        """Closes the session; returns the archive's name and its number of messages.

        It is asked once, so that a session that was closed without an answer is not
        closed twice. The label becomes part of the name.
        """
        request = {"op": "archive"} if label is None else {"op": "archive", "label": label}
        reply = await self._submit(request, again=False)
        return Archived(reply["archive"], reply["messages"])

    def _submit(
        self,
        fields: dict[str, Any],
        frames: Sequence[bytes] = (),
        member: str | None = None,
        again: bool = True,
    ) -> asyncio.Future[Any]:
        self._check_open()
        self._driver.start()
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        safe_again = None if frames else again
        self._requests.submit(Request(future, fields, frames, member, safe_again))
        self._driver.wake()
        return future

    async def _queue(self, topic: Topic, payload: Payload) -> asyncio.Future[Any]:
        future = self._submit(
            {"op": "publish"}, frames_of(topic, payload, self.sender), "message_num"
        )
        # What is to be sent does not pile up; the loop gets its turns.
        while self._requests.backlog() >= IN_FLIGHT:
            await self._driver.turn()
        return future

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("this Recorder is closed")


class Message(BaseMessage):
    """A message of the journal."""

    def __init__(self, consumer: Consumer, header: dict[str, Any], frames: list[bytes]) -> None:
        super().__init__(header, frames)
        self._consumer = consumer

    async def ack(self) -> None:
        """Says that all messages up to this one are done; returns when that is stored."""
        await self._consumer.ack(self.number)


class Consumer:
    """Messages of the journal, in order; an asynchronous iterator.

    When the broker is away, it is waited for, and the consumer goes on behind the
    last message that came. A call that is cancelled loses no message. See
    `Recorder.consume`.
    """

    def __init__(self, machine: Consuming, siblings: set[Consumer]) -> None:
        self._machine = machine
        self._siblings = siblings
        siblings.add(self)
        self._driver = Driver(machine)
        self._closed = False

    def __repr__(self) -> str:
        name = self._machine.request.get("name")
        return f"<Consumer {name or ''!r} at {self._machine.taken}>"

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    def __await__(self) -> Generator[Any, None, Consumer]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> Consumer:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def __anext__(self) -> Message:
        message = await self._next(None)
        if message is None:
            raise StopAsyncIteration
        return message

    @property
    def end(self) -> int | None:
        """How far the journal was read, once a consumer that does not follow is at its end."""
        return self._machine.end

    async def next(self, seconds: float) -> Message | None:
        """The next message, or None where none comes in that time."""
        return await self._next(asyncio.get_running_loop().time() + seconds)

    async def ack(self, number: int | None = None) -> None:
        """Says that all messages up to this one are done; returns when that is stored.

        Without a number it is the last one that was given out.
        """
        self._start()
        number = self._machine.taken if number is None else number
        if number is None:
            raise ValueError("nothing to acknowledge: no message was given out yet")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._machine.ack(number, future)
        self._driver.wake()
        await future

    async def open(self) -> None:
        """Returns when the broker has said where it begins."""
        while not self._machine.is_open():
            self._start()
            await self._driver.turn()
            self._raise()

    async def close(self) -> None:
        """Ends it; the position that was acknowledged stays."""
        if not self._closed:
            self._closed = True
            self._siblings.discard(self)
            self._machine.fail(ValueError("this Consumer is closed"))
            await self._driver.stop()
            self._machine.close()

    async def _next(self, give_up: float | None) -> Message | None:
        """The next message, or None at the end or when time is over."""
        machine = self._machine
        loop = asyncio.get_running_loop()
        while not machine.buffer:
            if machine.end is not None:
                return None
            self._raise()
            self._start()
            left = None if give_up is None else give_up - loop.time()
            # Whoever has no time lets the driver have a turn all the same.
            await (asyncio.sleep(0) if left is not None and left <= 0 else self._driver.turn(left))
            if left is not None and left <= 0 and not machine.buffer:
                return None
        header, frames = machine.pop()
        if machine.is_due():
            self._driver.wake()
        return Message(self, header, frames)

    def _start(self) -> None:
        if self._closed:
            raise ValueError("this Consumer is closed")
        self._driver.start()

    def _raise(self) -> None:
        if failure := self._machine.resume():
            self._driver.wake()
            raise failure
