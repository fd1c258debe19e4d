"""Decide what is old enough to be forgotten. Rows come in the order in which they were written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of one kind of row is kept: whatever is older goes, and whatever is beyond the newest `rows`."""

    age: timedelta
    rows: int


@dataclass(frozen=True, slots=True)
class Written:
    """One row: its number, which only grows, and when it was written (wall time)."""

    number: int
    at: datetime


def surplus_through(newest: int, kept: Kept) -> int:
    """Return the number up to which rows go for being too many, whatever their age; the newest one always stays."""
    return newest - max(kept.rows, 1)


def expired_through(rows: Sequence[Written], newest: int, kept: Kept, now: datetime) -> int | None:
    """Return the number up to which rows go for their age; None where the first one stays.

    Args:
        rows: The oldest ones, in order.
        newest: The highest number that there is; its row always stays.
        kept: What is kept.
        now: Wall time.
    """
    through = None
    for row in rows:
        if row.number >= newest or row.at >= now - kept.age:
            break
        through = row.number
    return through
