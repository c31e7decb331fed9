"""What is read from the journal, and how one says from where."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, NamedTuple, Union

from ._frames import text_of, value_of

Position = Union[int, str, datetime.datetime, Mapping[str, str]]
WORDS = ("start", "session", "now", "after")
FILTERS = ("topic", "sender", "tier", "chain", "tag")


class Archived(NamedTuple):
    """A session that was closed."""

    archive: str | None  # the file's name; None where nothing was in the session
    messages: int


class BaseMessage:
    """A message of the journal."""

    def __init__(self, header: dict[str, Any], frames: list[bytes]) -> None:
        self.number: int = header["message_num"]
        """Its number in the journal."""
        self.recorded_at: str = header["recorded_at"]
        """When it was recorded, by the broker's clock."""
        self.gap: int = header.get("gap", 0)
        """How many numbers before it hold no message that can be read."""
        self.frames = frames
        """All frames, as they were published."""

    @property
    def topic(self) -> str:
        """The first frame as text."""
        return text_of(self.frames[0])

    @property
    def payload(self) -> Any:
        """The payload as Python values, or as bytes where it is no JSON."""
        return value_of(self.frames[-1])

    def __repr__(self) -> str:
        size = sum(map(len, self.frames))
        return f"<Message {self.number} [{self.topic[:60]}], {size} bytes>"


def consume_request(
    name: str | None,
    from_: Position | None,
    initial: Position | None,
    filter: Mapping[str, str] | None,
    follow: bool,
    pace: float | None,
) -> dict[str, Any]:
    """The request for a consumer, as the protocol has it."""
    if name is None and from_ is None:
        raise ValueError(
            "where to begin? Give a name, under which the broker keeps the position, "
            "or from_: 'start', 'session', 'now', a number or a datetime"
        )
    for key in filter or {}:
        if key not in FILTERS:
            raise ValueError(f"there is no filter {key!r}: it is one of {', '.join(FILTERS)}")
    given = {
        "name": name,
        "from": _position("from_", from_),
        "initial": _position("initial", initial),
        "filter": dict(filter) if filter else None,
        "follow": None if follow else False,
        "pace": pace,
    }
    return {key: value for key, value in given.items() if value is not None}


def positions_of(status: dict[str, Any]) -> dict[str, int]:
    """The positions that are kept for consumers' names, out of a status."""
    return {
        one["name"]: one["acked"]
        for one in status["consumers"]
        if one["name"] is not None and one["acked"] is not None
    }


def _position(member: str, value: Position | None) -> Any:
    if value is None or isinstance(value, Mapping):
        return value
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise ValueError(f"{member} is a time without a time zone: add one, such as UTC")
        return {"time": value.isoformat()}
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(
            f"{member} is a number, a datetime or one of {', '.join(WORDS)}, "
            f"not {type(value).__name__}"
        )
    if isinstance(value, str) and value not in WORDS:
        raise ValueError(f"{member} is one of {', '.join(WORDS)}, or a number, not {value!r}")
    return value
