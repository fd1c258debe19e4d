"""Remember each request to a hub: what it carried, when, how it ended, and what was said.

Never decides, and never in a transaction of its own: a request is written by the one that settles it. A request has one
row, however often its settling is repeated. Before it: `lane.journal`. After it: operators; `trimming` forgets the old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bridge.core.model import AccountName
from bridge.store.bulk import Bulk, Row
from bridge.store.micros import to_micros
from bridge.store.stations import EvseKey
from bridge.store.tables import delivery_log

_TEXT_LIMIT = 256


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request and its end."""

    account: AccountName
    epoch: int
    number: int
    """Names it within its account and epoch."""
    kind: str
    sent_at: datetime
    """Wall time."""
    outcome: str
    """accepted, deferred, refused, wrong_action, held or in_doubt."""
    why: str
    evse: EvseKey | None = None
    document: str | None = None
    records: int = 1
    value: str | None = None
    seq: int | None = None
    took_ms: int | None = None
    """None: nobody saw an answer."""
    http: int | None = None
    code: str = ""
    reference: str = ""
    lag_ms: int | None = None
    """How long the hub had not had the value when it accepted it; None: it had it, or it has not accepted it."""
    request: str | None = None
    """What was sent, masked and cut: JSON, as `upstreams.said` writes it; None: nothing was, or nobody knows what."""
    answer: str | None = None
    """What came back, likewise."""


_COLUMNS = tuple(column.name for column in delivery_log.columns if column.name != "id")


def _insert(dialect: str) -> sa.Insert:
    insert = sqlite.insert(delivery_log) if dialect == "sqlite" else postgresql.insert(delivery_log).inline()
    return insert.on_conflict_do_nothing(index_elements=["account", "epoch", "number"])


_INSERT = Bulk(_insert, _COLUMNS)


def log_requests(conn: sa.Connection, requests: Sequence[LoggedRequest]) -> None:
    """Write these requests; one that is there already stays as it is."""
    _INSERT.run(conn, [_row(request) for request in requests])


def _row(request: LoggedRequest) -> Row:
    return (
        request.account,
        request.epoch,
        request.number,
        request.kind,
        request.evse,
        request.document,
        request.records,
        request.value,
        request.seq,
        to_micros(request.sent_at),
        request.took_ms,
        request.http,
        request.code[:_TEXT_LIMIT],
        request.outcome,
        request.why[:_TEXT_LIMIT],
        request.reference[:_TEXT_LIMIT],
        request.lag_ms,
        request.request,
        request.answer,
    )
