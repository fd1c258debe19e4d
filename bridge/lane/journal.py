"""Say of each request what it carried and how it ended, for the delivery log; inside the writer's transaction.

Never decides what an answer does to a row. A request that nobody settled, since its process died, is noted as in doubt
by the next owner of its lane. Before it: `turns`. After it: `store.delivery_log`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from bridge.core.model import Accepted, Deferred, Held, Moment, Outcome, Refused, WrongAction
from bridge.lane.model import Sent, SentDocuments, SentSurvey, Settling
from bridge.store import deliveries, documents
from bridge.store.delivery_log import LoggedRequest, log_requests
from bridge.store.lanes import StoredLane
from bridge.store.transaction import Transaction
from bridge.upstreams.said import answers_json, requests_json

STATUS, FULL_LOAD, DATA_FULL_LOAD, SURVEY = "status", "full_load", "data_full_load", "survey"
"""Kinds of requests; one with one document has the document's kind."""

UNANSWERED = "the bridge ended before the answer"


def log_settled(conn: Transaction, stored: StoredLane, settling: Settling, at: Moment) -> None:
    """Note a request that is being settled; when it was sent, by how long it took."""
    sent, answer = settling.sent, settling.answer
    kind, one = _what(sent)
    evse = next(iter(sent.values)) if isinstance(sent, Sent) and one else None
    outcome = answer.outcome
    request = LoggedRequest(
        account=stored.account,
        epoch=stored.epoch,
        number=settling.number,
        kind=kind,
        sent_at=at.now - timedelta(milliseconds=answer.millis),
        outcome=outcome_name(outcome),
        why="" if isinstance(outcome, Accepted) else outcome.why,
        evse=evse,
        document=next(iter(sent.values))[1] if isinstance(sent, SentDocuments) and one else None,
        records=0 if isinstance(sent, SentSurvey) else sent.records,
        value=sent.values[evse] if isinstance(sent, Sent) and evse is not None else None,
        seq=None if isinstance(sent, SentSurvey) or not one else sent.seq,
        took_ms=answer.millis,
        http=answer.http,
        code=answer.code,
        reference=answer.reference,
        lag_ms=_lag_ms(sent, at) if isinstance(outcome, Accepted) else None,
        request=requests_json(answer.said),
        answer=answers_json(answer.said),
    )
    log_requests(conn, [request])


def kind_of(sent: Sent | SentDocuments | SentSurvey) -> str:
    """Return what the delivery log calls a request's kind."""
    return _what(sent)[0]


def _lag_ms(sent: Sent | SentDocuments | SentSurvey, at: Moment) -> int | None:
    """Return how long the hub had not had what it has now accepted, of several the longest; None: it had it all."""
    if not isinstance(sent, Sent) or not sent.since:
        return None
    return max(0, (at.steady - min(sent.since)) // timedelta(milliseconds=1))


def _what(sent: Sent | SentDocuments | SentSurvey) -> tuple[str, bool]:
    """Return the kind of a request, and whether it carried one row alone."""
    match sent:
        case Sent(full=True):
            return FULL_LOAD, False
        case Sent():
            return STATUS, True
        case SentDocuments(full=True):
            return DATA_FULL_LOAD, False
        case SentDocuments(values=values):
            return next(iter(values))[0].value, True
        case SentSurvey():
            return SURVEY, False
        case _:
            assert_never(sent)


def outcome_name(outcome: Outcome) -> str:
    """Return what the delivery log calls an outcome."""
    match outcome:
        case Accepted():
            return "accepted"
        case Deferred(in_doubt=True):
            return "in_doubt"
        case Deferred():
            return "deferred"
        case Refused():
            return "refused"
        case WrongAction():
            return "wrong_action"
        case Held():
            return "held"
        case _:
            assert_never(outcome)


# --- what a process that died left behind ---------------------------------------------------------------------------


def log_unanswered(conn: Transaction, stored: StoredLane, at: Moment) -> None:
    """Note what is in flight with an account that has just been taken over, and will never be settled."""
    lost = [*_statuses(conn, stored, at), *_documents(conn, stored, at)]
    log_requests(conn, [replace(request, number=-number) for number, request in enumerate(lost, start=1)])


def _statuses(conn: Transaction, stored: StoredLane, at: Moment) -> list[LoggedRequest]:
    rows = deliveries.in_flight(conn, stored.account)
    if stored.full_load.in_flight:
        return [replace(_unanswered(stored, stored.full_load.attempted_at, at, FULL_LOAD), records=len(rows))]
    return [
        replace(
            _unanswered(stored, row.delivery.attempted_at, at, STATUS),
            evse=row.key,
            value=row.delivery.desired if row.delivery.in_flight_seq == row.delivery.desired_seq else None,
            seq=row.delivery.in_flight_seq,
        )
        for row in rows
    ]


def _documents(conn: Transaction, stored: StoredLane, at: Moment) -> list[LoggedRequest]:
    rows = documents.documents_in_flight(conn, stored.account)
    state = documents.load_document_lane(conn, stored.account).full_load
    if state.in_flight:
        return [replace(_unanswered(stored, state.attempted_at, at, DATA_FULL_LOAD), records=len(rows))]
    return [
        replace(
            _unanswered(stored, row.delivery.attempted_at, at, row.kind.value),
            document=row.key,
            seq=row.delivery.in_flight_seq,
        )
        for row in rows
    ]


def _unanswered(stored: StoredLane, marked_at: datetime | None, at: Moment, kind: str) -> LoggedRequest:
    marked = marked_at or at.steady
    return LoggedRequest(
        account=stored.account,
        epoch=stored.epoch,
        number=0,
        kind=kind,
        sent_at=at.now - max(at.steady - marked, timedelta(0)),
        outcome="in_doubt",
        why=UNANSWERED,
    )
