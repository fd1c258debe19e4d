"""Read how an account's documents and statuses stand at its hub. Never writes.

Before it: what `documents` and `lanes` wrote. After it: whoever shows an account.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bridge.core.model import AccountName, EvseId
from bridge.store.documents import DocumentRow, load_document_lane, load_documents
from bridge.store.foreign import ForeignEntry, foreign_entries
from bridge.store.tables import delivery, evse, lane

MOST_REFUSED = 100
"""Refused EVSEs that are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class RefusedStatus:
    """An EVSE whose status the hub refuses, and why."""

    evse_id: EvseId
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Standings:
    """Everything that a hub was or is to be told."""

    documents: tuple[DocumentRow, ...]
    statuses: dict[str, int]
    """agreed, new, changed, refused or leaving → how many EVSEs."""
    refused: tuple[RefusedStatus, ...]
    """At most `MOST_REFUSED`, by EVSE id."""
    foreign: tuple[ForeignEntry, ...]
    mode: str | None
    """What an operator set; None where the configuration decides."""
    held: str | None
    documents_held: str | None


_lagging = delivery.c.acked_seq < delivery.c.desired_seq
_is_refused = sa.and_(delivery.c.refused.is_not(None), delivery.c.refused_seq == delivery.c.desired_seq)
_REFUSED = (
    sa.select(evse.c.evse_id, delivery.c.desired, delivery.c.refused)
    .join(evse, evse.c.id == delivery.c.evse)
    .where(_is_refused)
    .order_by(evse.c.evse_id)
    .limit(MOST_REFUSED)
)
_STANDING = sa.case(
    (_is_refused, "refused"),
    (delivery.c.tombstone, "leaving"),
    (sa.not_(_lagging), "agreed"),
    (delivery.c.acked.is_(None), "new"),
    (delivery.c.acked == delivery.c.desired, "again"),
    else_="changed",
)


def read_standings(conn: sa.Connection, account: AccountName) -> Standings:
    """Return how everything of an account stands."""
    counted = sa.select(_STANDING.label("standing"), sa.func.count().label("rows"))
    statuses = conn.execute(counted.where(delivery.c.account == account).group_by(_STANDING))
    own = conn.execute(sa.select(lane.c.mode, lane.c.held).where(lane.c.account == account)).one_or_none()
    return Standings(
        documents=tuple(load_documents(conn, account)),
        statuses={row.standing: row.rows for row in statuses},
        refused=tuple(
            RefusedStatus(EvseId(row.evse_id), row.desired, row.refused)
            for row in conn.execute(_REFUSED.where(delivery.c.account == account))
        ),
        foreign=tuple(foreign_entries(conn, account)),
        mode=None if own is None else own.mode,
        held=None if own is None else own.held,
        documents_held=load_document_lane(conn, account).lane.held,
    )
