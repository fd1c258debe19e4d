"""Count the bridge at a glance, and what an account would be sent. Never writes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.core.documents import DocumentKind
from bridge.core.model import AccountName, EvseId
from bridge.store.tables import delivery, document, evse, evse_state, station


@dataclass(frozen=True, slots=True)
class Totals:
    """The inventory, and how many EVSEs have each effective status."""

    stations: int
    evses: int
    effective: dict[str, int]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an account would be sent if it were live now."""

    total: int
    known: int
    """EVSEs whose effective status is known."""
    unknown: int
    """EVSEs that will be told as unknown although their station was heard of."""
    absent: int
    """EVSEs that were never heard of."""
    values: dict[str, int]
    """The hub's word → how many EVSEs."""
    ids: tuple[EvseId, ...]
    """Which EVSEs, ordered."""
    data: int
    """How many of them have data to be sent."""


def totals(conn: sa.Connection) -> Totals:
    """Count stations, EVSEs and effective statuses."""
    stations = conn.execute(sa.select(sa.func.count()).where(station.c.removed_at_w.is_(None))).scalar_one()
    # The word stands in the statement itself: PostgreSQL takes two parameters for two different expressions.
    status = sa.func.coalesce(evse_state.c.status, sa.literal_column("'unknown'"))
    counted = conn.execute(
        sa.select(status, sa.func.count())
        .select_from(evse.outerjoin(evse_state, evse_state.c.evse == evse.c.id))
        .where(evse.c.removed_at_w.is_(None))
        .group_by(status)
    ).all()
    return Totals(stations, sum(row[1] for row in counted), {row[0]: row[1] for row in counted})


def preview(conn: sa.Connection, account: AccountName) -> Preview:
    """Count an account's rows by what they would say."""
    # As above: the number stands in the statement itself.
    heard_of = evse_state.c.seq > sa.literal_column("0")
    rows = conn.execute(
        sa.select(delivery.c.desired, evse_state.c.status, heard_of, sa.func.count())
        .select_from(delivery.outerjoin(evse_state, evse_state.c.evse == delivery.c.evse))
        .where(delivery.c.account == account, delivery.c.tombstone.is_(sa.false()))
        .group_by(delivery.c.desired, evse_state.c.status, heard_of)
    ).all()
    values: dict[str, int] = {}
    known = unknown = absent = 0
    for desired, status, heard, count in rows:
        values[desired] = values.get(desired, 0) + count
        if not heard:
            absent += count
        elif status == "unknown":
            unknown += count
        else:
            known += count
    statement = (
        sa.select(evse.c.evse_id, document.c.key.is_not(None))
        .select_from(
            delivery.join(evse, evse.c.id == delivery.c.evse).outerjoin(
                document,
                (document.c.account == delivery.c.account)
                & (document.c.kind == str(DocumentKind.EVSE_DATA))
                & (document.c.key == evse.c.evse_id)
                & document.c.tombstone.is_(sa.false()),
            )
        )
        .where(delivery.c.account == account, delivery.c.tombstone.is_(sa.false()))
        .order_by(evse.c.evse_id)
    )
    found = conn.execute(statement).all()
    return Preview(
        total=known + unknown + absent,
        known=known,
        unknown=unknown,
        absent=absent,
        values=values,
        ids=tuple(row[0] for row in found),
        data=sum(1 for row in found if row[1]),
    )


def preview_documents(
    conn: sa.Connection, account: AccountName, kinds: Collection[DocumentKind]
) -> dict[DocumentKind, int]:
    """Count for each kind the documents that the account's hub has not acknowledged."""
    statement = (
        sa.select(document.c.kind, sa.func.count())
        .where(document.c.account == account, document.c.acked_seq < document.c.desired_seq)
        .group_by(document.c.kind)
    )
    counted = {row[0]: row[1] for row in conn.execute(statement)}
    return {kind: counted.get(kind.value, 0) for kind in sorted(kinds)}
