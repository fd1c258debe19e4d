"""Choose which document an account sends next, and take them over at start; inside the writer's transaction.

Documents go before statuses: a hub refuses the status of an EVSE whose data it does not have. Never sends. Before it:
`bridge.documents` made rows due. After it: `shell`. Twin: `turns`, which chooses statuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from msgspec import structs

from bridge.core import documents as core
from bridge.core import full_load, reconcile, settlement
from bridge.core.documents import DocumentKind
from bridge.core.full_load import Census, Gate, Go, Guarded, Singles
from bridge.core.model import AccountName, Moment
from bridge.lane.model import (
    DocumentOptions,
    DocumentTodo,
    LaneOptions,
    SendAllDocuments,
    SendDocument,
    SentDocuments,
    SentSurvey,
    Survey,
)
from bridge.store import documents
from bridge.store.documents import DocumentRow, StoredDocumentLane
from bridge.store.foreign import foreign_entries
from bridge.store.lanes import StoredLane
from bridge.store.transaction import Transaction
from bridge.upstreams.port import Document

_PASSED_OVER_A_TURN = 100
"""Documents whose time has passed that one turn puts aside, so that stations wait for none of it."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a turn knows when it looks for a document."""

    options: LaneOptions
    documents: DocumentOptions
    at: Moment
    not_before: datetime | None
    """The documents' own pace allows none before this (steady)."""
    census: Census | None
    """The last count of data rows, where it is young enough; None: count."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a look found."""

    todo: DocumentTodo | None = None
    until: datetime | None = None
    """Look again then (steady)."""
    busy: bool = False
    """Documents are to be sent first: the account's fullLoad of statuses waits for them, its single pushes do not."""
    guarded: str | None = None
    census: Census | None = None


def choose(conn: Transaction, stored: StoredLane, look: Look) -> Chosen:
    """Return the document to send now, marked as in flight; or when to look again."""
    state = documents.load_document_lane(conn, stored.account)
    ready = reconcile.lane_ready_at(state.lane, look.options.reconcile)
    if ready is not None and ready > look.at.steady:
        return Chosen(until=ready, busy=_repeats_soon(state, look))
    chosen = _choose_data_load(conn, stored, state, look)
    if chosen.todo is not None or chosen.busy:
        return chosen
    single = _choose_single(conn, stored, state, look)
    return replace(single, until=_earliest(single.until, chosen.until), guarded=chosen.guarded, census=chosen.census)


def _repeats_soon(state: StoredDocumentLane, look: Look) -> bool:
    """Tell whether a fullLoad of data that failed still goes before the one of statuses: for `gate`, no longer."""
    since = state.full_load.gate_since
    return since is not None and look.at.steady < since + look.documents.full_load.gate


def _choose_single(conn: Transaction, stored: StoredLane, state: StoredDocumentLane, look: Look) -> Chosen:
    account, steady = stored.account, look.at.steady
    for _ in range(_PASSED_OVER_A_TURN):
        row = documents.next_document(conn, account, steady)
        if row is None or not _passed_over(conn, account, row, look):
            break
    else:
        return Chosen(until=steady)
    if row is not None and look.not_before is not None and look.not_before > steady:
        return Chosen(until=look.not_before, busy=True)
    if row is not None:
        sent = _mark(conn, [row], look, full=False)
        document = replace(_document(row, stored, look), foreign=_foreign(conn, account, row))
        return Chosen(SendDocument(document, sent), busy=True)
    if state.survey_at is not None and look.documents.survey_every is not None and state.survey_at <= steady:
        return Chosen(Survey(SentSurvey(steady)))
    return Chosen(until=_earliest(documents.next_document_at(conn, account), state.survey_at))


def _passed_over(conn: Transaction, account: AccountName, row: DocumentRow, look: Look) -> bool:
    """Tell whether the row is not to be sent as it is, and store what becomes of it."""
    after = core.pass_over(row.kind, row.delivery, row.remote, look.at)
    if after is row.delivery:
        return False
    documents.save_documents(conn, account, [(row.name, after, row.remote)], look.at.steady)
    return True


def _choose_data_load(conn: Transaction, stored: StoredLane, state: StoredDocumentLane, look: Look) -> Chosen:
    """Decide about a fullLoad of data as `turns` does about one of statuses; without data there is none."""
    if look.documents.full_load.policy is full_load.FullLoadPolicy.NEVER:
        return Chosen()
    steady, options = look.at.steady, look.documents.full_load
    confirmed = structs.replace(state.full_load, confirmed=stored.full_load.confirmed)
    planned = full_load.schedule(confirmed, look.at, options)
    census = look.census
    if census is None or not census.total:  # as for statuses, a count of nothing is repeated
        census = documents.census_of(conn, stored.account, DocumentKind.EVSE_DATA, steady)
    if census.total == 0:
        return Chosen(census=census)
    if planned != confirmed:
        documents.save_document_lane(conn, replace(state, full_load=planned))
    decision = full_load.decide(planned, census, at=look.at, lane_opened_at=steady, options=options)
    match decision:
        case Go(why):
            return _begin_data_load(conn, stored, replace(state, full_load=planned), look, why)
        case Gate(until):
            return Chosen(until=until, busy=True, census=census)
        case Guarded(why):
            return Chosen(guarded=why, census=census)
        case Singles(until_steady=until):
            return Chosen(until=until, census=census)


def _begin_data_load(conn: Transaction, stored: StoredLane, state: StoredDocumentLane, look: Look, why: str) -> Chosen:
    """Build the full set now, at the moment it is sent, and mark in flight what of it is to be acknowledged.

    A row whose change the hub refuses goes along as the hub has it: left out, the EVSE would be withdrawn. One of which
    the hub has nothing stays out. Where that leaves nothing, none is sent.
    """
    loaded = documents.load_documents(conn, stored.account, [DocumentKind.EVSE_DATA])
    rows = [row for row in loaded if not reconcile.left_out_of_full_load(row.delivery)]
    kept = [row for row in loaded if row not in rows and row.delivery.acked]
    if len(rows) < len(loaded) and not kept and all(row.delivery.tombstone for row in rows):
        return Chosen(guarded="the hub refuses the data of every EVSE: a fullLoad without them would withdraw all")
    marked = _mark(conn, rows, look, full=True)
    sent = replace(marked, records=marked.records + len(kept))
    begun = full_load.begin(state.full_load, look.at)
    documents.save_document_lane(conn, replace(state, full_load=begun))
    bodies = (
        *(_document(row, stored, look) for row in rows if not row.delivery.tombstone),
        *(replace(_document(row, stored, look), content=row.delivery.acked or "") for row in kept),
    )
    return Chosen(SendAllDocuments(bodies, sent, why), busy=True)


def _mark(conn: Transaction, rows: Sequence[DocumentRow], look: Look, *, full: bool) -> SentDocuments:
    steady = look.at.steady
    started = [(row.name, *core.start(row.kind, row.delivery, row.remote, steady)) for row in rows]
    documents.save_documents(conn, look.options.account, started, steady)
    records = sum(not row.delivery.tombstone for row in rows)
    values = {row.name: row.delivery.desired for row in rows}
    seq = 0 if full else rows[0].delivery.desired_seq
    return SentDocuments(values, steady, full=full, records=records, seq=seq)


def _document(row: DocumentRow, stored: StoredLane, look: Look) -> Document:
    known = row.delivery.known
    if known is None and not full_load.allowed(stored.full_load, look.documents.full_load):
        known = False  # as for a status: without a fullLoad the first contact is an insert
    return Document(
        kind=row.kind,
        key=row.key,
        content=row.delivery.desired,
        acked=row.delivery.acked,
        known=known,
        remote=row.remote,
    )


def _foreign(conn: Transaction, account: AccountName, row: DocumentRow) -> frozenset[str]:
    if not row.remote.lost:
        return frozenset()
    ours = {other.remote.id for other in documents.load_documents(conn, account, [row.kind]) if other.remote.id}
    return frozenset(ours | {entry.remote_id for entry in foreign_entries(conn, account)}) - {row.remote.id}


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


# --- at start, and after a lost result ------------------------------------------------------------------------------


def recover(conn: Transaction, options: LaneOptions, at: Moment) -> None:
    """Take the account's documents over: what was in flight is in doubt, and stored times are clamped."""
    if options.documents is None:
        return
    account, steady = options.account, at.steady
    asserted = replace(options.reconcile, reassert_every=None)
    found = [*documents.future_documents(conn, account, steady), *documents.documents_in_flight(conn, account)]
    rows = {row.name: row for row in found}
    recovered = [(row.name, settlement.recover(row.delivery, steady, asserted), row.remote) for row in rows.values()]
    documents.save_documents(conn, account, recovered, steady)
    state = documents.load_document_lane(conn, account)
    full = full_load.recover(state.full_load, at, options.documents.full_load)
    lane = settlement.recover_lane(state.lane, steady, options.reconcile)
    survey_at = steady if options.documents.survey_every is not None else None
    documents.save_document_lane(conn, replace(state, lane=lane, full_load=full, survey_at=survey_at))


def reclaim(conn: Transaction, options: LaneOptions, at: Moment) -> None:
    """Free what a transaction marked that was committed although its result never arrived."""
    if options.documents is None:
        return
    account = options.account
    rows = [
        (row.name, reconcile.unsent(row.delivery), row.remote) for row in documents.documents_in_flight(conn, account)
    ]
    documents.save_documents(conn, account, rows, at.steady)
    state = documents.load_document_lane(conn, account)
    documents.save_document_lane(conn, replace(state, full_load=structs.replace(state.full_load, in_flight=False)))
