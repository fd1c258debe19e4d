"""Remember each request to a hub: what it carried, when, and how it ended; without bodies.

Never decides, and never in a transaction of its own: a request is written by the one that settles it. A request has one
row, however often its settling is repeated. Before it: `lane.journal`. After it: operators; `trimming` forgets the old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bridge.core.model import AccountName
from bridge.store.bulk import Bulk
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


_NOT_COLLECTED = ("id", "lag_ms", "request", "answer")
_COLUMNS = tuple(column.name for column in delivery_log.columns if column.name not in _NOT_COLLECTED)


def _insert(dialect: str) -> sa.Executable:
    insert = sqlite.insert(delivery_log) if dialect == "sqlite" else postgresql.insert(delivery_log).inline()
    return insert.on_conflict_do_nothing(index_elements=["account", "epoch", "number"])


_INSERT = Bulk(_insert, _COLUMNS)


def log_requests(conn: sa.Connection, requests: Sequence[LoggedRequest]) -> None:
    """Write these requests; one that is there already stays as it is."""
    if requests:
        _INSERT.run(conn, [_columns(request) for request in requests])


def _columns(request: LoggedRequest) -> dict[str, Any]:
    return {
        "account": request.account,
        "epoch": request.epoch,
        "number": request.number,
        "kind": request.kind,
        "evse": request.evse,
        "document": request.document,
        "records": request.records,
        "value": request.value,
        "seq": request.seq,
        "sent_at_w": to_micros(request.sent_at),
        "took_ms": request.took_ms,
        "http": request.http,
        "code": request.code[:_TEXT_LIMIT],
        "outcome": request.outcome,
        "why": request.why[:_TEXT_LIMIT],
        "reference": request.reference[:_TEXT_LIMIT],
    }
