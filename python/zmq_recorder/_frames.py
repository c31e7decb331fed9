"""Topics and payloads as the frames of a message."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Union

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
