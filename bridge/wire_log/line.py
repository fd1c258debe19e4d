"""Say what one line of the wire log is. Holds values only. Made by `log`, kept by `file`, shown by `web`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from msgspec import Struct

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LONGEST_TEXT = 4096
"""Bytes of UTF-8 that are kept of one frame."""


class Kind(IntEnum):
    """What a line tells; the numbers are in the file."""

    FROM_STATION = 1
    TO_STATION = 2
    OPENED = 3
    CLOSED = 4


class Entry(Struct, frozen=True, gc=False):
    """A line that is not in the file yet: masked, and cut where it was too long."""

    at: int
    """Unix time in microseconds."""
    station: str
    epoch: int
    kind: Kind
    text: str
    size: int
    """Bytes that the frame had on the wire."""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file."""

    id: int
    """Grows with every line of the file: what a reader goes on after."""
    at: datetime
    """When the frame was read or written here, in UTC."""
    station: str
    epoch: int
    kind: Kind
    text: str
    size: int
    cut: bool
    """The text is only the beginning of the frame."""


def moment(at: int) -> datetime:
    """Return what Unix time in microseconds says."""
    return _EPOCH + timedelta(microseconds=at)


def cut_text(text: str) -> tuple[str, bool]:
    """Return as much of a text as is kept, and whether that is less; what cannot be UTF-8 (a surrogate) is escaped."""
    if text.isascii() and len(text) <= LONGEST_TEXT:
        return text, False
    encoded = text.encode("utf-8", "backslashreplace")
    return encoded[:LONGEST_TEXT].decode("utf-8", "ignore"), len(encoded) > LONGEST_TEXT
