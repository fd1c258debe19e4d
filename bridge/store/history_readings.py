"""Read what EVSEs were: one's changes, and how many changed from what to what.

Never writes. Rows are found by their numbers, which grow with time, and an EVSE's by walking back from one to the one
before (`history_chain`): an index would be written on the way of every status. Before it: `app.history`. Beside it:
`trimming`, which forgets the old, but of each EVSE never its last change before what it keeps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.core.timeline import Change, Moved
from bridge.store.history_chain import MARK_EVERY, last_before, newest_row, row_behind, rows_back
from bridge.store.micros import from_micros, to_micros
from bridge.store.stations import EvseKey
from bridge.store.tables import evse, history

_H = history.c


def changes_of(
    conn: sa.Connection, key: EvseKey, since: datetime, until: datetime, after: int | None, limit: int
) -> list[tuple[int, Change]]:
    """Return (number, change) of an EVSE in the order of their numbers, `limit` + 1 at most.

    Without `after` the last change before `since` comes first: what the EVSE was as the range began. With it, those
    behind that number.
    """
    begin, end = to_micros(since), to_micros(until)
    known = max(_first_number(conn, begin) - 1, after or 0)
    found: list[Sequence[Any]] = []
    begun = after is not None
    while True:
        wanted = limit + 1 - len(found)
        behind: list[Sequence[Any]] = []
        for row in rows_back(conn, row_behind(conn, key, known, wanted // MARK_EVERY), wanted + MARK_EVERY):
            if row[0] <= known:
                found += () if begun else (row,)
                break
            behind.append(row)
        begun = True
        found += [row for row in reversed(behind) if begin <= row[1] < end]
        if not behind or len(found) > limit or behind[0][1] >= end:
            return [_change(row) for row in found[: limit + 1]]
        known = behind[0][0]


def newest_of(
    conn: sa.Connection, key: EvseKey, since: datetime, until: datetime, limit: int
) -> list[tuple[int, Change]]:
    """Return the last (number, change) of an EVSE in the order of their numbers, `limit` + 1 at most.

    The last change before `since` comes first, where there is room for it.
    """
    begin, end = to_micros(since), to_micros(until)
    found: list[Sequence[Any]] = []
    for row in _back_from(conn, key, end, limit + 1 + MARK_EVERY):
        if row[1] < end:
            found.append(row)
        if row[1] < begin or len(found) > limit:
            break
    return [_change(row) for row in reversed(found)]


def _back_from(conn: sa.Connection, key: EvseKey, end: int, together: int) -> Iterator[Sequence[Any]]:
    """Yield an EVSE's rows back from the end of a range, which is at its newest one where that was before (µs)."""
    newest = newest_row(conn, key)
    if newest is None or newest[1] < end:
        return rows_back(conn, None if newest is None else newest[0], together)
    return rows_back(conn, row_behind(conn, key, _first_number(conn, end) - 1), together)


def _change(row: Sequence[Any]) -> tuple[int, Change]:
    number: int = row[0]
    return number, Change(from_micros(row[1]), row[2], row[3], row[4])


def moves(
    conn: sa.Connection, since: datetime, until: datetime, buckets: int, operators: Collection[str] | None
) -> list[Moved]:
    """Return how many EVSEs of the inventory changed from what to what, in buckets of equal length.

    Bucket -1 has what each was as the range began. One statement, whatever the number of EVSEs; `operators` None:
    everybody's.
    """
    first, behind = _first_number(conn, to_micros(since)), _first_number(conn, to_micros(until))
    start, width = to_micros(since), max(to_micros(until) - to_micros(since), buckets)
    number = (_H.at_w - start) * buckets // width
    bucket = sa.case((number < 0, 0), (number >= buckets, buckets - 1), else_=number)
    there: sa.ColumnElement[bool] = evse.c.removed_at_w.is_(None)
    if operators is not None:
        there = sa.and_(there, evse.c.operator.in_(operators))
    last = last_before(first)
    begun = (
        sa.select(_H.evse, _H.id, _H.status, sa.literal(-1).label("bucket"))
        .select_from(last.join(history, _H.id == last.c.id).join(evse, evse.c.id == last.c.evse))
        .where(there)
    )
    inside = (
        sa.select(_H.evse, _H.id, _H.status, bucket.label("bucket"))
        .select_from(history.join(evse, evse.c.id == _H.evse))
        .where(_H.id >= first, _H.id < behind, there)
    )
    told = sa.union_all(begun, inside).subquery("told")
    before = sa.func.lag(told.c.status).over(partition_by=told.c.evse, order_by=told.c.id).label("before")
    each = sa.select(told.c.bucket, told.c.status, before).subquery("each")
    statement = sa.select(each.c.bucket, each.c.status, each.c.before, sa.func.count()).group_by(
        each.c.bucket, each.c.status, each.c.before
    )
    return [Moved(row[0], row[1], row[2], row[3]) for row in conn.execute(statement)]


def _first_number(conn: sa.Connection, at: int) -> int:
    """Return the number of the first change at or after a moment (µs), by halving: numbers grow with time."""
    low, high = 1, (conn.execute(sa.select(sa.func.max(_H.id))).scalar() or 0) + 1
    step = sa.select(_H.id, _H.at_w).where(_H.id >= sa.bindparam("middle")).order_by(_H.id).limit(1)
    while low < high:
        middle = (low + high) // 2
        row = conn.execute(step, {"middle": middle}).first()
        if row is None or row.at_w >= at:
            high = middle
        else:
            low = row.id + 1
    return low
