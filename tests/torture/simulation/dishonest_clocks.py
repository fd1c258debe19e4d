"""Say when, as stations with bad clocks do (T58): 1970, the year 1, the future, backwards, nothing at all.

In OCPP 2.x, where a status has no other field to know it by again, the true time goes along as fractions of a second.
Never says what a station reports: `stations` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from csms.events import OcppVersion

Clock = Callable[[str, OcppVersion], str | None]
"""Gets the true time, `2026-01-01T00:00:17Z`, and returns what the station says that it is; None: nothing."""

_FIRST, _LAST = "2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z"


def honest(stamp: str, version: OcppVersion) -> str | None:
    """Say the time."""
    return stamp


def in_1970(stamp: str, version: OcppVersion) -> str | None:
    """Say what a clock shows that was never set."""
    return _marked("1970-01-01T00:00:00Z", stamp, version)


def in_the_year_1(stamp: str, version: OcppVersion) -> str | None:
    """Say what a date that was never filled in reads like."""
    return _marked("0001-01-01T00:00:00Z", stamp, version)


def in_the_future(stamp: str, version: OcppVersion) -> str | None:
    """Be 70 years ahead."""
    return _marked(stamp.replace("2026", "2096", 1), stamp, version)


def backwards(stamp: str, version: OcppVersion) -> str | None:
    """Say an earlier time at each report."""
    return _marked(_moved(_LAST, _time(_FIRST) - _time(stamp)), stamp, version)


def absent(stamp: str, version: OcppVersion) -> str | None:
    """Say nothing of when. Source: OCPP 1.6 §6.47, where the timestamp is optional."""
    return None if version is OcppVersion.V16 else _marked("1970-01-01T00:00:00Z", stamp, version)


def two_hours_ahead_at_first(stamp: str, version: OcppVersion) -> str | None:
    """Say local time with a Z for the first reports of a run, then the time."""
    ahead = timedelta(hours=2) if stamp < "2026-01-01T00:00:30Z" else timedelta(0)
    return _marked(_moved(stamp, ahead), stamp, version)


DISHONEST: tuple[Clock, ...] = (in_1970, in_the_year_1, in_the_future, backwards, absent, two_hours_ahead_at_first)


def mark(text: str) -> str:
    """Return the true time's digits from a status's `info` or, in 2.x, from its timestamp."""
    return re.sub(r"\D", "", text.partition(".")[2] or text)


def _time(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _moved(stamp: str, by: timedelta) -> str:
    return (_time(stamp) + by).strftime("%Y-%m-%dT%H:%M:%SZ")


def _marked(said: str, stamp: str, version: OcppVersion) -> str:
    return said if version is OcppVersion.V16 else said.replace("Z", f".{mark(stamp)}Z")
