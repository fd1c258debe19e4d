"""Read the temporary statuses that are to be mirrored to an account.

Never writes. Before it: the inventory, which marks EVSEs, and `temporary`, which stores what operators want. After it:
`bridge.documents.temporary`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bridge.core.model import EvseId, TemporaryKind
from bridge.store.micros import from_micros
from bridge.store.stations import EvseKey
from bridge.store.tables import evse, temporary_status


@dataclass(frozen=True, slots=True)
class MirroredTemporary:
    """One temporary status of a marked EVSE; wall-clock times."""

    number: int
    evse_id: EvseId
    kind: TemporaryKind
    valid_from: datetime
    valid_to: datetime | None


def mirrored_temporaries(conn: sa.Connection, operators: Collection[str]) -> list[MirroredTemporary]:
    """Return what is neither deleted nor over for good, of the operators' EVSEs that are marked as Spirii's too."""
    statement = (
        sa.select(
            temporary_status.c.id,
            evse.c.evse_id,
            temporary_status.c.kind,
            temporary_status.c.valid_from_w,
            temporary_status.c.valid_to_w,
        )
        .join(evse, evse.c.id == temporary_status.c.evse)
        .where(
            evse.c.spirii.is_(True),
            evse.c.removed_at_w.is_(None),
            evse.c.operator.in_(sorted(operators)),
            temporary_status.c.removed_at_w.is_(None),
            temporary_status.c.over.is_(False),
        )
        .order_by(temporary_status.c.id)
    )
    return [
        MirroredTemporary(row[0], row[1], TemporaryKind(row[2]), from_micros(row[3]), from_micros(row[4]))
        for row in conn.execute(statement)
    ]


def marked(conn: sa.Connection, keys: Iterable[EvseKey]) -> set[EvseKey]:
    """Return those of these EVSEs that are marked as Spirii's too."""
    statement = sa.select(evse.c.id).where(evse.c.id.in_(list(keys)), evse.c.spirii.is_(True))
    return set(conn.execute(statement).scalars())
