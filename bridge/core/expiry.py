"""Decide how urgent it is that a certificate ends, and say so.

Never reads a certificate or a clock. Before it: whoever read the dates. After it: status, health, metrics and the log.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never


class Urgency(StrEnum):
    """How near a certificate's end is, from far to past."""

    NONE = "none"
    NOTICE = "notice"
    """30 days or less."""
    SOON = "soon"
    """14 days or less."""
    URGENT = "urgent"
    """7 days or less."""
    EXPIRED = "expired"


_THRESHOLDS = ((7, Urgency.URGENT), (14, Urgency.SOON), (30, Urgency.NOTICE))
"""Days, the nearest first."""


def urgency(not_after: datetime, now: datetime) -> Urgency:
    """Return how urgent the end of a certificate is; `now` is wall time."""
    if now > not_after:
        return Urgency.EXPIRED
    left = not_after - now
    return next((found for days, found in _THRESHOLDS if left <= timedelta(days=days)), Urgency.NONE)


def days_left(not_after: datetime, now: datetime) -> int:
    """Return the whole days that are left; negative once they are over (-1: ended within the last 24 h)."""
    return (not_after - now).days


def expiry_warning(not_after: datetime, now: datetime) -> str | None:
    """Return what an operator should know and do about the end of a client certificate; None: nothing yet."""
    day = f"{not_after:%Y-%m-%d}"
    match urgency(not_after, now):
        case Urgency.NONE:
            return None
        case Urgency.NOTICE:
            return f"the client certificate ends on {day}, in {_days(not_after, now)}: ask the hub for a new one"
        case Urgency.SOON:
            return f"the client certificate ends soon, on {day}, in {_days(not_after, now)}: a new one should be here"
        case Urgency.URGENT:
            return f"URGENT: the client certificate ends on {day}, in {_days(not_after, now)}: replace it now"
        case Urgency.EXPIRED:
            return f"EXPIRED: the client certificate ended on {day}: the hub refuses everything until it is replaced"
        case other:
            assert_never(other)


def server_expiry_warning(not_after: datetime, now: datetime) -> str | None:
    """Return what an operator should know and do about the end of our own certificate; None: nothing yet."""
    day = f"{not_after:%Y-%m-%d}"
    match urgency(not_after, now):
        case Urgency.NONE:
            return None
        case Urgency.NOTICE:
            return f"the server certificate ends on {day}, in {_days(not_after, now)}: ask its authority for a new one"
        case Urgency.SOON:
            return f"the server certificate ends soon, on {day}, in {_days(not_after, now)}: a new one should be here"
        case Urgency.URGENT:
            return f"URGENT: the server certificate ends on {day}, in {_days(not_after, now)}: replace it now"
        case Urgency.EXPIRED:
            return f"EXPIRED: the server certificate ended on {day}: stations refuse to connect until it is replaced"
        case other:
            assert_never(other)


def _days(not_after: datetime, now: datetime) -> str:
    left = days_left(not_after, now)
    return "less than a day" if left < 1 else "1 day" if left == 1 else f"{left} days"
