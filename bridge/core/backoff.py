"""Decide how long to wait after a failed attempt: doubling steps with a spread, and what a Retry-After header asks for.

Never waits and never looks at a clock. Before it: an upstream's outcome. After it: `reconcile`, which stores the pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SPREAD = 0.25
"""Largest part of a delay that jitter adds on top of it."""


@dataclass(frozen=True, slots=True)
class BackoffOptions:
    """Bounds of the pauses between attempts."""

    first: timedelta = timedelta(seconds=1)
    ceiling: timedelta = timedelta(seconds=60)
    """Longest pause that we choose ourselves, before the spread."""
    retry_after_ceiling: timedelta = timedelta(minutes=15)
    """Longest pause that a hub can ask for."""


def delay(failures: int, jitter: float, options: BackoffOptions) -> timedelta:
    """Return the pause after this many failures in a row (1 or more), `jitter` in [0, 1) of a quarter longer."""
    doublings = min(max(failures - 1, 0), 30)
    base = min(options.ceiling, options.first * (1 << doublings))
    return base * (1 + SPREAD * jitter)


def asked_or_delay(retry_after_s: float | None, failures: int, jitter: float, options: BackoffOptions) -> timedelta:
    """Return the pause that the hub asked for, within [first, retry_after_ceiling], or our own where it did not ask."""
    if retry_after_s is None:
        return delay(failures, jitter, options)
    bounded = min(max(retry_after_s, options.first.total_seconds()), options.retry_after_ceiling.total_seconds())
    return timedelta(seconds=bounded)


def longest(options: BackoffOptions) -> timedelta:
    """Return the longest pause that any answer can cause."""
    return max(options.ceiling * (1 + SPREAD), options.retry_after_ceiling, options.first)


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, or None where it says nothing that can be understood.

    0.0 for a moment that has passed. Unbounded: the caller bounds it. `now` is wall time.

    Source: RFC 9110 section 10.2.3, delay-seconds or HTTP-date.
    """
    stripped = (text or "").strip()
    if stripped.isascii() and stripped.isdigit():
        return float(stripped[:15])
    try:
        moment = parsedate_to_datetime(stripped)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
