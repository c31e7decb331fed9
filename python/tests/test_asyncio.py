"""The client for asyncio against a real broker."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from zmq_recorder.asyncio import NoAnswer, Recorder, RecorderError

from .util import DEADLINE, TestCase


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, DEADLINE))


class Publishing(TestCase):
    def test_what_is_published_at_once_shares_the_way_and_keeps_its_order(self) -> None:
        broker = self.broker()

        async def work() -> None:
            async with Recorder(broker.endpoint, sender="me") as recorder:
                numbers = await asyncio.gather(
                    *(recorder.publish("t", {"content": n}) for n in range(2000))
                )
                self.assertEqual(numbers, list(range(1, 2001)))

                async def more() -> AsyncIterator[tuple[str, str]]:
                    for n in range(1500):
                        yield "t", str(n)

                self.assertEqual(await recorder.publish_many(more()), list(range(2001, 3501)))

        run(work())

    def test_each_message_is_recorded_and_consumed_once_across_restarts(self) -> None:
        broker = self.broker(lasting=True)

        async def publish() -> None:
            async with Recorder(broker.endpoint, timeout=120, sender="me") as recorder:
                for start in range(0, 2000, 100):
                    messages = [("t", {"content": n}) for n in range(start, start + 100)]
                    await recorder.publish_many(messages)

        async def work() -> None:
            publishing = asyncio.ensure_future(publish())
            seen = []
            async with Recorder(broker.endpoint, timeout=120) as recorder:
                async for message in recorder.consume("reader"):
                    seen.append(message.payload["content"])
                    if len(seen) in (300, 900, 1500):
                        await message.ack()
                        broker.kill()
                        broker.start()
                    if len(seen) == 2000:
                        await message.ack()
                        break
                self.assertEqual(await recorder.positions(), {"reader": message.number})
            await publishing
            self.assertEqual(seen, list(range(2000)))

        run(work())
        self.assertEqual(len(broker.records()), 2000)

    def test_a_cancelled_call_withdraws_what_was_not_sent(self) -> None:
        broker = self.broker(lasting=True)
        broker.kill()

        async def work() -> None:
            async with Recorder(broker.endpoint, timeout=120, sender="me") as recorder:
                given_up = [
                    asyncio.ensure_future(recorder.publish("t", {"content": f"no {n}"}))
                    for n in range(50)
                ]
                kept = asyncio.ensure_future(recorder.publish("t", {"content": "yes"}))
                await asyncio.wait(given_up, timeout=0.4)
                for task in given_up:
                    task.cancel()
                many = asyncio.ensure_future(recorder.publish_many([("t", {"content": "no"})] * 9))
                await asyncio.sleep(0)
                many.cancel()
                broker.start()
                self.assertEqual(await kept, 1)
                self.assertEqual(await recorder.publish("t", {"content": "behind"}), 2)

        run(work())
        self.assertEqual([record["content"] for record in broker.records()], ["yes", "behind"])

    def test_where_nobody_answers_it_says_so_and_ends_in_time(self) -> None:
        nobody = f"tcp://127.0.0.1:{self.free_port()}"

        async def work() -> None:
            async with Recorder(nobody, timeout=1.2) as recorder:
                with self.assertLogs("zmq_recorder", "WARNING") as logs:
                    results = await asyncio.gather(
                        recorder.publish("t", "x"),
                        recorder.status(),
                        recorder.archive(),
                        recorder.consume("x").next(60),
                        return_exceptions=True,
                    )
                self.assertEqual([type(result) for result in results], [NoAnswer] * 4)
                self.assertIn("waiting for the broker", logs.output[0])

        run(work())

    def test_wrong_kinds_are_errors_at_once(self) -> None:
        async def work() -> None:
            wrong: Any = 7
            async with Recorder() as recorder:
                with self.assertRaisesRegex(TypeError, "not int"):
                    await recorder.publish("t", wrong)
                with self.assertRaisesRegex(ValueError, "where to begin"):
                    recorder.consume()

        run(work())


class Consuming(TestCase):
    def test_a_cancelled_wait_loses_no_message(self) -> None:
        broker = self.broker()

        async def work() -> None:
            async with (
                Recorder(broker.endpoint) as recorder,
                recorder.consume(from_="now") as consumer,
            ):
                self.assertIsNone(await consumer.next(0.01))
                numbers: list[int] = []
                publishing = asyncio.ensure_future(
                    recorder.publish_many(("t", str(n)) for n in range(200))
                )
                while len(numbers) < 200:
                    waiting = asyncio.ensure_future(consumer.next(60))
                    await asyncio.sleep(0)
                    if not waiting.cancel():
                        message = waiting.result()
                        assert message is not None
                        numbers.append(message.number)
                self.assertEqual(numbers, list(range(1, 201)))
                await publishing

        run(work())

    def test_it_ends_where_it_does_not_follow(self) -> None:
        broker = self.broker()

        async def work() -> None:
            async with Recorder(broker.endpoint) as recorder:
                await recorder.publish_many([("a", "1"), ("b", "2")])
                consumer = recorder.consume("reader", follow=False)
                self.assertEqual([message.number async for message in consumer], [1, 2])
                await consumer.ack(consumer.end)
                await consumer.ack()
                await consumer.close()
                self.assertEqual(await recorder.positions(), {"reader": 2})
                archived = await recorder.archive("x")
                self.assertEqual(archived.messages, 2)
                self.assertTrue(await recorder.forget("reader"))
                await recorder.ping()
                self.assertGreater((await recorder.limits())["credit"], 0)

        run(work())

    def test_whoever_waits_hears_that_it_was_closed(self) -> None:
        broker = self.broker()

        async def work() -> None:
            async with Recorder(broker.endpoint) as recorder:
                consumer = await recorder.consume(from_="now")
                waiting = asyncio.ensure_future(consumer.next(60))
                await asyncio.sleep(0)
                await consumer.close()
                with self.assertRaisesRegex(ValueError, "this Consumer is closed"):
                    await waiting
                with self.assertRaises(RecorderError):
                    await recorder.consume(from_=99)

        run(work())

    def test_another_loop_is_told_that_it_is_another_one(self) -> None:
        broker = self.broker()
        recorder = Recorder(broker.endpoint)
        run(recorder.ping())
        with self.assertRaisesRegex(RuntimeError, "another event loop"):
            run(recorder.ping())
        run(recorder.close())


FORGETFUL = """
import asyncio, gc, sys
from zmq_recorder.asyncio import Recorder

async def main():
    recorder = Recorder(sys.argv[1])
    await recorder.ping()
    await recorder.consume(from_="start")

asyncio.run(main())
gc.collect()
print("goes on")
"""


class Loops(TestCase):
    def test_one_that_was_forgotten_does_not_stop_the_program(self) -> None:
        broker = self.broker()
        ended = subprocess.run(
            [sys.executable, "-c", FORGETFUL, broker.endpoint],
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
        )
        self.assertEqual((ended.returncode, ended.stdout), (0, "goes on\n"), ended.stderr)

    def test_a_loop_that_watches_no_foreign_sockets_will_do(self) -> None:
        """As Windows' usual one."""
        broker = self.broker()

        class Loop(asyncio.SelectorEventLoop):
            def add_reader(self, *arguments: Any) -> None:  # type: ignore[override]
                raise NotImplementedError

            def remove_reader(self, *arguments: Any) -> bool:
                raise NotImplementedError

        async def work() -> None:
            async with Recorder(broker.endpoint) as recorder:
                self.assertEqual(await recorder.publish("t", "x"), 1)
                async with recorder.consume(from_="start") as consumer:
                    message = await consumer.next(60)
                    self.assertEqual(message and message.number, 1)

        loop = Loop()
        try:
            loop.run_until_complete(asyncio.wait_for(work(), DEADLINE))
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()
