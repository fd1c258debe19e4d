"""Read what explains one EVSE beside what decides it: how requests about it ended, and whether its data is on its way.

Never writes. Before it: `app.explanations`, in one read block with `stations.read_stations`. Beside it: `delivery_log`,
which wrote the requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bridge.core.documents import DocumentKind
from bridge.core.model import AccountName, EvseId
from bridge.store.micros import from_micros
from bridge.store.stations import EvseKey
from bridge.store.tables import delivery_log, document, evse_state


@dataclass(frozen=True, slots=True)
class AttemptReading:
    """One request about one EVSE's status, and its end. `sent_at` is wall time."""

    id: int
    sent_at: datetime
    value: str | None
    outcome: str
    """accepted, deferred, refused, wrong_action, held or in_doubt."""
    http: int | None
    code: str
    why: str
    reference: str
    took_ms: int | None


def last_attempts(conn: sa.Connection, key: EvseKey, account: AccountName, limit: int) -> list[AttemptReading]:
    """Return the newest requests about the EVSE alone, the newest first."""
    log = delivery_log.c
    statement = (
        sa.select(
            log.id, log.sent_at_w, log.value, log.outcome, log.http, log.code, log.why, log.reference, log.took_ms
        )
        .where(log.evse == key, log.account == account)
        .order_by(log.id.desc())
        .limit(limit)
    )
    return [
        AttemptReading(
            id=row.id,
            sent_at=from_micros(row.sent_at_w),
            value=row.value,
            outcome=row.outcome,
            http=row.http,
            code=row.code,
            why=row.why,
            reference=row.reference,
            took_ms=row.took_ms,
        )
        for row in conn.execute(statement)
    ]


def data_on_its_way(conn: sa.Connection, account: AccountName, evse_id: EvseId) -> bool:
    """Say whether the hub has yet to get the EVSE's data."""
    statement = sa.select(document.c.key).where(
        document.c.account == account,
        document.c.kind == DocumentKind.EVSE_DATA.value,
        document.c.key == evse_id,
        document.c.acked_seq < document.c.desired_seq,
    )
    return conn.execute(statement).first() is not None


def changed_at(conn: sa.Connection, key: EvseKey) -> datetime | None:
    """Return when (wall) the EVSE's status changed last; None before its first fact."""
    return from_micros(conn.execute(sa.select(evse_state.c.changed_at_w).where(evse_state.c.evse == key)).scalar())
