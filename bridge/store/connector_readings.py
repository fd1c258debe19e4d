"""Read the connectors that operators look at, a page at a time: as the inventory has them, and what each reported last.

Never writes and never returns a key. One statement a page. Beside it: `readings`. After it: `app.evse_services` and
`app.inventory_services`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bridge.core.model import EvseId
from bridge.store.inventory import InventoryEntry, entry_of
from bridge.store.micros import from_micros
from bridge.store.tables import connector, evse, fact, station
from csms.events import ConnectorAddress, StationId

ConnectorKey = tuple[str, int, int]
"""Station, evse and connector: the order of these lists."""


@dataclass(frozen=True, slots=True)
class ConnectorReading:
    """One connector and its last report."""

    station: StationId
    address: ConnectorAddress
    evse_id: EvseId
    operator: str
    status: str | None
    """The standard's own word; None: never heard of."""
    received_at: datetime | None
    stale: bool


def read_connectors(
    conn: sa.Connection,
    *,
    station_id: str | None = None,
    evse_id: str | None = None,
    operators: Sequence[str] | None = None,
    after: ConnectorKey | None = None,
    limit: int | None = None,
) -> list[ConnectorReading]:
    """Return connectors in the order of station, evse and connector.

    Args:
        conn: To read from.
        station_id: Only those of this station, in any case.
        evse_id: Only those of this EVSE.
        operators: Only those of these operators' EVSEs.
        after: Only those behind this one.
        limit: At most so many.
    """
    own = sa.and_(
        fact.c.station == connector.c.station,
        fact.c.ocpp_evse == connector.c.ocpp_evse,
        fact.c.ocpp_connector == connector.c.ocpp_connector,
    )
    statement = (
        sa.select(
            connector.c.station,
            connector.c.ocpp_evse,
            connector.c.ocpp_connector,
            evse.c.evse_id,
            evse.c.operator,
            fact.c.status,
            fact.c.received_at,
            sa.or_(fact.c.stale, fact.c.doubt).label("stale"),
        )
        .select_from(
            connector.join(evse, evse.c.id == connector.c.evse)
            .join(station, station.c.id == connector.c.station)
            .outerjoin(fact, own)
        )
        .where(evse.c.removed_at_w.is_(None))
    )
    if station_id is not None:
        statement = statement.where(station.c.id_folded == station_id.casefold())
    if evse_id is not None:
        statement = statement.where(evse.c.evse_id == evse_id)
    if operators is not None:
        statement = statement.where(evse.c.operator.in_(operators))
    return [
        ConnectorReading(
            station=row.station,
            address=ConnectorAddress(row.ocpp_evse, row.ocpp_connector),
            evse_id=row.evse_id,
            operator=row.operator,
            status=row.status,
            received_at=from_micros(row.received_at),
            stale=bool(row.stale),
        )
        for row in conn.execute(_behind(statement, after).limit(limit))
    ]


def read_inventory_page(conn: sa.Connection, *, after: ConnectorKey | None, limit: int) -> list[InventoryEntry]:
    """Return up to `limit` connectors behind `after`, each as an entry with this connector alone."""
    statement = (
        sa.select(
            evse,
            connector.c.ocpp_evse,
            connector.c.ocpp_connector,
            station.c.security,
            station.c.version,
            station.c.layer0,
            station.c.strict,
        )
        .select_from(
            connector.join(evse, evse.c.id == connector.c.evse).join(station, station.c.id == connector.c.station)
        )
        .where(evse.c.removed_at_w.is_(None))
    )
    return [
        entry_of(row, (ConnectorAddress(row.ocpp_evse, row.ocpp_connector),))
        for row in conn.execute(_behind(statement, after).limit(limit))
    ]


def _behind(statement: sa.Select[tuple[object, ...]], after: ConnectorKey | None) -> sa.Select[tuple[object, ...]]:
    order = (connector.c.station, connector.c.ocpp_evse, connector.c.ocpp_connector)
    if after is not None:
        statement = statement.where(sa.tuple_(*order) > sa.tuple_(*map(sa.literal, after)))
    return statement.order_by(*order)
