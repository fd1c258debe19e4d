"""Read the delivery log as operators ask for it: filtered and page by page, one push with its bodies, throughput.

Never writes. Numbers grow in the order in which pushes were settled, so a span of time is found by halving the numbers
instead of by an index of its own. Before it: what `delivery_log` wrote. After it: `app.delivery_services`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bridge.core.model import AccountName, EvseId
from bridge.store.micros import from_micros, to_micros
from bridge.store.stations import EvseKey
from bridge.store.tables import delivery_log, evse

SLACK = timedelta(hours=1)
"""How far the order of numbers and that of sending may differ: a long request, a clock that was set."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which pushes; None or empty: whichever."""

    account: AccountName | None = None
    evse: EvseKey | None = None
    outcomes: Collection[str] = ()
    kind: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    below: int | None = None
    """With a lower number than this."""
    operators: Collection[str] | None = None
    """Whose EVSEs' statuses alone; None: everything."""


@dataclass(frozen=True, slots=True)
class LogReading:
    """One push. Times are wall time."""

    number: int
    account: str
    kind: str
    evse_id: str | None
    document: str | None
    records: int
    value: str | None
    sent_at: datetime
    took_ms: int | None
    http: int | None
    code: str
    outcome: str
    why: str
    reference: str
    lag_ms: int | None
    request: str | None = None
    answer: str | None = None


_L = delivery_log.c
_SHOWN = (
    _L.id,
    _L.account,
    _L.kind,
    evse.c.evse_id,
    _L.document,
    _L.records,
    _L.value,
    _L.sent_at_w,
    _L.took_ms,
    _L.http,
    _L.code,
    _L.outcome,
    _L.why,
    _L.reference,
    _L.lag_ms,
)
_JOINED = delivery_log.outerjoin(evse, evse.c.id == _L.evse)


def read_log(conn: sa.Connection, which: LogFilter, limit: int) -> list[LogReading]:
    """Return up to `limit` pushes, the newest first, without what was said."""
    statement = sa.select(*_SHOWN).select_from(_JOINED).where(*_conditions(conn, which))
    return [_reading(row) for row in conn.execute(statement.order_by(_L.id.desc()).limit(limit))]


def read_push(conn: sa.Connection, number: int, operators: Collection[str] | None = None) -> LogReading | None:
    """Return one push with what was said, as it is kept; None where these operators have none of this number."""
    statement = sa.select(*_SHOWN, _L.request, _L.answer).select_from(_JOINED).where(_L.id == number, *_of(operators))
    row = conn.execute(statement).one_or_none()
    return None if row is None else _reading(row, (row.request, row.answer))


def find_evses(
    conn: sa.Connection, exact: str, key: str, operators: Collection[str] | None = None
) -> list[tuple[EvseKey, EvseId]]:
    """Return the EVSEs that a spelling may mean, removed ones too: the exact one, or else all of the canonical key."""
    statement = sa.select(evse.c.id, evse.c.evse_id).where(*_of(operators))
    found = conn.execute(statement.where(evse.c.evse_id == exact)).all()
    if not found and key:
        found = conn.execute(statement.where(evse.c.canonical == key).order_by(evse.c.evse_id)).all()
    return [(EvseKey(row[0]), EvseId(row[1])) for row in found]


def _of(operators: Collection[str] | None) -> list[sa.ColumnElement[bool]]:
    return [] if operators is None else [evse.c.operator.in_(sorted(operators))]


def _conditions(conn: sa.Connection, which: LogFilter) -> list[sa.ColumnElement[bool]]:
    conditions = _of(which.operators)
    if which.account is not None:
        conditions.append(_L.account == which.account)
    if which.evse is not None:
        conditions.append(_L.evse == which.evse)
    if which.outcomes:
        conditions.append(_L.outcome.in_(sorted(which.outcomes)))
    if which.kind is not None:
        conditions.append(_L.kind == which.kind)
    if which.since is not None:
        conditions += [_L.sent_at_w >= to_micros(which.since), _L.id >= _first_at(conn, which.since - SLACK)]
    if which.before is not None:
        conditions += [_L.sent_at_w < to_micros(which.before), _L.id < _first_at(conn, which.before + SLACK)]
    if which.below is not None:
        conditions.append(_L.id < which.below)
    return conditions


# Two looks, since SQLite finds the least and the highest by its index only where it is asked for one of them.
_BOUNDS = sa.select(sa.select(sa.func.min(_L.id)).scalar_subquery(), sa.select(sa.func.max(_L.id)).scalar_subquery())
_FROM = sa.select(_L.id, _L.sent_at_w).where(_L.id >= sa.bindparam("number")).order_by(_L.id).limit(1)


def _first_at(conn: sa.Connection, moment: datetime) -> int:
    """Return the lowest number that was sent at this moment or later, as far as numbers follow time."""
    lowest, highest = conn.execute(_BOUNDS).one()
    if lowest is None:
        return 0
    wanted, low, high = to_micros(moment), lowest, highest + 1
    while low < high:
        middle = (low + high) // 2
        row = conn.execute(_FROM, {"number": middle}).one_or_none()
        if row is None or row[1] >= wanted:
            high = middle
        else:
            low = row[0] + 1
    found: int = low
    return found


def _reading(row: Any, said: tuple[str | None, str | None] = (None, None)) -> LogReading:
    return LogReading(
        number=row.id,
        account=row.account,
        kind=row.kind,
        evse_id=row.evse_id,
        document=row.document,
        records=row.records,
        value=row.value,
        sent_at=from_micros(row.sent_at_w),
        took_ms=row.took_ms,
        http=row.http,
        code=row.code,
        outcome=row.outcome,
        why=row.why,
        reference=row.reference,
        lag_ms=row.lag_ms,
        request=said[0],
        answer=said[1],
    )


# --- throughput -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    """How many pushes of one outcome fell into one span with one class of lag and of duration."""

    span: int
    outcome: str
    lag_ms: int | None
    """Upper end of the class; None: no lag."""
    took_ms: int | None
    pushes: int
    records: int
    lag_most_ms: int | None


def count_pushes(
    conn: sa.Connection, account: AccountName, since: datetime, until: datetime, spans: int
) -> list[Counted]:
    """Count an account's pushes from `since` to before `until`, in `spans` spans of equal length.

    Lags and durations are counted by classes that are about a tenth as wide as their values, so that a span gives as
    many rows as there were different ones, however many pushes there were.
    """
    start, width = to_micros(since), max(to_micros(until) - to_micros(since), spans)
    span = ((_L.sent_at_w - start) * spans // width).label("span")
    lag, took = _class(_L.lag_ms).label("lag"), _class(_L.took_ms).label("took")
    statement = (
        sa.select(span, _L.outcome, lag, took, sa.func.count(), sa.func.sum(_L.records), sa.func.max(_L.lag_ms))
        .where(*_conditions(conn, LogFilter(account=account, since=since, before=until)))
        .group_by(span, _L.outcome, lag, took)
    )
    return [Counted(row[0], row[1], row[2], row[3], row[4], row[5] or 0, row[6]) for row in conn.execute(statement)]


_WIDTHS = ((100, 10), (1_000, 50), (10_000, 500), (100_000, 5_000), (1_000_000, 50_000), (10_000_000, 500_000))


def _class(millis: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the upper end of the class that a number of milliseconds is in."""
    whens = [(millis < below, (millis // width + 1) * width) for below, width in _WIDTHS]
    return sa.case((millis.is_(None), None), *whens, else_=(millis // 3_600_000 + 1) * 3_600_000)
