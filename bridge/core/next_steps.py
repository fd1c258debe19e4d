"""Tell what happens next with one delivery, and when.

Decides nothing: the order of the questions is that of the lane's turn. Never reads a clock. Before it: the row, its
lane and its account as stored. After it: `bridge.app.explanations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.core.model import Delivery, Lane
from bridge.core.modes import Mode
from bridge.core.reconcile import ReconcileOptions, dirty, due_at, lane_ready_at


class Next(StrEnum):
    """What happens next with a delivery."""

    OFF = "off"
    DRY_RUN = "dry_run"
    IN_FLIGHT = "in_flight"
    REFUSED = "refused"
    HELD = "held"
    PAUSED = "paused"
    DEFERRED = "deferred"
    FULL_LOAD = "full_load"
    DATA = "data"
    DUE = "due"
    IN_DOUBT = "in_doubt"
    AGREED = "agreed"


@dataclass(frozen=True, slots=True)
class NextStep:
    """What happens next; `at` is steady, None: at once, never, or nobody knows when."""

    what: Next
    at: datetime | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides beside the row and its lane."""

    mode: Mode
    waits_for_full_load: bool = False
    waits_for_data: bool = False


def next_step(
    delivery: Delivery, lane: Lane, standing: Standing, steady: datetime, options: ReconcileOptions
) -> NextStep:
    """Return what happens next with the row."""
    if standing.mode is Mode.OFF:
        return NextStep(Next.OFF, None)
    due = due_at(delivery)
    if standing.mode is Mode.DRY_RUN and dirty(delivery):
        return NextStep(Next.DRY_RUN, None)
    if delivery.in_flight_seq:
        return NextStep(Next.IN_FLIGHT, delivery.attempted_at)
    if not dirty(delivery):
        return _agreed(delivery, due)
    if delivery.refused is not None and delivery.refused_seq == delivery.desired_seq and _later(due, steady):
        return NextStep(Next.REFUSED, due, delivery.refused)
    return _restrained(lane, steady, options) or _waiting(delivery, standing, due, steady)


def _agreed(delivery: Delivery, due: datetime | None) -> NextStep:
    return NextStep(Next.AGREED if delivery.doubt_until is None else Next.IN_DOUBT, due)


def _restrained(lane: Lane, steady: datetime, options: ReconcileOptions) -> NextStep | None:
    """Return what restrains every row of the account; None where nothing does."""
    ready = lane_ready_at(lane, options)
    if lane.held is not None:
        return NextStep(Next.HELD, ready, lane.held)
    return NextStep(Next.PAUSED, ready) if _later(ready, steady) else None


def _waiting(delivery: Delivery, standing: Standing, due: datetime | None, steady: datetime) -> NextStep:
    if _later(due, steady):
        return NextStep(Next.DEFERRED, due)
    if standing.waits_for_full_load:
        return NextStep(Next.FULL_LOAD, None)
    if standing.waits_for_data:
        return NextStep(Next.DATA, None)
    return NextStep(Next.DUE, None)


def _later(at: datetime | None, steady: datetime) -> bool:
    return at is not None and at > steady
