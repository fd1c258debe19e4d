"""Decide what an answer, or its loss, makes of the rows that were sent and of their lane: single pushes and fullLoads.

Never says what is wanted or when a row is due: `reconcile` does. Before it: `lane`, with the outcome that the upstream
saw. After it: the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from bridge.core.backoff import asked_or_delay, longest
from bridge.core.full_load import FullLoadOptions
from bridge.core.model import Accepted, Deferred, Delivery, FullLoadState, Held, Lane, Outcome, Refused, WrongAction
from bridge.core.reconcile import REASSERT_SPREAD, ReconcileOptions, dirty

_OUTAGE = 2
"""Failures in a row after which a hub is taken to be away; one is a request's own."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What an answer made of the lane and the row."""

    lane: Lane
    delivery: Delivery | None
    """None: a tombstone that is acknowledged; the row goes away."""
    prove: str | None = None
    """A hold for this reason ended: apply `prove_suspect` to every other row with this `suspect` or `refused`."""


def settle(
    lane: Lane,
    delivery: Delivery,
    outcome: Outcome,
    *,
    sent: str,
    steady: datetime,
    jitter: float,
    reassert_jitter: float,
    options: ReconcileOptions,
) -> Settled:
    """Return what the answer to a single push makes of the lane and of the row as it is now.

    `sent` is the value that the request carried; a value that changed since then stays dirty. A reason (`why`) is
    compared as text: an upstream puts nothing of one row into it. `jitter` and `reassert_jitter` are in [0, 1).
    """
    if not delivery.in_flight_seq:
        raise AssertionError("the row is not in flight: it was settled before")
    verdict = _verdict(delivery, outcome, sent)
    alone = _alone_suspected(lane, delivery, verdict)
    row: Delivery | None
    match verdict:
        case Accepted():
            row = _accepted(delivery, sent, steady, reassert_jitter, options)
        case Deferred():
            row = _deferred(delivery, verdict, steady, jitter, options)
        case Refused():
            row = _refused(_learnt(delivery, outcome), verdict.why, steady, options)
        case WrongAction():
            row = replace(_learnt(delivery, verdict), in_flight_seq=0, acked_seq=0, switched=True, not_before=None)
        case Held():
            row = _suspected(delivery, verdict.why, steady + options.hold_probe if alone else None)
        case _:
            assert_never(verdict)
    again = delivery.refused is not None and isinstance(verdict, Refused) and delivery.refused == verdict.why
    after = settle_lane(lane, verdict, steady=steady, jitter=jitter, options=options, counts=not again, alone=alone)
    return Settled(after, row, lane.held if isinstance(verdict, Accepted) else None)


def full_load_in_time(
    state: FullLoadState, lane: Lane, outcome: Outcome, *, steady: datetime, options: FullLoadOptions
) -> FullLoadState:
    """Return the account's fullLoads after the answer to a single push; `lane` is what it was before that.

    A fullLoad that failed for longer than its gate waits for `above_every`. Where everything failed, and now something
    passes, it goes next: the hub is back. Once only: where nothing but fullLoads fails, single pushes pass in between.
    """
    if not isinstance(outcome, Accepted) or lane.failures < _OUTAGE:
        return state
    if state.wanted is None or state.gate_since is None or state.attempted_at is None:
        return state
    return replace(state, attempted_at=min(state.attempted_at, steady - options.above_every))


def settle_lane(
    lane: Lane,
    outcome: Outcome,
    *,
    steady: datetime,
    jitter: float,
    options: ReconcileOptions,
    counts: bool = False,
    alone: bool = False,
) -> Lane:
    """Return the lane after an answer; for a fullLoad's answer call it directly.

    `counts`: a refusal is of a row that was not refused for this reason before, and so counts towards a hold. `alone`:
    what holds the account may be this row's own, so that the others go on.
    """
    match outcome:
        case Accepted():
            return Lane()
        case Deferred():
            failures = lane.failures + 1
            pause = asked_or_delay(outcome.retry_after_s, failures, jitter, options.backoff)
            return _probed(replace(lane, failures=failures, paused_until=steady + pause), steady)
        case Refused():
            return _probed(_count_refusal(lane, outcome.why, counts, steady, options), steady)
        case WrongAction():
            return _probed(lane, steady)
        case Held(why):
            return replace(lane, held=why, held_at=None if alone else steady)
        case _:
            assert_never(outcome)


def settle_in_full_load(
    delivery: Delivery,
    outcome: Outcome,
    *,
    named: bool,
    ambiguous: bool = False,
    sent: str,
    steady: datetime,
    reassert_jitter: float,
    options: ReconcileOptions,
) -> Delivery | None:
    """Return what a fullLoad's answer makes of a row that was in flight with it; None as in `Settled`.

    Acceptance and doubt are about each row, a refusal only about the rows that it names (`named`); any other answer is
    about the fullLoad alone. A tombstone takes part by its absence from the body. An `ambiguous` name is that of
    another row, too (ids without separators can collide): single pushes will tell which was meant.
    """
    match outcome:
        case Accepted():
            return _accepted(delivery, sent, steady, reassert_jitter, options)
        case Deferred(in_doubt=True):
            return _in_doubt(delivery, steady, options)
        case Refused() if named:
            row = _refused(delivery, outcome.why, steady, options)
            return replace(row, not_before=None) if ambiguous else row
        case Deferred() | Refused() | WrongAction() | Held():
            return replace(delivery, in_flight_seq=0)
        case _:
            assert_never(outcome)


def prove_suspect(delivery: Delivery, reason: str) -> Delivery:
    """Return a row whose answer held the account for `reason`, alone or as one of many, now that another row passed.

    Either the row is bad or the account was repaired. One more attempt tells: it is due at once, and with the reason
    proven to be its own the same answer is a refusal, never again a hold.
    """
    if reason not in (delivery.suspect, delivery.refused) or delivery.in_flight_seq:
        return delivery
    return replace(delivery, suspect=None, proven=reason, not_before=None)


def recover(delivery: Delivery, steady: datetime, options: ReconcileOptions, reassert_jitter: float = 0.0) -> Delivery:
    """Return the row as it counts after a restart; the same object where nothing had to change.

    What was in flight is in doubt, and no stored time waits for longer than its own maximum from now. A row without a
    re-assertion gets one where the account's rows are re-asserted singly, spread by `reassert_jitter` in [0, 1).
    """
    row = _in_doubt(delivery, steady, options) if delivery.in_flight_seq else delivery
    wait = max(options.refused_retry, longest(options.backoff)) if row.refused is not None else longest(options.backoff)
    recovered = replace(
        row,
        doubt_until=_clamped(row.doubt_until, steady + options.doubt),
        reassert_at=_reassert_after_restart(row, steady, options, reassert_jitter),
        not_before=_clamped(row.not_before, steady + wait),
        attempted_at=_clamped(row.attempted_at, steady),
        acked_at=_clamped(row.acked_at, steady),
    )
    return delivery if recovered == delivery else recovered


def recover_lane(lane: Lane, steady: datetime, options: ReconcileOptions) -> Lane:
    """Return the lane as it counts after a restart: its pause goes on, but no longer than its maximum."""
    return replace(
        lane,
        paused_until=_clamped(lane.paused_until, steady + longest(options.backoff)),
        held_at=_clamped(lane.held_at, steady),
    )


def _verdict(delivery: Delivery, outcome: Outcome, sent: str) -> Outcome:
    """Return the outcome as it counts for this row, given what is known of the row."""
    match outcome:
        case Held(why) if delivery.proven == why:
            return Refused(why)
        case WrongAction(known=False) if not sent:
            return Accepted()
        case WrongAction(why=why) if delivery.switched:
            return Refused(why)
        case _:
            return outcome


def _alone_suspected(lane: Lane, delivery: Delivery, verdict: Outcome) -> bool:
    """Tell whether this row alone was answered with what may be its own: it waits for its next try, the others go on.

    `held_at` is None as long as no other row was answered so.
    """
    if not isinstance(verdict, Held) or not verdict.perhaps_row:
        return False
    return lane.held is None or (lane.held_at is None and delivery.suspect == verdict.why == lane.held)


def _suspected(delivery: Delivery, why: str, not_before: datetime | None) -> Delivery:
    return replace(
        delivery,
        in_flight_seq=0,
        suspect=why,
        not_before=None if _changed_in_flight(delivery) else not_before,
    )


def _accepted(
    delivery: Delivery, sent: str, steady: datetime, reassert_jitter: float, options: ReconcileOptions
) -> Delivery | None:
    row = replace(
        delivery,
        acked=sent,
        acked_seq=delivery.in_flight_seq,
        acked_at=steady,
        in_flight_seq=0,
        doubt_until=_doubt_after_acceptance(delivery),
        reassert_at=_next_reassert(steady, reassert_jitter, options),
        not_before=None,
        refused=None,
        refused_seq=0,
        proven=None,
        suspect=None,
        known=bool(sent),
        switched=False,
        attempts=0,
    )
    return None if row.tombstone and not dirty(row) and row.doubt_until is None else row


def _doubt_after_acceptance(delivery: Delivery) -> datetime | None:
    """An older request may still land until the doubt ends: only a request that began after that settles it."""
    if delivery.doubt_until is None or delivery.attempted_at is None or delivery.attempted_at < delivery.doubt_until:
        return delivery.doubt_until
    return None


def _next_reassert(steady: datetime, reassert_jitter: float, options: ReconcileOptions) -> datetime | None:
    if options.reassert_every is None:
        return None
    return steady + options.reassert_every * (1 - REASSERT_SPREAD * reassert_jitter)


def _deferred(
    delivery: Delivery, outcome: Deferred, steady: datetime, jitter: float, options: ReconcileOptions
) -> Delivery:
    """Delay the row by its own attempts too, so that one that always times out leaves the lane to the others."""
    row = _in_doubt(delivery, steady, options) if outcome.in_doubt else replace(delivery, in_flight_seq=0)
    if _changed_in_flight(delivery):
        return row
    pause = asked_or_delay(outcome.retry_after_s, delivery.attempts, jitter, options.backoff)
    return replace(row, not_before=steady + pause)


def _in_doubt(delivery: Delivery, steady: datetime, options: ReconcileOptions) -> Delivery:
    """The hub may apply what was in flight, now or later: send the current value now, and again when that is over."""
    acked_seq = 0 if delivery.acked_seq >= delivery.desired_seq else delivery.acked_seq
    return replace(delivery, in_flight_seq=0, acked_seq=acked_seq, doubt_until=steady + options.doubt)


def _refused(delivery: Delivery, why: str, steady: datetime, options: ReconcileOptions) -> Delivery:
    """Wait for hours, unless the value changed since it was sent: the refusal was about the old one."""
    return replace(
        delivery,
        in_flight_seq=0,
        acked_seq=0,
        refused=why,
        refused_seq=delivery.in_flight_seq,
        not_before=None if _changed_in_flight(delivery) else steady + options.refused_retry,
        suspect=None,
        switched=False,
    )


def _learnt(delivery: Delivery, outcome: Outcome) -> Delivery:
    return replace(delivery, known=outcome.known) if isinstance(outcome, WrongAction) else delivery


def _changed_in_flight(delivery: Delivery) -> bool:
    return 0 < delivery.in_flight_seq < delivery.desired_seq


def _probed(lane: Lane, steady: datetime) -> Lane:
    """A held account stays held until something is accepted; this attempt was its probe."""
    return replace(lane, held_at=steady) if lane.held is not None else lane


def _count_refusal(lane: Lane, why: str, counts: bool, steady: datetime, options: ReconcileOptions) -> Lane:
    answered = replace(lane, failures=0, paused_until=None)
    if not counts:
        return answered
    refusals = lane.refusals + 1 if lane.refusal_reason == why else 1
    counted = replace(answered, refusals=refusals, refusal_reason=why)
    if refusals < options.refusals_to_hold or lane.held is not None:
        return counted
    return replace(counted, held=why, held_at=steady)


def _clamped(at: datetime | None, latest: datetime) -> datetime | None:
    return None if at is None else min(at, latest)


def _reassert_after_restart(
    delivery: Delivery, steady: datetime, options: ReconcileOptions, reassert_jitter: float
) -> datetime | None:
    if options.reassert_every is None:
        return None
    if delivery.reassert_at is None:
        return _next_reassert(steady, reassert_jitter, options) if delivery.acked_seq else None
    return min(delivery.reassert_at, steady + options.reassert_every)
