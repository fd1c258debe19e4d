"""Read times and durations as people write them at a terminal, and show times in their own zone.

Pure but for the machine's own time zone. Before it: `temporary`. After it: the services, in UTC.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.core.local_time import NoMoment, read_local
from bridge.core.temporary import Impossible, parse_moment
from bridge.settings.fields import read_duration, read_time_zone

__all__ = ["NoMoment", "read_moment", "read_period", "read_zone", "shown"]


def read_moment(text: str, zone: ZoneInfo | None) -> datetime:
    """Return the moment of "2026-12-01 08:00" in a zone (None: this machine's), or of an RFC 3339 time.

    Raises: NoMoment.
    """
    try:
        local = read_local(text, zone)
    except NoMoment as error:
        raise NoMoment(f"{text!r}: {error}") from error
    if local is not None:
        return local
    try:
        return parse_moment(text, "")
    except Impossible as error:
        raise NoMoment(f'{text!r}: should be such as "2026-12-01 08:00" or 2026-12-01T08:00:00+01:00') from error


def read_period(text: str) -> timedelta:
    """Return "2 h" or "90 min" as a duration above zero. Raises: NoMoment."""
    try:
        duration = read_duration(text)
    except ValueError as error:
        raise NoMoment(f"{text!r}: {error}") from error
    if duration <= timedelta(0):
        raise NoMoment(f"{text!r}: should be longer than nothing")
    return duration


def read_zone(text: str | None) -> ZoneInfo | None:
    """Return a time zone by its IANA name; None, this machine's, where none is named. Raises: NoMoment."""
    if text is None:
        return None
    try:
        return read_time_zone(text)
    except ValueError as error:
        raise NoMoment(f"{text!r}: {error}") from error


def shown(moment: datetime | None, zone: ZoneInfo | None = None) -> str:
    """Return a moment in a zone (None: this machine's) with its offset; empty for None."""
    if moment is None:
        return ""
    try:
        local = moment.astimezone(zone)
    except OverflowError:  # the last hours of the year 9999 have no local time
        local = moment
    return local.isoformat(sep=" ", timespec="seconds")
