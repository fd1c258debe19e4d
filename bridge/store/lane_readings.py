"""Read how each account's lane and its rows stand: backlog, lag, holds, fullLoads. Never writes.

Three statements, whatever the number of rows. Beside it: `readings`, of single EVSEs; `document_readings`, of what
accounts say besides statuses. After it: `web` and `cli`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.core.model import AccountName
from bridge.store.document_readings import DocumentsReading, read_documents
from bridge.store.micros import from_micros, since, to_micros
from bridge.store.tables import delivery, lane


@dataclass(frozen=True, slots=True)
class LaneReading:
    """One account's lane and how its rows stand. Times are steady but for `mode_at` and `full_load_next`."""

    account: AccountName
    mode: str | None
    """What an operator set; None where the configuration decides."""
    mode_by: str
    mode_at: datetime | None
    failures: int
    paused_until: datetime | None
    held: str | None
    held_at: datetime | None
    last_error: str
    last_accepted_at: datetime | None
    full_load_confirmed: bool
    full_load_wanted: str | None
    full_load_attempted_at: datetime | None
    full_load_accepted_at: datetime | None
    full_load_next: datetime | None
    full_load_size: int | None
    rows: int
    dirty: int
    """Rows whose desired value is not acknowledged."""
    refused: int
    in_doubt: int
    lag: timedelta | None
    """Age of the oldest value that is not acknowledged; None where all are."""
    silent: timedelta | None = None
    """How long no status was sent though one was due all the while; None where none is due."""
    documents: DocumentsReading = field(default_factory=DocumentsReading)
    """What it is told besides statuses."""


_dirty = delivery.c.acked_seq != delivery.c.desired_seq


async def read_lanes(conn: AsyncConnection, steady: datetime) -> list[LaneReading]:
    """Return every account that has a lane row, with how its rows stand at `steady`."""
    counts = {row.account: row for row in await conn.execute(_COUNTS, {"steady": to_micros(steady)})}
    documents = await read_documents(conn, steady)
    lanes = await conn.execute(sa.select(lane).order_by(lane.c.account))
    return [
        _lane_reading(row, counts.get(row.account), documents.get(row.account, DocumentsReading()), steady)
        for row in lanes
    ]


_due_since = sa.case((delivery.c.due_at > delivery.c.desired_at, delivery.c.due_at), else_=delivery.c.desired_at)
_waits = delivery.c.due_at <= sa.bindparam("steady")
_COUNTS = sa.select(
    delivery.c.account,
    sa.func.max(delivery.c.attempted_at).label("sent_last"),
    sa.func.min(sa.case((_waits, _due_since))).label("waits_since"),
    sa.func.count().label("rows"),
    sa.func.count(sa.case((_dirty, 1))).label("dirty"),
    sa.func.count(delivery.c.refused).label("refused"),
    sa.func.count(delivery.c.doubt_until).label("in_doubt"),
    sa.func.min(sa.case((_dirty, delivery.c.desired_at))).label("oldest"),
).group_by(delivery.c.account)


def _lane_reading(
    row: sa.Row[Any], counts: sa.Row[Any] | None, documents: DocumentsReading, steady: datetime
) -> LaneReading:
    return LaneReading(
        account=row.account,
        mode=row.mode,
        mode_by=row.mode_by,
        mode_at=from_micros(row.mode_at_w),
        failures=row.failures,
        paused_until=from_micros(row.paused_until),
        held=row.held,
        held_at=from_micros(row.held_at),
        last_error=row.last_error,
        last_accepted_at=from_micros(row.last_accepted_at),
        full_load_confirmed=row.full_load_confirmed,
        full_load_wanted=row.full_load_wanted,
        full_load_attempted_at=from_micros(row.full_load_attempted_at),
        full_load_accepted_at=from_micros(row.full_load_accepted_at),
        full_load_next=from_micros(row.full_load_next_w),
        full_load_size=row.full_load_size,
        rows=0 if counts is None else counts.rows,
        dirty=0 if counts is None else counts.dirty,
        refused=0 if counts is None else counts.refused,
        in_doubt=0 if counts is None else counts.in_doubt,
        lag=None if counts is None or counts.oldest is None else since(counts.oldest, steady),
        silent=_silent(counts, steady),
        documents=documents,
    )


def _silent(counts: sa.Row[Any] | None, steady: datetime) -> timedelta | None:
    if counts is None or counts.waits_since is None:
        return None
    return since(max(counts.waits_since, counts.sent_last or 0), steady)
