"""Read how what accounts say besides statuses stands: counts, holds, errors. Never writes.

Before it: `documents`, whose rows it counts. After it: `readings`, which shows them beside each account's lane.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.store.micros import from_micros, to_micros
from bridge.store.tables import document, document_lane


@dataclass(frozen=True, slots=True)
class DocumentsReading:
    """How what an account says besides statuses stands. Times are steady."""

    failures: int = 0
    """Answers in a row that made it wait."""
    paused_until: datetime | None = None
    held: str | None = None
    last_error: str = ""
    last_accepted_at: datetime | None = None
    dirty: int = 0
    refused: int = 0
    in_doubt: int = 0
    lag: timedelta | None = None
    """Age of the oldest one that is not acknowledged; None where all are."""
    full_load_wanted: str | None = None
    full_load_attempted_at: datetime | None = None
    full_load_accepted_at: datetime | None = None
    full_load_next: datetime | None = None
    """Wall time."""
    full_load_size: int | None = None


async def read_documents(conn: AsyncConnection, steady: datetime) -> dict[str, DocumentsReading]:
    """Return, for every account that has any, how what it says besides statuses stands at `steady`."""
    lanes = {row.account: row for row in await conn.execute(sa.select(document_lane))}
    counts = {row.account: row for row in await conn.execute(_COUNTS)}
    return {account: _reading(lanes.get(account), counts.get(account), steady) for account in {*lanes, *counts}}


def _reading(row: sa.Row[Any] | None, counts: sa.Row[Any] | None, steady: datetime) -> DocumentsReading:
    return DocumentsReading(
        failures=0 if row is None else row.failures,
        paused_until=None if row is None else from_micros(row.paused_until),
        held=None if row is None else row.held,
        last_error="" if row is None else row.last_error,
        last_accepted_at=None if row is None else from_micros(row.last_accepted_at),
        dirty=0 if counts is None else counts.dirty,
        refused=0 if counts is None else counts.refused,
        in_doubt=0 if counts is None else counts.in_doubt,
        lag=None
        if counts is None or counts.oldest is None
        else max(timedelta(), timedelta(microseconds=to_micros(steady) - counts.oldest)),
        full_load_wanted=None if row is None else row.full_load_wanted,
        full_load_attempted_at=None if row is None else from_micros(row.full_load_attempted_at),
        full_load_accepted_at=None if row is None else from_micros(row.full_load_accepted_at),
        full_load_next=None if row is None else from_micros(row.full_load_next_w),
        full_load_size=None if row is None else row.full_load_size,
    )


_dirty = document.c.acked_seq != document.c.desired_seq
_COUNTS = sa.select(
    document.c.account,
    sa.func.count(sa.case((_dirty, 1))).label("dirty"),
    sa.func.count(document.c.refused).label("refused"),
    sa.func.count(document.c.doubt_until).label("in_doubt"),
    sa.func.min(sa.case((_dirty, document.c.desired_at))).label("oldest"),
).group_by(document.c.account)
