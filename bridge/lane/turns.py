"""Take a lane's turn inside one transaction: settle the last request, choose and mark the next one.

Runs in the writer's thread; never sends. Before and after it: `shell`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from bridge.core import full_load, reconcile
from bridge.core.full_load import FullLoadOptions, Gate, Go, Guarded, Singles
from bridge.core.identifiers import canonical
from bridge.core.model import Accepted, AccountName, Delivery, Moment, Outcome, Refused
from bridge.core.modes import Mode, effective_mode
from bridge.core.reconcile import ReconcileOptions
from bridge.store import lanes
from bridge.store.lanes import DeliveryRow, LastAnswer, StoredLane
from bridge.store.micros import to_micros
from bridge.store.stations import EvseKey
from bridge.store.transaction import Transaction
from bridge.store.writer import ItemFailed
from bridge.upstreams.port import Answer, Record

_LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class LaneOptions:
    """How one account is served; filled from the configuration."""

    account: AccountName
    configured_mode: Mode | None
    """None: the configuration says nothing."""
    per_minute: int
    """Requests per minute that we allow ourselves."""
    operator_names: Mapping[str, str]
    """Operator → the name that the hub is told."""
    reconcile: ReconcileOptions
    full_load: FullLoadOptions
    idle: timedelta = timedelta(seconds=5)
    """How long a lost wake-up can go unnoticed."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request carried: the value of each row, as it was when it was sent."""

    values: Mapping[EvseKey, str]
    full: bool = False
    records: int = 1


@dataclass(frozen=True, slots=True)
class Settling:
    """A request that ended and how."""

    sent: Sent
    answer: Answer


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a lane, as the writer runs it: settle the last request, choose the next."""

    options: LaneOptions
    epoch: int
    takes_full_load: bool
    opened_at: datetime
    at: Moment
    jitter: float
    settling: Settling | None
    closing: bool
    """Settle only: the lane is stopping."""
    look: bool
    """Ask whether a fullLoad is due: once a second is enough, since it counts rows."""


@dataclass(frozen=True, slots=True)
class SendOne:
    """Send this record."""

    record: Record
    sent: Sent


@dataclass(frozen=True, slots=True)
class SendAll:
    """Send the full set."""

    records: tuple[Record, ...]
    sent: Sent
    why: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to send before `until` (steady), or before a wake-up."""

    until: datetime | None
    why: str
    guarded: str | None = None
    """Why a fullLoad that is wanted is not sent."""
    withheld: tuple[tuple[str, str], ...] = ()
    """dry_run: (EVSE id, value) of the rows that would be sent now."""


Todo = SendOne | SendAll | Rest


class LaneLost(Exception):
    """Another process took this account's lane over; this one must send nothing more for it."""


def take_turns(conn: Transaction, turns: Sequence[Turn]) -> list[Todo | ItemFailed]:
    """Run the turns of several lanes in one transaction, in the writer's thread."""
    return [_take_turn(conn, turn) for turn in turns]


def _take_turn(conn: Transaction, turn: Turn) -> Todo | ItemFailed:
    account = turn.options.account
    stored = lanes.load_lane(conn, account)
    if stored is None or stored.epoch != turn.epoch:
        return ItemFailed(LaneLost(f"the lane of {account} is owned by another process"))
    if turn.settling is not None:
        stored = _settle(conn, stored, turn, turn.settling)
    todo, stored = _choose(conn, stored, turn)
    lanes.save_lane(conn, stored, lease_until=to_micros(turn.at.steady + _LEASE))
    return todo


# --- settle: what became of the last request ---------------------------------------------------------------------


def _settle(conn: Transaction, stored: StoredLane, turn: Turn, settling: Settling) -> StoredLane:
    stored = _settle_lane(stored, turn, settling) if settling.sent.full else _settle_one(conn, stored, turn, settling)
    if isinstance(settling.answer.outcome, Accepted):
        lanes.save_lane(conn, stored, last_accepted_at=to_micros(turn.at.steady), last_error="")
    else:
        lanes.save_lane(conn, stored, last_error=_why(settling.answer.outcome)[:256])
    return stored


def _settle_one(conn: Transaction, stored: StoredLane, turn: Turn, settling: Settling) -> StoredLane:
    ((key, sent),) = settling.sent.values.items()
    row = lanes.load_row(conn, stored.account, key)
    if row is None or not row.delivery.in_flight_seq:
        return stored  # settled before: the commit of an earlier try was done although its answer was lost
    settled = reconcile.settle(
        stored.lane,
        row.delivery,
        settling.answer.outcome,
        sent=sent,
        steady=turn.at.steady,
        jitter=turn.jitter,
        reassert_jitter=turn.jitter,
        options=_reconcile_options(stored, turn),
    )
    lanes.save_rows(conn, stored.account, [(key, settled.delivery)])
    lanes.save_answer(conn, stored.account, [key], _last_answer(settling.answer))
    if settled.prove is not None:
        _prove(conn, stored, settled.prove, key, turn)
    return replace(stored, lane=settled.lane)


def _prove(conn: Transaction, stored: StoredLane, reason: str, passed: EvseKey, turn: Turn) -> None:
    """Another row passed: what had held the account is put to the test, row by row."""
    proven = [
        (row.key, reconcile.prove_suspect(row.delivery, reason, turn.at.steady, turn.options.reconcile))
        for row in lanes.suspects(conn, stored.account, reason)
        if row.key != passed
    ]
    lanes.save_rows(conn, stored.account, proven)


def _settle_lane(stored: StoredLane, turn: Turn, settling: Settling) -> StoredLane:
    """Settle the account's fullLoad; its rows were settled by `settle_rows`, in chunks, just before."""
    outcome, at, options = settling.answer.outcome, turn.at, turn.options
    settled = full_load.settle(stored.full_load, outcome, size=settling.sent.records, at=at, options=options.full_load)
    lane = reconcile.settle_lane(stored.lane, outcome, steady=at.steady, jitter=turn.jitter, options=options.reconcile)
    return replace(stored, full_load=settled.state, lane=lane)


def _reconcile_options(stored: StoredLane, turn: Turn) -> ReconcileOptions:
    """Where fullLoads are allowed, the daily one asserts every row; singly they need not be."""
    options = turn.options
    if turn.takes_full_load and full_load.allowed(stored.full_load, options.full_load):
        return replace(options.reconcile, reassert_every=None)
    return options.reconcile


@dataclass(frozen=True, slots=True)
class RowsTurn:
    """A chunk of a fullLoad's rows to settle."""

    account: AccountName
    sent: Mapping[EvseKey, str]
    answer: Answer
    at: Moment
    options: ReconcileOptions


def settle_rows(conn: Transaction, turns: Sequence[RowsTurn]) -> list[None]:
    """Settle rows that a fullLoad carried; those that are settled already stay as they are."""
    for turn in turns:
        rows = [row for row in lanes.load_rows(conn, turn.account, list(turn.sent)) if row.delivery.in_flight_seq]
        lanes.save_rows(conn, turn.account, [(row.key, _settled_by_full_load(row, turn)) for row in rows])
        lanes.save_answer(conn, turn.account, [row.key for row in rows], _last_answer(turn.answer))
    return [None] * len(turns)


def _settled_by_full_load(row: DeliveryRow, turn: RowsTurn) -> Delivery | None:
    outcome = turn.answer.outcome
    return reconcile.settle_in_full_load(
        row.delivery,
        outcome,
        named=isinstance(outcome, Refused) and canonical(row.evse_id) in outcome.named,
        sent=turn.sent[row.key],
        steady=turn.at.steady,
        reassert_jitter=0.0,
        options=turn.options,
    )


def _last_answer(answer: Answer) -> LastAnswer:
    return LastAnswer(answer.http, answer.code, _why(answer.outcome)[:256], answer.reference)


def _why(outcome: Outcome) -> str:
    return "" if isinstance(outcome, Accepted) else outcome.why


# --- choose: what to send next -----------------------------------------------------------------------------------


def _choose(conn: Transaction, stored: StoredLane, turn: Turn) -> tuple[Todo, StoredLane]:
    options, steady = turn.options, turn.at.steady
    if turn.closing:
        return Rest(None, "stopping"), stored
    mode = effective_mode(options.configured_mode, None if stored.mode is None else Mode(stored.mode))
    if mode is Mode.OFF:
        return Rest(None, "off"), stored
    if mode is Mode.DRY_RUN:
        return _withhold(conn, stored.account), stored
    ready = reconcile.lane_ready_at(stored.lane, options.reconcile)
    if ready is not None and ready > steady:
        return Rest(ready, "held" if stored.lane.held else "paused"), stored
    until, guarded = None, None
    if turn.takes_full_load and turn.look:
        stored = replace(stored, full_load=full_load.schedule(stored.full_load, turn.at, options.full_load))
        decision = _decide_full_load(conn, stored, turn)
        match decision:
            case Go():
                return _begin_full_load(conn, stored, turn, decision.why)
            case Gate():
                return Rest(decision.until, "waiting for the fullLoad"), stored
            case Guarded():
                guarded = decision.why
            case Singles():
                until = decision.until_steady
            case _:
                assert_never(decision)
    row = lanes.next_due(conn, stored.account, steady)
    if row is None:
        due = lanes.next_due_at(conn, stored.account)
        return Rest(_earliest(due, until), "agreed", guarded), stored
    lanes.save_rows(conn, stored.account, [(row.key, reconcile.start(row.delivery, steady))])
    return SendOne(_record(row, options), Sent({row.key: row.delivery.desired})), stored


def _decide_full_load(conn: Transaction, stored: StoredLane, turn: Turn) -> full_load.Decision:
    counted = lanes.census(conn, stored.account, turn.at.steady)
    return full_load.decide(
        stored.full_load, counted, at=turn.at, lane_opened_at=turn.opened_at, options=turn.options.full_load
    )


def _begin_full_load(conn: Transaction, stored: StoredLane, turn: Turn, why: str) -> tuple[Todo, StoredLane]:
    """Build the full set now, at the moment it is sent, and mark all of it in flight; refused rows stay out."""
    steady = turn.at.steady
    loaded = lanes.load_rows(conn, stored.account)
    rows = [row for row in loaded if not reconcile.left_out_of_full_load(row.delivery)]
    lanes.save_rows(conn, stored.account, [(row.key, reconcile.start(row.delivery, steady)) for row in rows])
    records = tuple(_record(row, turn.options) for row in rows if not row.delivery.tombstone)
    sent = Sent({row.key: row.delivery.desired for row in rows}, full=True, records=len(records))
    begun = full_load.begin(stored.full_load, turn.at)
    return SendAll(records, sent, why), replace(stored, full_load=begun)


def _withhold(conn: Transaction, account: AccountName) -> Rest:
    rows = [row for row in lanes.load_rows(conn, account) if reconcile.due_at(row.delivery) == reconcile.AT_ONCE]
    return Rest(None, "dry_run", withheld=tuple((row.evse_id, row.delivery.desired) for row in rows))


def _record(row: DeliveryRow, options: LaneOptions) -> Record:
    return Record(
        evse_id=row.evse_id,
        value=row.delivery.desired,
        known=row.delivery.known,
        delete=row.delivery.tombstone and not row.delivery.desired,
        station_ref=row.references[0],
        point_ref=row.references[1],
        operator_name=options.operator_names.get(row.operator, ""),
    )


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def open_lanes(conn: Transaction, openings: Iterable[tuple[LaneOptions, str, Moment]]) -> list[int]:
    """Take lanes over at start: what was in flight is in doubt, and stored times are clamped."""
    epochs = []
    for options, node, at in openings:
        account, steady = options.account, at.steady
        epochs.append(lanes.take_lane(conn, account, node, to_micros(steady + _LEASE)))
        rows = {row.key: row for row in (*lanes.future_rows(conn, account, steady), *lanes.in_flight(conn, account))}
        recovered = [
            (row.key, after)
            for row in rows.values()
            if (after := reconcile.recover(row.delivery, steady, options.reconcile)) is not row.delivery
        ]
        lanes.save_rows(conn, account, recovered)
        stored = lanes.load_lane(conn, account)
        if stored is None:
            raise AssertionError("take_lane has just made the row")
        full = full_load.recover(stored.full_load, at, options.full_load)
        lane = reconcile.recover_lane(stored.lane, steady, options.reconcile)
        lanes.save_lane(conn, replace(stored, lane=lane, full_load=full))
    return epochs
