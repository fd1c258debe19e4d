"""Decide whether an operator may have a row sent at once, and what becomes of the row.

An order changes from when on the row is due, and nothing else: the value that goes out is the one that is desired when
it is sent, the lane's own pauses and holds stand, and a request that is under way stays the only one. Pure. Before it:
`edits`. Beside it: `reconcile`, which decides the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from bridge.core.model import Delivery, Lane
from bridge.core.reconcile import dirty


class Parked(StrEnum):
    """Why a row is not sent though its hub has not what is desired."""

    REFUSED = "refused"
    DEFERRED = "deferred"
    HELD = "held"
    """By what holds its whole account."""


@dataclass(frozen=True, slots=True)
class Retried:
    """The row is due now."""

    delivery: Delivery
    was: Parked
    why: str
    waits: str
    """What holds the whole account all the same; empty: nothing does."""


@dataclass(frozen=True, slots=True)
class NotParked:
    """There is nothing to order."""

    why: str


def retry(delivery: Delivery, lane: Lane, steady: datetime) -> Retried | NotParked:
    """Return the row as it is due now, or why there is nothing to order of it."""
    if delivery.in_flight_seq:
        return NotParked("a request with it is under way: its answer comes first")
    if not dirty(delivery):
        return NotParked("the hub has acknowledged what it should have: there is nothing to send")
    waits = _account_waits(lane, steady)
    if delivery.not_before is None or delivery.not_before <= steady:
        if lane.held is None:
            return NotParked(f"it is due already: {waits or 'it goes out in its turn'}")
        return Retried(delivery, Parked.HELD, lane.held, waits)
    if delivery.refused is not None:
        was, why = Parked.REFUSED, delivery.refused
    else:
        was, why = Parked.DEFERRED, delivery.suspect or ""
    return Retried(replace(delivery, not_before=None), was, why, waits)


def _account_waits(lane: Lane, steady: datetime) -> str:
    """Return what keeps the whole account from sending now, in words; a suspicion against one row does not."""
    if lane.held is not None and lane.held_at is not None:
        return f"the account is held ({lane.held}), and tries by itself once a minute"
    if lane.paused_until is not None and lane.paused_until > steady:
        left = (lane.paused_until - steady).total_seconds()
        return f"the account pauses for {left:.0f} s more, since its hub fails"
    return ""
