"""What is sent when, without a broker: time and answers are made up."""

from __future__ import annotations

import json
import unittest
from typing import Any

from zmq_recorder._blocking import Outcome
from zmq_recorder._connection import Connection
from zmq_recorder._consuming import Consuming
from zmq_recorder._errors import RecorderError, UnknownOutcome
from zmq_recorder._frames import frames_of, is_named
from zmq_recorder._requests import Request, Requests


class Fake(Connection):
    """Remembers what is sent."""

    def __init__(self) -> None:
        self.endpoint = "tcp://nowhere"
        self.keys = None
        self.clock = 0.0
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        self.closed = 0
        self._last_id = 0
        self._socket = None

    def send(self, header: bytes, frames: Any = ()) -> bool:
        self.sent.append((json.loads(header), list(frames)))
        return True

    def close(self, linger: int = 0) -> None:
        self.closed += 1

    def take_sent(self) -> list[tuple[dict[str, Any], list[bytes]]]:
        sent, self.sent = self.sent, []
        return sent


def requests() -> tuple[Fake, Requests]:
    """A machine that the broker has greeted."""
    connection = Fake()
    machine = Requests(connection, 10.0)
    machine.submit(Request(Outcome(), {"op": "ping"}))
    greet(connection, machine)
    ((ping, _),) = connection.take_sent()
    machine.take({"type": "reply", "id": ping["id"]}, [])
    return connection, machine


def greet(connection: Fake, machine: Requests) -> None:
    machine.advance()
    ((hello, _),) = connection.take_sent()
    assert hello["op"] == "hello", hello
    machine.take({"type": "reply", "id": hello["id"], "sequence": hello["id"]}, [])
    machine.advance()


def publish(machine: Requests, payload: Any) -> Outcome:
    outcome = Outcome()
    machine.submit(Request(outcome, {"op": "publish"}, frames_of("t", payload), "message_num"))
    return outcome


def named(text: str) -> dict[str, str]:
    return {"sender_id": "me", "message_id": text}


class RequestsUnderWay(unittest.TestCase):
    def test_nothing_is_sent_before_the_broker_has_answered(self) -> None:
        connection = Fake()
        machine = Requests(connection, 10.0)
        publish(machine, "x")
        machine.advance()
        machine.advance()
        self.assertEqual([header["op"] for header, _ in connection.take_sent()], ["hello"])

    def test_without_an_answer_it_is_sent_again_over_a_new_connection(self) -> None:
        connection, machine = requests()
        outcomes = [publish(machine, named("a")), publish(machine, named("b"))]
        machine.advance()
        before = [frames for _, frames in connection.take_sent()]
        connection.clock += 0.3
        machine.advance()
        self.assertEqual(connection.closed, 1)
        greet(connection, machine)
        sent = connection.take_sent()
        self.assertEqual([frames for _, frames in sent], before, "byte for byte, in order")
        for number, (header, _) in enumerate(sent, 1):
            machine.take({"type": "reply", "id": header["id"], "message_num": number}, [])
        self.assertEqual([outcome.result() for outcome in outcomes], [1, 2])

    def test_a_message_without_a_name_does_not_keep_the_others_waiting(self) -> None:
        connection, machine = requests()
        lone, other = publish(machine, "no name"), publish(machine, named("a"))
        machine.advance()
        connection.take_sent()
        connection.clock += 0.3
        machine.advance()
        self.assertEqual(connection.closed, 0, "the answer may still come")
        greet(connection, machine)
        ((header, frames),) = connection.take_sent()
        self.assertIn(b"message_id", frames[1], "only what has a name is sent again")
        machine.take({"type": "reply", "id": header["id"], "message_num": 1}, [])
        self.assertEqual(other.result(), 1)
        connection.clock += 11
        machine.advance()
        with self.assertRaises(UnknownOutcome):
            lone.result()

    def test_a_session_is_not_closed_twice(self) -> None:
        connection, machine = requests()
        outcome = Outcome()
        machine.submit(Request(outcome, {"op": "archive"}, safe_again=False))
        for _ in range(12):
            machine.advance()
            connection.clock += 1
        self.assertEqual([header["op"] for header, _ in connection.take_sent()], ["archive"])
        self.assertEqual(connection.closed, 1, "what waits in the socket goes with it")
        with self.assertRaisesRegex(UnknownOutcome, "archive may be done or not"):
            outcome.result()

    def test_each_waits_for_its_own_time(self) -> None:
        connection, machine = requests()
        early = publish(machine, named("a"))
        machine.advance()
        connection.clock += 9
        late = publish(machine, named("b"))
        machine.advance()
        connection.clock += 2
        machine.advance()
        self.assertTrue(early.done())
        self.assertFalse(late.done())

    def test_what_is_refused_for_the_moment_is_sent_again_in_order(self) -> None:
        connection, machine = requests()
        for text in "abc":
            publish(machine, named(text))
        machine.advance()
        for header, _ in connection.take_sent():
            busy = {"type": "error", "id": header["id"], "code": "busy", "recorded": False}
            machine.take(busy, [])
        machine.advance()
        self.assertEqual(connection.take_sent(), [], "after a pause")
        connection.clock += 0.06
        greet(connection, machine)
        again = [json.loads(frames[1])["message_id"] for _, frames in connection.take_sent()]
        self.assertEqual(again, ["a", "b", "c"])

    def test_nothing_overtakes_what_has_to_be_sent_again(self) -> None:
        connection, machine = requests()
        for text in "abc":
            publish(machine, named(text))
        machine.advance()
        (first, _), (second, _), (third, _) = connection.take_sent()
        self.assertEqual(len({header["sequence"] for header in (first, second, third)}), 1)
        error = {"type": "error", "code": "interrupted", "recorded": False}
        machine.take({**error, "id": second["id"]}, [])
        publish(machine, named("d"))
        machine.advance()
        self.assertEqual(connection.take_sent(), [], "others have no answer yet")
        machine.take({**error, "id": third["id"]}, [])
        machine.take({"type": "reply", "id": first["id"], "message_num": 1}, [])
        greet(connection, machine)
        again = connection.take_sent()
        names = [json.loads(frames[1])["message_id"] for _, frames in again]
        self.assertEqual(names, ["b", "c", "d"])
        self.assertNotIn(first["sequence"], [header["sequence"] for header, _ in again])

    def test_a_broker_of_another_version_is_named(self) -> None:
        connection = Fake()
        machine = Requests(connection, 10.0)
        outcome = publish(machine, "x")
        machine.advance()
        ((hello, _),) = connection.take_sent()
        error = {"type": "error", "id": hello["id"], "code": "unsupported_protocol"}
        machine.take({**error, "message": "this broker speaks version 2"}, [])
        with self.assertRaisesRegex(RecorderError, "speaks version 2"):
            outcome.result()

    def test_so_many_bytes_are_on_their_way_and_no_more(self) -> None:
        connection, machine = requests()
        for _ in range(20):
            publish(machine, b"x" * (1 << 20))
        machine.advance()
        self.assertEqual(len(connection.take_sent()), 7)

    def test_what_the_broker_would_not_recognise_is_not_named(self) -> None:
        self.assertTrue(is_named(frames_of("t", {"from": "me"})))
        self.assertFalse(is_named(frames_of("t", {"content": "no sender"})))
        self.assertFalse(is_named(frames_of("t", {"sender_id": "unknown"})))
        self.assertFalse(is_named(frames_of("t", {"sender_id": "me", "message_id": 7})))
        self.assertFalse(is_named(frames_of("t", {"sender_id": "me", "content": float("nan")})))
        self.assertFalse(is_named(frames_of("t", ["list"])))


class ConsumersUnderWay(unittest.TestCase):
    def consumer(self) -> tuple[Fake, Consuming]:
        connection = Fake()
        machine = Consuming(connection, 10.0, {"from": "start"})
        machine.advance()
        ((header, _),) = connection.take_sent()
        machine.take({"type": "reply", "id": header["id"], "consumer": 1, "after": 0}, [])
        machine.advance()
        self.assertEqual(connection.take_sent(), [])
        return connection, machine

    def test_large_messages_are_credited_by_their_bytes(self) -> None:
        connection, machine = self.consumer()
        for number in (1, 2):
            header = {"type": "message", "id": 1, "consumer": 1, "message_num": number}
            machine.take({**header, "recorded_at": ""}, [b"t", b"x" * (1 << 20)])
        machine.advance()
        self.assertEqual(connection.take_sent(), [], "what waits here is not taken yet")
        machine.pop()
        machine.advance()
        ((credit, _),) = connection.take_sent()
        self.assertEqual((credit["op"], credit["credit"], credit["received"]), ("credit", 1, 1))

    def test_a_late_answer_to_an_older_handle_does_not_open_it_twice(self) -> None:
        connection, machine = self.consumer()
        outcomes = [Outcome(), Outcome()]
        for outcome in outcomes:
            machine.ack(0, outcome)
        machine.advance()
        acks = connection.take_sent()
        for header, _ in acks:
            machine.take({"type": "error", "id": header["id"], "code": "unknown_consumer"}, [])
        machine.advance()
        ((header, _),) = connection.take_sent()
        self.assertEqual((header["op"], header["from"]), ("consume", 1))
        machine.take({"type": "reply", "id": header["id"], "consumer": 2, "after": 0}, [])
        machine.take({"type": "error", "id": acks[1][0]["id"], "code": "unknown_consumer"}, [])
        machine.advance()
        again = connection.take_sent()
        self.assertEqual([header["op"] for header, _ in again], ["ack", "ack"])
        for header, _ in again:
            machine.take({"type": "reply", "id": header["id"]}, [])
        self.assertTrue(all(outcome.done() for outcome in outcomes))
