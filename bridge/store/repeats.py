"""Keep which orders carried an Idempotency-Key, and what they were answered, so that none is carried out twice.

Every handler is an item of the one writer: of two orders with one key at the same time, one is new. Never decides what
an order is: `core.repeats` does. Before it: `app.repeats`. Trimmed by `bridge.retention`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bridge.core.repeats import KEPT, MOST_OF_ONE, Found, KeptOrder, New, decide
from bridge.store.micros import from_micros, to_micros
from bridge.store.tables import idempotent_answer as kept

INTERRUPTED = 500
"""Status of an order whose outcome nobody knows: the process ended while it was carried out."""


@dataclass(frozen=True, slots=True)
class OrderName:
    """What tells an order from others: whose it is, and its key."""

    principal: str
    key: str


@dataclass(frozen=True, slots=True)
class Beginning:
    """An order that came in."""

    name: OrderName
    fingerprint: str
    now: datetime
    """Wall time."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order ended; status None: nothing was done, and its key is as new."""

    name: OrderName
    status: int | None
    answer: str | None


def begin_orders(conn: sa.Connection, orders: Sequence[Beginning]) -> list[Found]:
    """Return what each order is, and note the new ones as in work."""
    return [_begin(conn, order) for order in orders]


def end_orders(conn: sa.Connection, orders: Sequence[Ending]) -> list[None]:
    """Note how orders ended."""
    for order in orders:
        if order.status is None:
            conn.execute(sa.delete(kept).where(*_named(order.name)))
        else:
            values = {"status": order.status, "body": order.answer}
            conn.execute(sa.update(kept).where(*_named(order.name)).values(values))
    return [None] * len(orders)


def interrupt_orders(conn: sa.Connection, starts: Sequence[None]) -> list[int]:
    """Note at a start that orders which were in work will never be answered; return how many."""
    in_work = sa.update(kept).where(kept.c.status.is_(None)).values(status=INTERRUPTED)
    return [conn.execute(in_work).rowcount for _ in starts]


def trim_orders(conn: sa.Connection, turns: Sequence[tuple[datetime, int]]) -> list[int]:
    """Delete at most so many orders that are no longer kept at this wall time; return how many."""
    return [_trim(conn, now, limit) for now, limit in turns]


def _begin(conn: sa.Connection, order: Beginning) -> Found:
    row = conn.execute(sa.select(kept).where(*_named(order.name))).first()
    before = None if row is None else KeptOrder(row.fingerprint, from_micros(row.at_w), row.status, row.body)
    found = decide(before, order.fingerprint, order.now)
    if isinstance(found, New):
        conn.execute(sa.delete(kept).where(*_named(order.name)))
        _make_room(conn, order.name.principal)
        conn.execute(
            sa.insert(kept).values(
                key=order.name.key,
                principal=order.name.principal,
                fingerprint=order.fingerprint,
                at_w=to_micros(order.now),
            )
        )
    return found


def _make_room(conn: sa.Connection, principal: str) -> None:
    own = kept.c.principal == principal
    surplus = conn.execute(sa.select(sa.func.count()).select_from(kept).where(own)).scalar_one() - MOST_OF_ONE + 1
    if surplus > 0:
        oldest = sa.select(kept.c.key).where(own, kept.c.status.is_not(None)).order_by(kept.c.at_w).limit(surplus)
        conn.execute(sa.delete(kept).where(own, kept.c.key.in_(oldest)))


def _trim(conn: sa.Connection, now: datetime, limit: int) -> int:
    old = sa.select(kept.c.principal, kept.c.key).where(kept.c.at_w <= to_micros(now - KEPT)).limit(limit)
    names = [OrderName(row.principal, row.key) for row in conn.execute(old)]
    for name in names:
        conn.execute(sa.delete(kept).where(*_named(name)))
    return len(names)


def _named(name: OrderName) -> tuple[sa.ColumnElement[bool], ...]:
    return kept.c.principal == name.principal, kept.c.key == name.key
