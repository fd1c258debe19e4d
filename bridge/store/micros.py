"""Turn moments into the numbers that the tables hold, and back: microseconds since 1970-01-01 UTC.

Never reads a clock. Used by every module of the store.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@overload
def to_micros(moment: datetime) -> int: ...
@overload
def to_micros(moment: None) -> None: ...
def to_micros(moment: datetime | None) -> int | None:
    """Return the microseconds of an aware moment; None stays None."""
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


@overload
def from_micros(micros: int) -> datetime: ...
@overload
def from_micros(micros: None) -> None: ...
def from_micros(micros: int | None) -> datetime | None:
    """Return the aware UTC moment of a stored number; None stays None."""
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)


def since(micros: int, steady: datetime) -> timedelta:
    """Return how long ago a stored moment was at `steady`; never less than nothing."""
    return max(timedelta(), timedelta(microseconds=to_micros(steady) - micros))
