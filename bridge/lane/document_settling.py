"""Settle what a request with documents carried by how it was answered, inside the writer's transaction.

What holds or defers an account's documents is kept apart from what does so with its statuses: a key may be allowed the
one and not the other, a hub may fail or limit the one and serve the other. Only where nothing of a request reached the
hub do both wait, since the hub is one. Never sends. Twin: `settling`, whose rows are statuses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from bridge.core import documents as core
from bridge.core import full_load, reconcile, settlement
from bridge.core.documents import DocumentKind
from bridge.core.full_load import Want
from bridge.core.identifiers import canonical
from bridge.core.mirror import is_over, says_the_same
from bridge.core.model import Accepted, AccountName, Deferred, Delivery, EvseId, Lane, Moment, Refused
from bridge.core.reconcile import ReconcileOptions
from bridge.lane.model import DocumentOptions, LaneLost, LaneOptions, SentDocuments, SentSurvey
from bridge.store import deliveries, documents, lanes
from bridge.store.deliveries import DeliveryRow, LastAnswer
from bridge.store.documents import DocumentName, DocumentRow, StoredDocumentLane
from bridge.store.foreign import ForeignEntry, foreign_entries, replace_entries
from bridge.store.jobs import ItemFailed
from bridge.store.lanes import StoredLane
from bridge.store.micros import to_micros
from bridge.store.transaction import Transaction
from bridge.upstreams.port import Answer, Entry

_SURVEY_AGAIN = timedelta(minutes=1)
"""Shortest time to the next try of a survey that failed."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a request ended, and the moment of settling it."""

    answer: Answer
    at: Moment
    jitter: float
    options: LaneOptions

    @property
    def documents(self) -> DocumentOptions:
        """What the account sends besides statuses."""
        if self.options.documents is None:
            raise AssertionError("an account that sends no documents sent one")
        return self.options.documents

    @property
    def reconcile(self) -> ReconcileOptions:
        """Documents are not asserted daily: a new lock version a day for what is unchanged would help nobody."""
        return replace(self.options.reconcile, reassert_every=None)

    @property
    def last(self) -> LastAnswer:
        """What an operator will want to quote."""
        answer = self.answer
        return LastAnswer(answer.http, answer.code, self.why[:256], answer.reference)

    @property
    def why(self) -> str:
        """Why it was not accepted; empty where it was."""
        return "" if isinstance(self.answer.outcome, Accepted) else self.answer.outcome.why


def settle(conn: Transaction, stored: StoredLane, sent: SentDocuments | SentSurvey, ended: Ended) -> StoredLane:
    """Return the account's lane after an answer about documents; everything else is written here."""
    state = documents.load_document_lane(conn, stored.account)
    match sent:
        case SentSurvey():
            state = _settle_survey(conn, state, ended)
        case SentDocuments(full=True):
            state, stored = _settle_data_load(conn, state, stored, sent, ended)
        case SentDocuments():
            state = _settle_one(conn, state, sent, ended)
    documents.save_document_lane(conn, state, **_noted(ended))
    lane = _shared(stored.lane, ended)
    return replace(stored, lane=structs.replace(lane, paused_until=_paused(lane.paused_until, ended)))


def _shared(lane: Lane, ended: Ended) -> Lane:
    """Return the account's lane: a hub that judges documents ends its pause, one that nothing reaches begins one."""
    outcome = ended.answer.outcome
    match outcome:
        case Accepted() | Refused():
            return structs.replace(lane, failures=0, paused_until=None)
        case Deferred(in_doubt=False) if ended.answer.http is None:
            after = settlement.settle_lane(
                lane, outcome, steady=ended.at.steady, jitter=ended.jitter, options=ended.options.reconcile
            )
            return structs.replace(lane, failures=after.failures, paused_until=after.paused_until)
        case _:
            return lane


def _paused(until: datetime | None, ended: Ended) -> datetime | None:
    """Return until when nothing is chosen: the hub's own rate limit counts whatever became of the document."""
    if not ended.answer.pause_s:
        return until
    asked = ended.at.steady + timedelta(seconds=ended.answer.pause_s)
    return asked if until is None else max(until, asked)


def _noted(ended: Ended) -> dict[str, Any]:
    if isinstance(ended.answer.outcome, Accepted):
        return {"last_accepted_at": to_micros(ended.at.steady), "last_error": ""}
    return {"last_error": ended.why[:256]}


def _settle_one(conn: Transaction, state: StoredDocumentLane, sent: SentDocuments, ended: Ended) -> StoredDocumentLane:
    ((name, content),) = sent.values.items()
    row = documents.load_document(conn, state.account, name)
    if row is None or not _carried(row, sent):
        return state
    settled = settlement.settle(
        state.lane,
        row.delivery,
        ended.answer.outcome,
        sent=content,
        steady=ended.at.steady,
        jitter=ended.jitter,
        reassert_jitter=0.0,
        options=ended.reconcile,
    )
    remote = core.learn(row.remote, ended.answer.outcome, ended.answer.learnt)
    documents.save_documents(conn, state.account, [(name, settled.delivery, remote)], ended.at.steady)
    documents.save_document_answer(conn, state.account, [name], ended.last)
    if isinstance(ended.answer.outcome, Accepted):
        anew = name[0] is DocumentKind.EVSE_DATA and bool(content) and not row.delivery.acked
        _try_statuses_again(conn, state.account, _described(conn, state.account, name), ended.at, anew=anew)
    if settled.prove is not None:
        _prove(conn, state.account, settled.prove, name, ended.at)
    return replace(state, lane=settled.lane)


def _described(conn: Transaction, account: AccountName, name: DocumentName) -> list[DeliveryRow]:
    """Return the rows of the EVSEs that a document describes."""
    match name:
        case (DocumentKind.EVSE_DATA, evse_id):
            return deliveries.rows_of(conn, account, EvseId(evse_id))
        case (DocumentKind.STATION, station):
            return deliveries.rows_at(conn, account, station)
        case _:
            return []


def _try_statuses_again(
    conn: Transaction, account: AccountName, rows: Iterable[DeliveryRow], at: Moment, *, anew: bool = False
) -> None:
    """Make refused statuses due: the hub may have refused them for want of what it has just taken.

    `anew`: it had no data of these EVSEs, so that whatever status it acknowledged may be gone.
    """
    after = reconcile.forget if anew else reconcile.reconfigured
    again = [(row.key, due) for row in rows if (due := after(row.delivery)) is not row.delivery]
    deliveries.save_rows(conn, account, again, at.steady)


def _carried(row: DocumentRow, sent: SentDocuments) -> bool:
    """Tell whether this very request is in flight with the row: it was not settled, and no later one was begun."""
    return bool(row.delivery.in_flight_seq) and row.delivery.attempted_at == sent.at


def _prove(conn: Transaction, account: AccountName, reason: str, passed: DocumentName, at: Moment) -> None:
    """Another document passed: what had held them is put to the test, row by row."""
    proven = [
        (row.name, settlement.prove_suspect(row.delivery, reason), row.remote)
        for row in documents.suspected_documents(conn, account, reason)
        if row.name != passed
    ]
    documents.save_documents(conn, account, proven, at.steady)


def _settle_data_load(
    conn: Transaction, state: StoredDocumentLane, stored: StoredLane, sent: SentDocuments, ended: Ended
) -> tuple[StoredDocumentLane, StoredLane]:
    """Settle a fullLoad of data, whose rows were settled just before; it is followed by one of statuses.

    Where the hub has no status of ours yet there is none to lose: their first fullLoad waits for the stations.
    """
    if not state.full_load.in_flight or state.full_load.attempted_at != sent.at:
        return state, stored
    outcome = ended.answer.outcome
    settled = full_load.settle(
        state.full_load, outcome, size=sent.records, at=ended.at, options=ended.documents.full_load
    )
    lane = settlement.settle_lane(
        state.lane, outcome, steady=ended.at.steady, jitter=ended.jitter, options=ended.options.reconcile
    )
    if isinstance(outcome, Refused) and outcome.named:
        _give_up_old_data(conn, stored.account, sent, frozenset(outcome.named), ended.at)
    if isinstance(outcome, Accepted):
        _try_statuses_again(conn, stored.account, deliveries.load_rows(conn, stored.account), ended.at)
    if isinstance(outcome, Accepted) and stored.full_load.wanted is None and deliveries.has_acked(conn, stored.account):
        stored = replace(stored, full_load=structs.replace(stored.full_load, wanted=Want.DATA))
    return replace(state, full_load=settled.state, lane=lane), stored


def _give_up_old_data(
    conn: Transaction, account: AccountName, sent: SentDocuments, named: frozenset[str], at: Moment
) -> None:
    """Count data that went along as the hub had it, and that the hub now refuses, as data that it does not have.

    The next fullLoad then leaves the EVSE out, or the others would never get through.
    """
    refused = [
        (row.name, structs.replace(row.delivery, acked=None), row.remote)
        for row in documents.load_documents(conn, account, [DocumentKind.EVSE_DATA])
        if row.name not in sent.values and row.delivery.acked and canonical(EvseId(row.key)) in named
    ]
    documents.save_documents(conn, account, refused, at.steady)


# --- what the hub holds ---------------------------------------------------------------------------------------------


def _settle_survey(conn: Transaction, state: StoredDocumentLane, ended: Ended) -> StoredDocumentLane:
    """Keep what others made there to show it, and assert what of ours is gone or different."""
    outcome, entries = ended.answer.outcome, ended.answer.entries
    lane = settlement.settle_lane(
        state.lane, outcome, steady=ended.at.steady, jitter=ended.jitter, options=ended.options.reconcile
    )
    if not isinstance(outcome, Accepted) or entries is None:
        return replace(state, lane=lane, survey_at=ended.at.steady + _SURVEY_AGAIN)
    rows = [row for row in documents.load_documents(conn, state.account) if row.kind in core.CREATED_BY_HUB]
    replace_entries(conn, state.account, _others(conn, state.account, rows, entries, ended.at.now))
    held = {entry.remote_id: entry.content for entry in entries}
    asserted = [
        (row.name, reconcile.forget(row.delivery), row.remote)
        for row in rows
        if row.remote.id
        and not row.delivery.in_flight_seq
        and not reconcile.dirty(row.delivery)
        and not core.ended(row.kind, row.delivery.desired, ended.at.now)
        and not says_the_same(held.get(row.remote.id, ""), row.delivery.desired)
    ]
    documents.save_documents(conn, state.account, asserted, ended.at.steady)
    every = ended.documents.survey_every
    return replace(state, lane=lane, survey_at=None if every is None else ended.at.steady + every)


def _others(
    conn: Transaction, account: AccountName, rows: Sequence[DocumentRow], entries: Sequence[Entry], now: datetime
) -> list[ForeignEntry]:
    """Return the entries that others made and that have not ended.

    One that says what a lost creation said may be ours; one that was known before that is not.
    """
    ours = {row.remote.id for row in rows}
    lost = [content for row in rows for content in row.remote.lost]
    known = {entry.remote_id for entry in foreign_entries(conn, account)}
    return [
        ForeignEntry(entry.remote_id, entry.evse_id, entry.kind, entry.valid_from, entry.valid_to)
        for entry in entries
        if entry.remote_id not in ours
        and not is_over(entry.content, now)
        and (entry.remote_id in known or not any(says_the_same(entry.content, content) for content in lost))
    ]


# --- the rows of a fullLoad -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DocumentRowsTurn:
    """A chunk of a fullLoad's documents to settle."""

    account: AccountName
    epoch: int
    sent: SentDocuments
    names: Sequence[DocumentName]
    answer: Answer
    at: Moment
    options: ReconcileOptions


def settle_document_rows(conn: Transaction, turns: Sequence[DocumentRowsTurn]) -> list[ItemFailed | None]:
    """Settle documents that a fullLoad carried; those that are settled already stay as they are."""
    return [_settle_chunk(conn, turn) for turn in turns]


def _settle_chunk(conn: Transaction, turn: DocumentRowsTurn) -> ItemFailed | None:
    stored = lanes.load_lane(conn, turn.account)
    if stored is None or stored.epoch != turn.epoch:
        return ItemFailed(LaneLost(f"the lane of {turn.account} is owned by another process"))
    found = documents.documents_of(conn, turn.account, turn.names)
    rows = [row for row in found if _carried(row, turn.sent)]
    outcome = turn.answer.outcome
    named = frozenset(outcome.named) if isinstance(outcome, Refused) else frozenset[str]()
    colliding = _colliding(conn, turn.account) if named else frozenset[str]()
    settled = [(row.name, _settled_by_full_load(row, turn, named, colliding), row.remote) for row in rows]
    documents.save_documents(conn, turn.account, settled, turn.at.steady)
    why = "" if isinstance(outcome, Accepted) else outcome.why[:256]
    last = LastAnswer(turn.answer.http, turn.answer.code, why, turn.answer.reference)
    documents.save_document_answer(conn, turn.account, [row.name for row in rows], last)
    return None


def _settled_by_full_load(
    row: DocumentRow, turn: DocumentRowsTurn, named: frozenset[str], colliding: frozenset[str]
) -> Delivery | None:
    name = canonical(EvseId(row.key))
    return settlement.settle_in_full_load(
        row.delivery,
        turn.answer.outcome,
        named=name in named,
        ambiguous=name in colliding,
        sent=turn.sent.values[row.name],
        steady=turn.at.steady,
        reassert_jitter=0.0,
        options=replace(turn.options, reassert_every=None),
    )


def _colliding(conn: Transaction, account: AccountName) -> frozenset[str]:
    rows = documents.load_documents(conn, account, [DocumentKind.EVSE_DATA])
    counted = Counter(canonical(EvseId(row.key)) for row in rows)
    return frozenset(name for name, number in counted.items() if number > 1)
