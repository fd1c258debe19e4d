"""Decide what a delivery row asks for, and when it is sent.

Level-triggered: a row is due while what is desired is not what was last acknowledged, or while it must be asserted once
more. Never sends, stores or looks at a clock. Before it: `derive`, which says what is desired. After it: `lane`, which
sends the least recently attempted row that is due; `settlement` says what the answer makes of it.

    want ──► due_at ──► start ──► (request) ──► settle ──► stored
                ▲                                  │
                └──────── not_before, doubt ◄──────┘
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from bridge.core.backoff import BackoffOptions
from bridge.core.model import Delivery, Lane

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Due time of a row that is due at once."""

REASSERT_SPREAD = 0.25
"""Largest part of `reassert_every` by which a re-assertion comes earlier, so that rows spread over the day."""


@dataclass(frozen=True, slots=True)
class ReconcileOptions:
    """How patient a lane is."""

    doubt: timedelta = timedelta(seconds=90)
    """How long after a lost answer the hub may still apply the request."""
    refused_retry: timedelta = timedelta(hours=6)
    reassert_every: timedelta | None = timedelta(hours=24)
    """None: rows are not re-asserted singly (the account's fullLoad does it)."""
    hold_probe: timedelta = timedelta(seconds=60)
    """Shortest time between two attempts of a held account."""
    refusals_to_hold: int = 20
    backoff: BackoffOptions = field(default_factory=BackoffOptions)


# --- what is wanted, and when -------------------------------------------------------------------------------------


WANTED = ("desired", "desired_seq", "tombstone", "not_before", "switched")
"""What a new wish changes of a row whose references stay; everything else is as it was."""


def want(previous: Delivery | None, desired: str, references: tuple[str, str] = ("", "")) -> Delivery:
    """Return the row that asks for `desired`; the same object where it already does.

    A new value drops the row's own wait (a refusal was about the old value), never the lane's. So do new `references`:
    what the hub has acknowledged was about another of its objects.
    """
    if previous is None:
        return Delivery(desired=desired, desired_seq=1, references=references)
    if (previous.desired, previous.tombstone, previous.references) == (desired, False, references):
        return previous
    row = _wanted(previous, desired, tombstone=False)
    if previous.references == references:
        return row
    return replace(row, references=references, known=None, refused=None, refused_seq=0, proven=None, suspect=None)


def farewell(previous: Delivery, word: str) -> Delivery:
    """Return the row that tells the hub that the EVSE is gone (`word` empty: deletes it); the same where it does.

    It keeps the hub's references, since the inventory may have lost them.
    """
    if (previous.desired, previous.tombstone) == (word, True):
        return previous
    return _wanted(previous, word, tombstone=True)


def _wanted(previous: Delivery, desired: str, *, tombstone: bool) -> Delivery:
    return replace(
        previous,
        desired=desired,
        desired_seq=previous.desired_seq + 1,
        tombstone=tombstone,
        not_before=None,
        switched=False,
    )


def never_sent(delivery: Delivery) -> bool:
    """Say whether no request ever carried the row, so that its hub needs no farewell."""
    return delivery.attempted_at is None and delivery.acked_seq == 0


def dirty(delivery: Delivery) -> bool:
    """Say whether the hub has not acknowledged what is desired now."""
    return delivery.desired_seq > delivery.acked_seq


def due_at(delivery: Delivery) -> datetime | None:
    """Return from when on the row may be sent (steady; `AT_ONCE`: now).

    None while it is in flight, since settling comes first, and where there is no reason to send it.
    """
    if delivery.in_flight_seq:
        return None
    earliest = delivery.not_before or AT_ONCE
    if dirty(delivery):
        return earliest
    reasons = [at for at in (delivery.doubt_until, delivery.reassert_at) if at is not None]
    return max(min(reasons), earliest) if reasons else None


def lane_ready_at(lane: Lane, options: ReconcileOptions) -> datetime | None:
    """Return from when on the lane may send (steady), or None where nothing restrains it."""
    probe = lane.held_at + options.hold_probe if lane.held is not None and lane.held_at is not None else None
    restraints = [at for at in (lane.paused_until, probe) if at is not None]
    return max(restraints, default=None)


# --- one request --------------------------------------------------------------------------------------------------


def start(delivery: Delivery, steady: datetime) -> Delivery:
    """Return the row as it must be stored before its current value is sent."""
    if delivery.in_flight_seq:
        raise AssertionError("the row is in flight: its lane sends one request at a time")
    return replace(delivery, in_flight_seq=delivery.desired_seq, attempts=delivery.attempts + 1, attempted_at=steady)


def left_out_of_full_load(delivery: Delivery) -> bool:
    """Say whether a fullLoad leaves this row out: the hub refused its current value, and would refuse all with it."""
    return delivery.refused is not None and delivery.refused_seq == delivery.desired_seq and not delivery.tombstone


# --- other events -------------------------------------------------------------------------------------------------


def forget(delivery: Delivery) -> Delivery:
    """Return the row with nothing acknowledged or refused (resync): its value is sent again by the usual path."""
    return replace(delivery, acked_seq=0, refused=None, refused_seq=0, not_before=None, suspect=None, switched=False)


def reconfigured(delivery: Delivery) -> Delivery:
    """Return the row after its inventory or its account's configuration changed: a refused one is tried at once.

    So is a suspect, of which nothing is held against it any more.
    """
    if delivery.refused is None and delivery.suspect is None:
        return delivery
    return replace(delivery, refused_seq=0, not_before=None, switched=False, suspect=None)


def reconfigured_lane(lane: Lane) -> Lane:
    """Return the lane after its account's configuration changed: a held one is probed at once."""
    return replace(lane, held_at=None) if lane.held is not None else lane


def quiet(delivery: Delivery, steady: datetime) -> Delivery:
    """Return the row as one that has nothing to say until it is wanted again; a doubt that is not over stays."""
    doubt_until = delivery.doubt_until
    return replace(
        delivery,
        acked_seq=delivery.desired_seq,
        doubt_until=None if doubt_until is None or doubt_until <= steady else doubt_until,
        reassert_at=None,
        not_before=None,
        refused=None,
        refused_seq=0,
        suspect=None,
    )


def unsent(delivery: Delivery) -> Delivery:
    """Return a row that was marked in flight by a transaction whose result nobody received: nothing was sent."""
    return replace(delivery, in_flight_seq=0)
