"""Decide when an account's fullLoad goes out, when single pushes wait for it, and what its answer means.

A fullLoad replaces everything that the account has at the hub (OICP 2.3, ActionType fullLoad), so it is one request,
built when it is sent, and guarded against an inventory that vanished. Never builds or sends it. Before it: the lane's
census of its rows. After it: `lane`, which sends it and settles the rows by `settlement.settle_in_full_load`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, assert_never

from msgspec.structs import replace

from bridge.core.model import Accepted, Deferred, FullLoadState, Held, Moment, Outcome, Refused, WrongAction
from bridge.core.nightly import Nightly, is_nightly, next_nightly


class FullLoadPolicy(StrEnum):
    """Whether an account's set may be replaced at the hub."""

    NEVER = "never"
    CONFIRMED = "confirmed"
    """Once an operator said yes."""
    AUTO = "auto"


class Want(StrEnum):
    """Why a fullLoad is wanted; the values of `FullLoadState.wanted`."""

    FIRST = "first"
    DAILY = "daily"
    ABOVE = "above"
    DOUBT = "doubt"
    REQUEST = "request"
    DATA = "data"
    """The EVSEs' data was replaced, and whether their statuses outlive that is documented nowhere."""
    CONFIRMED = "confirmed"
    """An operator asked for it knowing that the guard holds it back; never without any EVSE."""


@dataclass(frozen=True, slots=True)
class FullLoadOptions:
    """When fullLoads go out, and for how long they may hold back single pushes."""

    policy: FullLoadPolicy = FullLoadPolicy.CONFIRMED
    nightly: Nightly = field(default_factory=Nightly)
    above: int = 1000
    above_every: timedelta = timedelta(minutes=15)
    """Shortest time between two for many due rows, and between attempts of one that failed beyond its gate."""
    first_share: float = 0.9
    first_wait: timedelta = timedelta(minutes=10)
    gate: timedelta = timedelta(seconds=60)
    doubt_tries: int = 3
    named_tries: int = 20
    """Attempts in a row that omit ids which the answer before named."""
    doubt: timedelta = timedelta(seconds=90)
    """As `ReconcileOptions.doubt`."""


@dataclass(frozen=True, slots=True)
class Census:
    """Live EVSEs of an account: all, those ever heard of, and those whose row is due."""

    total: int
    reported: int
    dirty: int


@dataclass(frozen=True, slots=True)
class Go:
    """Send a fullLoad now (as soon as the lane may send)."""

    why: Want


@dataclass(frozen=True, slots=True)
class Gate:
    """Send nothing before `until` (steady), then decide again; sooner where the census changes."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Singles:
    """Push rows singly; decide again when the census changes, and at these times."""

    until_steady: datetime | None = None
    until_wall: datetime | None = None


@dataclass(frozen=True, slots=True)
class Guarded:
    """A fullLoad is wanted but would wipe out what the hub has: push singly, tell the operator."""

    why: str


Decision = Go | Gate | Singles | Guarded


class FullLoadSettled(NamedTuple):
    """What an answer made of the account's fullLoads."""

    state: FullLoadState
    omit: tuple[str, ...]
    """Canonical ids to leave out of the next one, beside those left out already."""
    give_up: bool
    """Go on with single pushes: they isolate the bad row."""


def schedule(state: FullLoadState, at: Moment, options: FullLoadOptions) -> FullLoadState:
    """Return the state with the next daily moment, computed anew only where the stored one is not on the schedule.

    A stored moment that has passed stays: it is caught up. One that lies further away than a clock change explains
    was stored under a wrong clock.
    """
    stored, nightly = state.next_w, options.nightly
    if stored is None or not is_nightly(stored, nightly) or stored - at.now > nightly.farthest:
        return replace(state, next_w=next_nightly(at.now, nightly))
    return state


def decide(
    state: FullLoadState, census: Census, *, at: Moment, lane_opened_at: datetime, options: FullLoadOptions
) -> Decision:
    """Return what the lane does next; the lane's own pause comes first. `lane_opened_at` is steady.

    Before the first attempt single pushes wait; from then on a fullLoad holds them back for at most `gate`.
    """
    if not allowed(state, options):
        return Singles()
    if state.in_flight:
        return Gate(at.steady + options.gate)
    why = _why(state, census, at, options)
    if why is None:
        return Singles(_still_ahead(_above_again(state, options), at.steady), state.next_w)
    not_before = _not_before(state, why, census, at, lane_opened_at, options)
    if not_before is not None and at.steady < not_before:
        return Gate(not_before) if _is_first(state) else Singles(not_before, _still_ahead(state.next_w, at.now))
    held_back = None if why is Want.CONFIRMED and census.total else guarded(state, census)
    return Guarded(held_back) if held_back is not None else Go(why)


def begin(state: FullLoadState, at: Moment) -> FullLoadState:
    """Return the state as it must be stored before a fullLoad is sent.

    One that is sent when the daily moment has passed is the daily one, whatever it was wanted for; `schedule` then
    gives the next moment.
    """
    daily = state.next_w is not None and state.next_w <= at.now
    default = Want.FIRST if state.accepted_at is None else Want.DAILY if daily else Want.ABOVE
    return replace(
        state,
        in_flight=True,
        wanted=state.wanted or default,
        gate_since=state.gate_since or at.steady,
        attempted_at=at.steady,
        next_w=None if daily else state.next_w,
    )


def settle(
    state: FullLoadState, outcome: Outcome, *, size: int, at: Moment, options: FullLoadOptions
) -> FullLoadSettled:
    """Return what the answer to a fullLoad of `size` records means for the next one."""
    after = replace(schedule(state, at, options), in_flight=False, attempted_at=at.steady)
    match outcome:
        case Accepted():
            return FullLoadSettled(_accepted(after, size, at), (), False)
        case Deferred(in_doubt=True):
            return _settled_in_doubt(after, at, options)
        case Deferred() | Held():
            return FullLoadSettled(after, (), not _gating(after, at, options))
        case Refused(named=named) if named:
            return _settled_named(after, named, at, options)
        case Refused() | WrongAction():
            return FullLoadSettled(_given_up(after), (), True)
        case _:
            assert_never(outcome)


def confirm(state: FullLoadState, census: Census) -> FullLoadState:
    """Return the state after an operator's yes: where the guard holds one back, the next goes out in spite of it."""
    held_back = state.accepted_at is not None and census.total > 0 and guarded(state, census) is not None
    return replace(state, confirmed=True, wanted=Want.CONFIRMED if held_back else state.wanted)


def request(state: FullLoadState, census: Census) -> FullLoadState:
    """Return the state after an operator asked for one now, whatever failed before; that is also the yes to it."""
    wanted = Want.CONFIRMED if census.total and guarded(state, census) is not None else Want.REQUEST
    return replace(state, confirmed=True, wanted=wanted, gate_since=None, tries=min(state.tries, 1))


def guarded(state: FullLoadState, census: Census) -> str | None:
    """Return why a fullLoad would wipe out what the hub has; None where it would not."""
    if census.total == 0:
        return "the inventory has no EVSE of this account"
    if state.size is not None and census.total * 2 < state.size:
        return f"the inventory has {census.total} EVSEs, less than half of the {state.size} in the last fullLoad"
    return None


def recover(state: FullLoadState, at: Moment, options: FullLoadOptions) -> FullLoadState:
    """Return the state as it counts after a restart: a fullLoad in flight is in doubt, no time lies in the future."""
    clamped = replace(
        state,
        gate_since=_past(state.gate_since, at.steady),
        attempted_at=_past(state.attempted_at, at.steady),
        accepted_at=_past(state.accepted_at, at.steady),
    )
    if not state.in_flight:
        return clamped
    return _settled_in_doubt(replace(clamped, in_flight=False, attempted_at=at.steady), at, options).state


# --- when ---------------------------------------------------------------------------------------------------------


def allowed(state: FullLoadState, options: FullLoadOptions) -> bool:
    """Say whether the account's set may be replaced at the hub: by the policy, and where it asks, by an operator."""
    match options.policy:
        case FullLoadPolicy.NEVER:
            return False
        case FullLoadPolicy.CONFIRMED:
            return state.confirmed
        case FullLoadPolicy.AUTO:
            return True
        case _:
            assert_never(options.policy)


def _is_first(state: FullLoadState) -> bool:
    """No fullLoad was ever attempted: the hub's view is not ours yet."""
    return state.attempted_at is None and state.accepted_at is None


def _why(state: FullLoadState, census: Census, at: Moment, options: FullLoadOptions) -> Want | None:
    if state.wanted is not None:
        return Want(state.wanted)
    if _is_first(state):
        return Want.FIRST
    if state.next_w is not None and state.next_w <= at.now:
        return Want.DAILY
    again = _above_again(state, options)
    if census.dirty > options.above and (again is None or again <= at.steady):
        return Want.ABOVE
    return None


def _not_before(
    state: FullLoadState,
    why: Want,
    census: Census,
    at: Moment,
    lane_opened_at: datetime,
    options: FullLoadOptions,
) -> datetime | None:
    """Return the steady time before which it does not go out; None: it may now."""
    if _is_first(state):
        if why is not Want.FIRST or census.reported >= options.first_share * census.total:
            return None
        return lane_opened_at + options.first_wait
    if state.attempted_at is None or state.wanted is None:
        return None
    if state.gate_since is None:
        return state.attempted_at + options.doubt if why is Want.DOUBT else None
    return None if _gating(state, at, options) else state.attempted_at + options.above_every


def _gating(state: FullLoadState, at: Moment, options: FullLoadOptions) -> bool:
    """Say whether an attempt that failed may still be repeated before any single push."""
    if state.gate_since is None or at.steady >= state.gate_since + options.gate:
        return False
    return state.wanted != Want.DOUBT or state.tries < options.doubt_tries


def _above_again(state: FullLoadState, options: FullLoadOptions) -> datetime | None:
    return None if state.attempted_at is None else state.attempted_at + options.above_every


# --- what an answer means -----------------------------------------------------------------------------------------


def _accepted(state: FullLoadState, size: int, at: Moment) -> FullLoadState:
    """An earlier attempt in doubt may still land on top of this one: then it is repeated once the doubt is over."""
    doubtful = state.tries > 0 and state.wanted in (Want.DOUBT, Want.CONFIRMED, Want.REQUEST)
    return replace(
        state,
        wanted=Want.DOUBT if doubtful else None,
        gate_since=None,
        tries=0,
        accepted_at=at.steady,
        size=size,
    )


def _settled_in_doubt(state: FullLoadState, at: Moment, options: FullLoadOptions) -> FullLoadSettled:
    wanted = state.wanted if state.wanted == Want.CONFIRMED else Want.DOUBT
    after = replace(state, wanted=wanted, tries=state.tries + 1)
    return FullLoadSettled(after, (), not _gating(after, at, options))


def _settled_named(
    state: FullLoadState, named: tuple[str, ...], at: Moment, options: FullLoadOptions
) -> FullLoadSettled:
    after = replace(state, tries=state.tries + 1)
    if after.tries >= options.named_tries or not _gating(after, at, options):
        return FullLoadSettled(_given_up(after), named, True)
    return FullLoadSettled(after, named, False)


def _given_up(state: FullLoadState) -> FullLoadState:
    return replace(state, wanted=None, gate_since=None, tries=0)


# --- stored times -------------------------------------------------------------------------------------------------


def _still_ahead(moment: datetime | None, after: datetime) -> datetime | None:
    return moment if moment is not None and moment > after else None


def _past(at: datetime | None, steady: datetime) -> datetime | None:
    return None if at is None else min(at, steady)
