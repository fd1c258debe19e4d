"""Take a lane's turn inside one transaction: settle the last request, choose and mark the next one.

Runs in the writer's thread; never sends. Before and after it: `shell`. What an answer means is `settling`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from msgspec import structs

from bridge.core import full_load, reconcile, settlement
from bridge.core.full_load import Census, Gate, Go, Guarded, Singles
from bridge.core.model import Moment
from bridge.core.modes import Mode, effective_mode
from bridge.lane import document_turns, journal
from bridge.lane.document_turns import Chosen, Look
from bridge.lane.model import LaneLost, LaneOptions, Rest, SendAll, SendOne, Sent, Settling, Todo
from bridge.lane.settling import lagging_since, reassertion, settle, values_of
from bridge.store import deliveries, documents, lanes
from bridge.store.deliveries import DeliveryRow
from bridge.store.jobs import ItemFailed
from bridge.store.lanes import StoredLane
from bridge.store.micros import to_micros
from bridge.store.transaction import Transaction
from bridge.upstreams.port import Record

LOOK_EVERY = timedelta(seconds=1)
"""Shortest time between two counts of an account's rows, which cost with their number; a push must not."""

ALL_REFUSED = "the hub refuses every EVSE of this account: a fullLoad without them would withdraw all"

_LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a lane, as the writer runs it: settle the last request, choose the next."""

    options: LaneOptions
    epoch: int
    takes_full_load: bool
    live_since: datetime | None
    """Since when (steady) this process has been allowed to send; None: it was not, at its last turn."""
    at: Moment
    jitter: float
    settling: Settling | None
    closing: bool
    """Settle only: the lane is stopping."""
    census: Census | None
    """The last count, where it is young enough; None: count."""
    show: bool
    """dry_run: say what would be sent, which costs with the number of rows."""
    reclaim: bool
    """The last turn's result got lost: what it may have marked in flight was never sent."""
    documents_from: datetime | None = None
    """The documents' own pace allows none before this (steady)."""
    document_census: Census | None = None
    """As `census`, of data rows."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a turn found."""

    todo: Todo
    live: bool = False
    """The account may send."""
    census: Census | None = None
    """The count behind the decision, for the turns of the next second."""
    document_census: Census | None = None
    """As `census`, of data rows."""


def take_turns(conn: Transaction, turns: Sequence[Turn]) -> list[Taken | ItemFailed]:
    """Run the turns of several lanes in one transaction, in the writer's thread."""
    return [_take_turn(conn, turn) for turn in turns]


def _take_turn(conn: Transaction, turn: Turn) -> Taken | ItemFailed:
    account = turn.options.account
    stored = lanes.load_lane(conn, account)
    if stored is None or stored.epoch != turn.epoch:
        return ItemFailed(LaneLost(f"the lane of {account} is owned by another process"))
    written: dict[str, Any] = {"lease_until": to_micros(turn.at.steady + _LEASE)}
    if turn.settling is not None:
        stored, answered = settle(
            conn,
            stored,
            turn.settling,
            at=turn.at,
            jitter=turn.jitter,
            options=turn.options,
            takes_full_load=turn.takes_full_load,
        )
        written |= answered
        journal.log_settled(conn, stored, turn.settling, turn.at)
    if turn.reclaim:
        stored = _reclaim(conn, stored, turn.options, turn.at)
    taken, stored = _choose(conn, stored, turn)
    lanes.save_lane(conn, stored, **written)
    return taken


def _reclaim(conn: Transaction, stored: StoredLane, options: LaneOptions, at: Moment) -> StoredLane:
    """Free what a transaction marked that was committed although its result never arrived."""
    rows = [(row.key, reconcile.unsent(row.delivery)) for row in deliveries.in_flight(conn, stored.account)]
    deliveries.save_rows(conn, stored.account, rows, at.steady)
    document_turns.reclaim(conn, options, at)
    return replace(stored, full_load=structs.replace(stored.full_load, in_flight=False))


# --- choose: what to send next -----------------------------------------------------------------------------------


def _choose(conn: Transaction, stored: StoredLane, turn: Turn) -> tuple[Taken, StoredLane]:
    if turn.closing:
        return Taken(Rest(None, "stopping")), stored
    mode = effective_mode(turn.options.configured_mode, None if stored.mode is None else Mode(stored.mode))
    match mode:
        case Mode.OFF:
            return Taken(Rest(None, "off")), stored
        case Mode.DRY_RUN if turn.show:
            withheld = (*documents.withheld(conn, stored.account), *deliveries.withheld(conn, stored.account))
            return Taken(Rest(None, "dry_run", withheld=withheld)), stored
        case Mode.DRY_RUN:
            return Taken(Rest(turn.at.steady + LOOK_EVERY, "dry_run")), stored
        case Mode.LIVE:
            return _choose_live(conn, stored, turn)
        case _:
            assert_never(mode)


def _choose_live(conn: Transaction, stored: StoredLane, turn: Turn) -> tuple[Taken, StoredLane]:
    """Choose a document first, since a status may wait for it; then a status."""
    steady, paused_until = turn.at.steady, stored.lane.paused_until
    if paused_until is not None and paused_until > steady:
        return Taken(Rest(paused_until, "held" if stored.lane.held else "paused"), live=True), stored
    chosen = _choose_document(conn, stored, turn)
    if chosen.todo is not None:
        return Taken(chosen.todo, live=True, census=turn.census, document_census=turn.document_census), stored
    taken, stored = _choose_status(conn, stored, turn, chosen)
    if isinstance(taken.todo, Rest):
        rest = replace(
            taken.todo,
            until=_earliest(taken.todo.until, chosen.until),
            guarded=taken.todo.guarded or chosen.guarded,
        )
        taken = replace(taken, todo=rest)
    return replace(taken, document_census=chosen.census), stored


def _choose_document(conn: Transaction, stored: StoredLane, turn: Turn) -> Chosen:
    if turn.options.documents is None:
        return Chosen()
    look = Look(turn.options, turn.options.documents, turn.at, turn.documents_from, turn.document_census)
    return document_turns.choose(conn, stored, look)


def _choose_status(conn: Transaction, stored: StoredLane, turn: Turn, documents_: Chosen) -> tuple[Taken, StoredLane]:
    steady, after_data = turn.at.steady, _after_data(turn)
    ready = reconcile.lane_ready_at(stored.lane, turn.options.reconcile)
    if ready is not None and ready > steady:
        return Taken(Rest(ready, "held" if stored.lane.held else "paused"), live=True), stored
    until: datetime | None = None
    guarded: str | None = None
    census: Census | None = None
    if turn.takes_full_load:
        stored = replace(stored, full_load=full_load.schedule(stored.full_load, turn.at, turn.options.full_load))
        decision, census = _decide_full_load(conn, stored, turn)
        match decision:
            case Go() if not documents_.busy and not _too_early(conn, stored, turn):
                begun = _begin_full_load(conn, stored, turn, decision.why)
                if begun is not None:
                    return Taken(begun[0], live=True), begun[1]
                guarded, until = ALL_REFUSED, steady + LOOK_EVERY
            case Go() if documents_.busy and stored.full_load.attempted_at is None:
                return Taken(Rest(steady + LOOK_EVERY, "waiting for the data"), live=True, census=census), stored
            case Gate():
                look = decision.until if turn.census is None else min(decision.until, steady + LOOK_EVERY)
                return Taken(Rest(look, "waiting for the fullLoad"), live=True, census=census), stored
            case Guarded():
                guarded = decision.why
            case Singles():
                until = decision.until_steady
            case Go():
                until = steady + LOOK_EVERY
            case _:
                assert_never(decision)
    row = deliveries.next_due(conn, stored.account, steady, after_data=after_data)
    if row is None:
        due = deliveries.next_due_at(conn, stored.account, after_data=after_data)
        return Taken(Rest(_earliest(due, until), "agreed", guarded), live=True, census=census), stored
    deliveries.save_rows(conn, stored.account, [(row.key, reconcile.start(row.delivery, steady))], steady)
    sent = Sent(values_of([row]), steady, seq=row.delivery.desired_seq, since=lagging_since([row]))
    return Taken(SendOne(_record(row, stored, turn), sent), live=True, census=census), stored


def _too_early(conn: Transaction, stored: StoredLane, turn: Turn) -> bool:
    """Tell whether the first fullLoad would withdraw EVSEs whose data is still on its way; single pushes go on."""
    return stored.full_load.accepted_at is None and _after_data(turn) and deliveries.awaits_data(conn, stored.account)


def _after_data(turn: Turn) -> bool:
    return turn.options.documents is not None and turn.options.documents.gate_statuses


def _decide_full_load(conn: Transaction, stored: StoredLane, turn: Turn) -> tuple[full_load.Decision, Census]:
    """Decide by the last count where it is young enough; what a fullLoad replaces is counted at this very moment.

    A count of nothing is repeated: it costs nothing, and after an import the first rows must not go out singly by it.
    """
    if turn.census is not None and turn.census.total:
        decision = _decision(stored, turn.census, turn)
        if not isinstance(decision, Go):
            return decision, turn.census
    census = deliveries.census(conn, stored.account, turn.at.steady, after_data=_after_data(turn))
    return _decision(stored, census, turn), census


def _decision(stored: StoredLane, census: Census, turn: Turn) -> full_load.Decision:
    return full_load.decide(
        stored.full_load,
        census,
        at=turn.at,
        lane_opened_at=turn.live_since or turn.at.steady,
        options=turn.options.full_load,
    )


def _begin_full_load(conn: Transaction, stored: StoredLane, turn: Turn, why: str) -> tuple[SendAll, StoredLane] | None:
    """Build the full set now, at the moment it is sent, and mark all of it in flight; refused rows stay out.

    None where that leaves nothing: an empty one would withdraw all that the hub has.
    """
    steady = turn.at.steady
    loaded = deliveries.load_rows(conn, stored.account, after_data=_after_data(turn))
    rows = [row for row in loaded if not reconcile.left_out_of_full_load(row.delivery)]
    if len(rows) < len(loaded) and all(row.delivery.tombstone for row in rows):
        return None
    deliveries.save_rows(
        conn, stored.account, [(row.key, reconcile.start(row.delivery, steady)) for row in rows], steady
    )
    records = tuple(_record(row, stored, turn) for row in rows if not row.delivery.tombstone)
    sent = Sent(values_of(rows), steady, full=True, records=len(records), since=lagging_since(rows))
    begun = full_load.begin(stored.full_load, turn.at)
    return SendAll(records, sent, why), replace(stored, full_load=begun)


def _record(row: DeliveryRow, stored: StoredLane, turn: Turn) -> Record:
    delivery, known = row.delivery, row.delivery.known
    if known is None and turn.takes_full_load and not full_load.allowed(stored.full_load, turn.options.full_load):
        known = False  # "with `never` (or a no), first contact is an `insert` per EVSE" (design: Hubject)
    return Record(
        evse_id=row.evse_id,
        value=delivery.desired,
        known=known,
        delete=delivery.tombstone and not delivery.desired,
        station_ref=delivery.references[0],
        point_ref=delivery.references[1],
    )


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


# --- open: take a lane over ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opening:
    """A lane to take over by this process."""

    options: LaneOptions
    takes_full_load: bool
    node: str
    at: Moment


def open_lanes(conn: Transaction, openings: Sequence[Opening]) -> list[int]:
    """Take lanes over at start: what was in flight is in doubt, and stored times are clamped. Return their epochs."""
    return [_open_lane(conn, opening) for opening in openings]


def _open_lane(conn: Transaction, opening: Opening) -> int:
    options, at = opening.options, opening.at
    account, steady = options.account, at.steady
    epoch = lanes.take_lane(conn, account, opening.node, to_micros(steady + _LEASE))
    stored = lanes.load_lane(conn, account)
    if stored is None:
        raise AssertionError("take_lane has just made the row")
    journal.log_unanswered(conn, stored, at)
    _recover_rows(conn, stored, opening)
    document_turns.recover(conn, options, at)
    full = full_load.recover(stored.full_load, at, options.full_load)
    lane = settlement.recover_lane(stored.lane, steady, options.reconcile)
    lanes.save_lane(conn, replace(stored, lane=lane, full_load=full))
    return epoch


def _recover_rows(conn: Transaction, stored: StoredLane, opening: Opening) -> None:
    account, steady = stored.account, opening.at.steady
    options = reassertion(opening.options, stored.full_load, takes_full_load=opening.takes_full_load)
    found = [*deliveries.future_rows(conn, account, steady), *deliveries.in_flight(conn, account)]
    if options.reassert_every is not None:
        found += deliveries.unscheduled(conn, account)
    rows = {row.key: row for row in found}
    recovered = [
        (row.key, after)
        for number, row in enumerate(rows.values())
        if (after := settlement.recover(row.delivery, steady, options, number / len(rows))) is not row.delivery
    ]
    deliveries.save_rows(conn, account, recovered, steady)
