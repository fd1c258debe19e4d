"""Decide by its marks whether a database is older than what this machine has already seen of it.

A running bridge counts a mark in the database every so often, and once that is committed, notes the count in a file
beside it. Commits do not go back, so a database whose count is below the file's is an older copy: a restored backup.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

UNSEEN = timedelta(minutes=15)
"""A database without the file counts as restored where no bridge ran on it for this long."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What only grows, and what others outside may have been given."""

    mark: int
    """How many marks were counted; 0: none yet."""
    transaction_id: int = 0
    """The last OCPP 1.6 transactionId that a station was given."""
    temporary_id: int = 0
    """The last number of a temporary status that an operator was given."""


def is_restored(stored: Marks, seen: Marks | None, idle: timedelta | None) -> bool:
    """Tell whether a database is an older copy.

    Args:
        stored: The database's marks.
        seen: Those of the file; None where there is no file, as on another machine.
        idle: How long no bridge has run on the database; None: none ever did.
    """
    if seen is not None:
        return stored.mark < seen.mark
    return stored.mark > 0 and idle is not None and idle > UNSEEN


def idle_since(alive_at: datetime | None, steady: datetime) -> timedelta | None:
    """Return how long no bridge has run."""
    return None if alive_at is None else steady - alive_at
