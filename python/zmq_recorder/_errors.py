"""What can go wrong, as exceptions."""

from __future__ import annotations

from typing import Any


class RecorderError(Exception):
    """What the broker refused. `code` says which; docs/protocol.md lists them.

    `details` is the broker's whole answer, where there is one.
    """

    def __init__(self, code: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, str(self), self.details)


class NoAnswer(RecorderError, TimeoutError):
    """Nobody answered in time, and what was asked for is not done or can be asked again."""


class UnknownOutcome(RecorderError):
    """Nobody answered in time, and what was asked for may be done or not."""


def refused(header: dict[str, Any]) -> RecorderError:
    """The broker's error as an exception."""
    code = str(header.get("code"))
    kind = UnknownOutcome if code == "unknown_outcome" else RecorderError
    return kind(code, str(header.get("message")), header)
