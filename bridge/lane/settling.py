"""Settle what a request carried by how it was answered, inside the writer's transaction.

An answer settles its own request and no other: rows name when they were sent. So it can be applied twice, where storage
failed in such a way that nobody knows whether the first try was committed. Never sends, never chooses what is next.
Before it: `shell`. After it: `turns`. Decisions are those of `core.reconcile` and `core.full_load`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.core import full_load, reconcile, settlement
from bridge.core.identifiers import canonical
from bridge.core.model import Accepted, AccountName, Delivery, FullLoadState, Moment, Outcome, Refused
from bridge.core.reconcile import ReconcileOptions
from bridge.lane import document_settling
from bridge.lane.document_settling import Ended
from bridge.lane.model import LaneLost, LaneOptions, Sent, Settling
from bridge.store import deliveries, lanes
from bridge.store.deliveries import DeliveryRow, LastAnswer
from bridge.store.jobs import ItemFailed
from bridge.store.lanes import StoredLane
from bridge.store.micros import to_micros
from bridge.store.stations import EvseKey
from bridge.store.transaction import Transaction
from bridge.upstreams.port import Answer


def reassertion(options: LaneOptions, state: FullLoadState, *, takes_full_load: bool) -> ReconcileOptions:
    """Return the account's options: where fullLoads are allowed the daily one asserts every row, and none is singly."""
    if takes_full_load and full_load.allowed(state, options.full_load):
        return replace(options.reconcile, reassert_every=None)
    return options.reconcile


def settle(
    conn: Transaction,
    stored: StoredLane,
    settling: Settling,
    *,
    at: Moment,
    jitter: float,
    options: LaneOptions,
    takes_full_load: bool,
) -> tuple[StoredLane, dict[str, Any]]:
    """Return the lane after an answer, and what to write beside its state; the row of a single push is written here."""
    sent, answer = settling.sent, settling.answer
    if not isinstance(sent, Sent):
        return document_settling.settle(conn, stored, sent, Ended(answer, at, jitter, options)), {}
    if sent.full:
        stored = _settle_lane(stored, sent, answer, at, jitter, options)
    else:
        asserted = reassertion(options, stored.full_load, takes_full_load=takes_full_load)
        full = settlement.full_load_in_time(
            stored.full_load, stored.lane, answer.outcome, steady=at.steady, options=options.full_load
        )
        stored = replace(_settle_one(conn, stored, sent, answer, at, jitter, asserted), full_load=full)
    outcome = answer.outcome
    if isinstance(outcome, Accepted):
        return stored, {"last_accepted_at": to_micros(at.steady), "last_error": ""}
    return stored, {"last_error": _why(outcome)[:256]}


def _settle_one(
    conn: Transaction,
    stored: StoredLane,
    sent: Sent,
    answer: Answer,
    at: Moment,
    jitter: float,
    options: ReconcileOptions,
) -> StoredLane:
    ((key, value),) = sent.values.items()
    row = deliveries.load_row(conn, stored.account, key)
    if row is None or not _carried(row.delivery, sent):
        return stored
    settled = settlement.settle(
        stored.lane,
        row.delivery,
        answer.outcome,
        sent=value,
        steady=at.steady,
        jitter=jitter,
        reassert_jitter=jitter,
        options=options,
    )
    deliveries.save_rows(conn, stored.account, [(key, settled.delivery)], at.steady)
    deliveries.save_answer(conn, stored.account, [key], _last_answer(answer))
    if settled.prove is not None:
        _prove(conn, stored, settled.prove, key, at)
    return replace(stored, lane=settled.lane)


def _carried(delivery: Delivery, sent: Sent) -> bool:
    """Tell whether this very request is in flight with the row: it was not settled, and no later one was begun."""
    return bool(delivery.in_flight_seq) and delivery.attempted_at == sent.at


def _prove(conn: Transaction, stored: StoredLane, reason: str, passed: EvseKey, at: Moment) -> None:
    """Another row passed: what had held the account is put to the test, row by row."""
    proven = [
        (row.key, settlement.prove_suspect(row.delivery, reason))
        for row in deliveries.suspects(conn, stored.account, reason)
        if row.key != passed
    ]
    deliveries.save_rows(conn, stored.account, proven, at.steady)


def _settle_lane(
    stored: StoredLane, sent: Sent, answer: Answer, at: Moment, jitter: float, options: LaneOptions
) -> StoredLane:
    """Settle the account's fullLoad; its rows were settled by `settle_rows`, in chunks, just before."""
    state, outcome = stored.full_load, answer.outcome
    if not state.in_flight or state.attempted_at != sent.at:
        return stored
    settled = full_load.settle(state, outcome, size=sent.records, at=at, options=options.full_load)
    lane = settlement.settle_lane(stored.lane, outcome, steady=at.steady, jitter=jitter, options=options.reconcile)
    return replace(stored, full_load=settled.state, lane=lane)


# --- the rows of a fullLoad ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowsTurn:
    """A chunk of a fullLoad's rows to settle."""

    account: AccountName
    epoch: int
    sent: Sent
    keys: Sequence[EvseKey]
    answer: Answer
    at: Moment
    options: ReconcileOptions


def settle_rows(conn: Transaction, turns: Sequence[RowsTurn]) -> list[ItemFailed | None]:
    """Settle rows that a fullLoad carried; those that are settled already stay as they are."""
    return [_settle_chunk(conn, turn) for turn in turns]


def _settle_chunk(conn: Transaction, turn: RowsTurn) -> ItemFailed | None:
    stored = lanes.load_lane(conn, turn.account)
    if stored is None or stored.epoch != turn.epoch:
        return ItemFailed(LaneLost(f"the lane of {turn.account} is owned by another process"))
    rows = [row for row in deliveries.load_rows(conn, turn.account, turn.keys) if _carried(row.delivery, turn.sent)]
    outcome = turn.answer.outcome
    named = set(outcome.named) if isinstance(outcome, Refused) else set()
    colliding = deliveries.colliding(conn, turn.account, sorted(named)) if named else set()
    settled = [(row.key, _settled_by_full_load(row, turn, named, colliding)) for row in rows]
    deliveries.save_rows(conn, turn.account, settled, turn.at.steady)
    deliveries.save_answer(conn, turn.account, [row.key for row in rows], _last_answer(turn.answer))
    return None


def _settled_by_full_load(row: DeliveryRow, turn: RowsTurn, named: set[str], colliding: set[str]) -> Delivery | None:
    name = canonical(row.evse_id)
    return settlement.settle_in_full_load(
        row.delivery,
        turn.answer.outcome,
        named=name in named,
        ambiguous=name in colliding,
        sent=turn.sent.values[row.key],
        steady=turn.at.steady,
        reassert_jitter=0.0,
        options=replace(turn.options, reassert_every=None),
    )


def _last_answer(answer: Answer) -> LastAnswer:
    return LastAnswer(answer.http, answer.code, _why(answer.outcome)[:256], answer.reference)


def _why(outcome: Outcome) -> str:
    return "" if isinstance(outcome, Accepted) else outcome.why


def values_of(rows: Sequence[DeliveryRow]) -> Mapping[EvseKey, str]:
    """Return what a request about these rows carries."""
    return {row.key: row.delivery.desired for row in rows}


def lagging_since(rows: Sequence[DeliveryRow]) -> tuple[datetime, ...]:
    """Return since when the hub has not had what is desired, of each of these rows where it has not."""
    return tuple(row.desired_at for row in rows if reconcile.dirty(row.delivery))
