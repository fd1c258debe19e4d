"""Read times and durations as people write them at a terminal, and show times in their own zone.

Pure but for the machine's own time zone. Before it: `temporary`. After it: the services, in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.core.temporary import Impossible, parse_moment
from bridge.settings.fields import read_duration, read_time_zone

_LOCAL = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?)?", re.ASCII)


class NoMoment(ValueError):
    """A text that is no time, or one that comes twice or never in its zone; its text says what would be right."""


def read_moment(text: str, zone: ZoneInfo | None) -> datetime:
    """Return the moment of "2026-12-01 08:00" in a zone (None: this machine's), or of an RFC 3339 time.

    Raises: NoMoment.
    """
    local = _LOCAL.fullmatch(text.strip())
    if local is not None:
        day, minutes, seconds = local.groups()
        try:
            return _in_zone(f"{day} {minutes or '00:00'}{seconds or ':00'}", zone)
        except (ValueError, OverflowError) as error:
            wanted = str(error) if isinstance(error, NoMoment) else "there is no such day or time"
            raise NoMoment(f"{text!r}: {wanted}") from error
    try:
        return parse_moment(text, "")
    except Impossible as error:
        raise NoMoment(f'{text!r}: should be such as "2026-12-01 08:00" or 2026-12-01T08:00:00+01:00') from error


def _in_zone(text: str, zone: ZoneInfo | None) -> datetime:
    """Source: PEP 495: at the end of summer time a local time comes twice, at its beginning an hour never comes."""
    naive = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the zone is added here
    first, second = (_attached(naive.replace(fold=fold), zone) for fold in (0, 1))
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive:
        raise NoMoment("the clocks skip this time on that day")
    if first.utcoffset() != second.utcoffset():
        both = " or ".join(moment.isoformat(timespec="seconds") for moment in (first, second))
        raise NoMoment(f"this time comes twice on that day; say {both}")
    return first


def _attached(naive: datetime, zone: ZoneInfo | None) -> datetime:
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)


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
