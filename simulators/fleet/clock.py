"""Tell a station its time: the right one, or one that real hardware is known to have.

Never waits. Before it: `quirks`. After it: `speaker` and `visits`, which write the time into messages.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from simulators.fleet.quirks import Quirk

_TICK = timedelta(milliseconds=1)
_LOCAL = timedelta(hours=2)
_STALE = timedelta(days=-2)
_BEGINNINGS = {Quirk.EPOCH_1970: datetime(1970, 1, 1, tzinfo=UTC), Quirk.YEAR_0001: datetime(1, 1, 1, tzinfo=UTC)}


class StationClock:
    """One station's clock; the times that it tells only ever grow."""

    def __init__(self, quirks: Collection[str], began: datetime) -> None:
        """`began` is when the station was switched on."""
        self._offset = _offset(quirks, began)
        self._zone = "" if Quirk.NO_TIME_ZONE in quirks else "Z"
        self._last: datetime | None = None

    def stamp(self, now: datetime) -> str:
        """Return a timestamp for a message, RFC 3339 in milliseconds; later than every one before."""
        shown = now.replace(microsecond=now.microsecond // 1000 * 1000) + self._offset
        self._last = shown if self._last is None else max(shown, self._last + _TICK)
        return self._last.replace(tzinfo=None).isoformat(timespec="milliseconds") + self._zone


def _offset(quirks: Collection[str], began: datetime) -> timedelta:
    for quirk, beginning in _BEGINNINGS.items():
        if quirk in quirks:
            return beginning - began.replace(microsecond=0)
    if Quirk.LOCAL_TIME_AS_Z in quirks or Quirk.NO_TIME_ZONE in quirks:
        return _LOCAL
    return _STALE if Quirk.STALE_TIMESTAMPS in quirks else timedelta()
