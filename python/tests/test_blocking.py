"""The blocking client against a real broker."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import threading
import time
import unittest
from pathlib import Path
from typing import Any

from zmq_recorder import NoAnswer, Recorder, RecorderError, UnknownOutcome

from .util import TestCase, until


class Publishing(TestCase):
    def test_a_number_comes_back_and_a_repetition_is_recorded_once(self) -> None:
        broker = self.broker()
        with Recorder(broker.endpoint, sender="me") as recorder:
            message = {"message_id": "m-1", "content": "hi"}
            self.assertEqual(recorder.publish("a", message), 1)
            self.assertEqual(recorder.publish("a", message), 1)
            self.assertEqual(recorder.publish(b"a", {"content": "hi"}), 2)
        records = broker.records()
        self.assertEqual([record["sender"] for record in records], ["me", "me"])
        self.assertTrue(records[1]["message_id"])
        self.assertEqual(message, {"message_id": "m-1", "content": "hi"}, "it is the caller's")

    def test_payloads_of_each_kind_come_back_as_they_were_sent(self) -> None:
        broker = self.broker()
        half = "\ud800"
        payloads: list[Any] = [
            "text",
            b"\xff\x00",
            bytearray(b"x"),
            memoryview(b"y"),
            [1, "zwei"],
            {"k": half},
        ]
        with Recorder(broker.endpoint) as recorder:
            recorder.publish_many(("t", payload) for payload in payloads)
            self.assertEqual(recorder.publish_frames([b"t", b"1", b"", b"3"]), 7)
            self.assertEqual(recorder.publish_frames([b"alone"]), 8)
            messages = list(recorder.consume(from_="start", follow=False))
        frames = [message.frames[1:] for message in messages]
        self.assertEqual(frames[:5], [[b"text"], [b"\xff\x00"], [b"x"], [b"y"], [b'[1, "zwei"]']])
        self.assertEqual(messages[4].payload, [1, "zwei"])
        self.assertEqual(messages[5].payload["k"], half)
        self.assertEqual(frames[6:], [[b"1", b"", b"3"], []])

    def test_what_can_not_be_sent_is_an_error_that_says_what_is_expected(self) -> None:
        nobody = f"tcp://127.0.0.1:{self.free_port()}"
        with Recorder(nobody, timeout=60) as recorder:
            wrong: list[tuple[Any, Any, str]] = [
                ("t", 7, "a dict or a list .* not int"),
                ("t", None, "a dict or a list .* not NoneType"),
                (7, "x", "a topic is a str or bytes, not int"),
                ("t", {"content": {1, 2}}, "can't be written as JSON: .*set"),
            ]
            for topic, payload, text in wrong:
                with self.subTest(text), self.assertRaisesRegex(TypeError, text):
                    recorder.publish(topic, payload)
            with self.assertRaisesRegex(ValueError, "at least one frame"):
                recorder.publish_frames([])

    def test_each_message_is_recorded_once_while_the_broker_is_killed(self) -> None:
        broker = self.broker(lasting=True)
        numbers: list[int] = []

        def publish() -> None:
            with Recorder(broker.endpoint, timeout=120, sender="me") as recorder:
                for start in range(0, 3000, 500):
                    messages = [("t", {"content": n}) for n in range(start, start + 500)]
                    numbers.extend(recorder.publish_many(messages))

        publisher = threading.Thread(target=publish)
        publisher.start()
        for _ in range(3):
            before = len(numbers)
            until("progress", lambda: len(numbers) > before or not publisher.is_alive())  # noqa: B023
            broker.kill()
            broker.start()
        publisher.join()
        records = broker.records()
        self.assertEqual([record["message_num"] for record in records], list(range(1, 3001)))
        contents = {record["message_num"]: record["content"] for record in records}
        self.assertEqual([contents[number] for number in numbers], list(range(3000)))

    def test_where_nobody_answers_it_says_so_and_ends_in_time(self) -> None:
        nobody = f"tcp://127.0.0.1:{self.free_port()}"
        with Recorder(nobody, timeout=1.5) as recorder:
            with (
                self.assertLogs("zmq_recorder", "WARNING") as logs,
                self.assertRaisesRegex(NoAnswer, f"no answer from {nobody} within 1.5 s") as raised,
            ):
                recorder.publish("t", "not named, and not sent")
            self.assertIsInstance(raised.exception, TimeoutError)
            self.assertEqual(raised.exception.code, "no_answer")
            self.assertIn(f"waiting for the broker at {nobody}", logs.output[0])
            with self.assertRaises(NoAnswer):
                recorder.consume("x")
            with self.assertRaises(NoAnswer):
                recorder.archive()

    def test_it_waits_for_a_broker_that_comes_later(self) -> None:
        with Recorder(f"tcp://127.0.0.1:{self.free_port()}", timeout=120) as recorder:
            starter = threading.Timer(0.5, lambda: self.broker(lasting=True))
            starter.start()
            self.assertEqual(recorder.publish("t", "x"), 1)
            starter.join()

    @unittest.skipUnless(hasattr(signal, "SIGSTOP"), "needs a system that can pause a process")
    def test_a_message_without_a_name_is_sent_once_and_its_outcome_unknown(self) -> None:
        broker = self.broker()
        with Recorder(broker.endpoint, timeout=0.7) as recorder:
            until("an answer", lambda: _number(recorder))
            os.kill(broker.process.pid, signal.SIGSTOP)
            with self.assertRaisesRegex(UnknownOutcome, "publish may be done or not"):
                recorder.publish("t", "no name")
            with self.assertRaises(NoAnswer):
                recorder.publish("t", {"sender_id": "me", "content": "named"})
            os.kill(broker.process.pid, signal.SIGCONT)

    def test_what_the_broker_refuses_is_an_error_with_its_code(self) -> None:
        broker = self.broker("--max-message-size", "64KiB")
        with Recorder(broker.endpoint, sender="me") as recorder:
            with self.assertRaises(RecorderError) as raised:
                recorder.publish("t", b"x" * 100_000)
            self.assertEqual(raised.exception.code, "too_large")
            recorder.publish("t", {"message_id": "m", "content": 1})
            with self.assertRaises(RecorderError) as raised:
                recorder.publish_many([("t", {"message_id": "m", "content": 2}), ("t", "next")])
            self.assertEqual(raised.exception.code, "id_reused")
            self.assertEqual(raised.exception.details["message_num"], 1)
        self.assertEqual(len(broker.records()), 2, "the one behind it is recorded")


def _number(recorder: Recorder) -> int | None:
    try:
        return recorder.publish("t", {"sender_id": "me", "content": "hi"})
    except NoAnswer:
        return None


class Asking(TestCase):
    def test_status_positions_archive_and_limits(self) -> None:
        broker = self.broker()
        with Recorder(broker.endpoint) as recorder:
            recorder.ping()
            self.assertEqual(recorder.archive(), (None, 0))
            recorder.publish("t", "x")
            self.assertEqual(recorder.status()["last_message_num"], 1)
            self.assertGreater(recorder.limits()["credit"], 0)
            with recorder.consume("reader") as consumer:
                consumer.next(60)
                consumer.ack()
            self.assertEqual(recorder.positions(), {"reader": 1})
            self.assertTrue(recorder.forget("reader"))
            self.assertFalse(recorder.forget("reader"))
            self.assertEqual(recorder.positions(), {})
            archived = recorder.archive("phase 2")
            self.assertRegex(archived.archive or "", "phase-2.jsonl$")
            self.assertEqual(archived.messages, 1)
        self.assertIn("closed", repr(recorder))
        with self.assertRaisesRegex(ValueError, "closed"):
            recorder.ping()

    def test_keys_let_it_in(self) -> None:
        folder = Path(self.folder)
        program = os.environ["RECORDER_BROKER"]
        keygen = [program, "keygen", "--out"]
        subprocess.run([*keygen, folder / "keys"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*keygen, folder / "own", "alice"], check=True, stdout=subprocess.DEVNULL)
        key, server = folder / "own/alice.key_secret", folder / "keys/server.key"
        broker = self.broker("--curve", str(folder / "keys"))
        with (
            Recorder(broker.endpoint, timeout=0.3, key=key, server_key=server) as recorder,
            self.assertRaisesRegex(NoAnswer, "are these keys among the authorized ones"),
        ):
            recorder.ping()
        authorized = folder / "keys/authorized/alice.key"
        authorized.write_bytes((folder / "own/alice.key").read_bytes())
        with Recorder(broker.endpoint, timeout=120, key=key, server_key=server) as recorder:
            self.assertEqual(recorder.publish("t", "x"), 1)
            self.assertEqual(len(list(recorder.consume(from_="start", follow=False))), 1)
        with self.assertRaisesRegex(ValueError, "belong together"):
            Recorder(broker.endpoint, key=key)
        with self.assertRaisesRegex(ValueError, "holds no secret key"):
            Recorder(broker.endpoint, key=folder / "own/alice.key", server_key=server)


class Consuming(TestCase):
    def test_each_message_comes_once_across_restarts_of_the_broker(self) -> None:
        broker = self.broker(lasting=True)

        def publish() -> None:
            with Recorder(broker.endpoint, timeout=120, sender="me") as recorder:
                for start in range(0, 2000, 200):
                    recorder.publish_many(("t", {"content": n}) for n in range(start, start + 200))

        publisher = threading.Thread(target=publish)
        publisher.start()
        seen, numbers = [], []
        with Recorder(broker.endpoint, timeout=120) as recorder:
            consumer = recorder.consume("reader")
            for message in consumer:
                seen.append(message.payload["content"])
                numbers.append(message.number)
                if len(seen) in (300, 900, 1500):
                    message.ack()
                    broker.kill()
                    broker.start()
                if len(seen) == 2000:
                    message.ack()
                    break
            self.assertEqual(recorder.positions(), {"reader": message.number})
        publisher.join()
        self.assertEqual(numbers, list(range(1, 2001)))
        # What the socket still held goes out before what is sent again: the order of a
        # pipeline may change where the broker was killed, and nothing else.
        self.assertEqual(sorted(seen), list(range(2000)))

    def test_a_name_goes_on_behind_what_was_acknowledged(self) -> None:
        broker = self.broker()
        with Recorder(broker.endpoint) as recorder:
            recorder.publish_many([("a", "1"), ("b", "2"), ("a", "3")])
            with recorder.consume("reader", initial="start") as consumer:
                self.assertEqual([next(consumer).number, next(consumer).number], [1, 2])
                consumer.ack(1)
                self.assertEqual(repr(consumer), "<Consumer 'reader' at 2>")
            with recorder.consume("reader", follow=False, filter={"topic": "a"}) as consumer:
                messages = list(consumer)
                self.assertEqual([message.number for message in messages], [3])
                self.assertEqual(repr(messages[0]), "<Message 3 [a], 2 bytes>")
                self.assertEqual(consumer.end, 3)
                consumer.ack(consumer.end)
            self.assertEqual(recorder.positions(), {"reader": 3})
            with self.assertRaisesRegex(ValueError, "this Consumer is closed"):
                consumer.ack(3)

    def test_the_newest_of_a_name_is_the_one(self) -> None:
        broker = self.broker()
        with Recorder(broker.endpoint) as recorder:
            older = recorder.consume("reader")
            recorder.consume("reader")
            with self.assertRaises(RecorderError) as raised:
                older.next(60)
            self.assertEqual(raised.exception.code, "replaced")

    def test_a_place_that_makes_no_sense_is_an_error_that_says_what_is_expected(self) -> None:
        broker = self.broker()
        with Recorder(broker.endpoint) as recorder:
            wrong: list[tuple[dict[str, Any], type[Exception], str]] = [
                ({}, ValueError, "where to begin"),
                ({"from_": "begin"}, ValueError, "start, session, now, after"),
                ({"from_": 1.5}, TypeError, "not float"),
                ({"from_": datetime.datetime(2026, 1, 1)}, ValueError, "time zone"),
                ({"from_": 1, "filter": {"tags": "x"}}, ValueError, "no filter 'tags'"),
                ({"from_": 99}, RecorderError, "beyond the end"),
            ]
            for options, kind, text in wrong:
                with self.subTest(text), self.assertRaisesRegex(kind, text):
                    recorder.consume(**options)
            recorder.publish("t", "x")
            before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
            self.assertEqual(len(list(recorder.consume(from_=before, follow=False))), 1)
            after = before + datetime.timedelta(hours=2)
            self.assertEqual(list(recorder.consume(from_=after, follow=False)), [])

    def test_it_begins_when_it_is_asked_for(self) -> None:
        broker = self.broker()
        with Recorder(broker.endpoint) as recorder:
            consumer = recorder.consume(from_="now")
            self.assertIsNone(consumer.next(0))
            recorder.publish("t", "x")
            give_up = time.monotonic() + 60
            while (message := consumer.next(0)) is None and time.monotonic() < give_up:
                pass
            self.assertEqual(message and message.number, 1)
