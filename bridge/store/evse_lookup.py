"""Find the EVSE that somebody means. Never decides between several: `core.temporary.find_evse` does.

Before it: whoever was given an id by a person. After it: readings by the EVSE's key.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bridge.core.model import EvseId
from bridge.store.stations import EvseKey
from bridge.store.tables import evse
from csms.events import StationId


@dataclass(frozen=True, slots=True)
class FoundEvse:
    """One EVSE of the inventory."""

    key: EvseKey
    evse_id: EvseId
    station: StationId
    operator: str


_FOUND = sa.select(evse.c.id, evse.c.evse_id, evse.c.station, evse.c.operator).where(evse.c.removed_at_w.is_(None))


def evses_called(connection_: sa.Connection, canonical: str) -> dict[EvseId, FoundEvse]:
    """Return the inventory's EVSEs with this canonical id; more than one where ids collide."""
    rows = connection_.execute(_FOUND.where(evse.c.canonical == canonical))
    return {EvseId(row.evse_id): FoundEvse(row.id, row.evse_id, row.station, row.operator) for row in rows}


def ids_around(connection_: sa.Connection, canonical: str, limit: int) -> list[FoundEvse]:
    """Return up to twice `limit` EVSEs whose canonical ids stand next to this one in their order."""
    behind = connection_.execute(_FOUND.where(evse.c.canonical >= canonical).order_by(evse.c.canonical).limit(limit))
    before = connection_.execute(
        _FOUND.where(evse.c.canonical < canonical).order_by(evse.c.canonical.desc()).limit(limit)
    )
    return [FoundEvse(row.id, row.evse_id, row.station, row.operator) for row in (*behind, *before)]
