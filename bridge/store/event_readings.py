"""Read how things stand that changed a moment ago: a few EVSEs with their deliveries, stations, lanes.

Never writes. A handful of statements, whatever the number of things. Before it: `app.event_services`, which knows what
changed. Beside it: `readings`, for whoever looks without having been told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.core.model import AccountName, EvseId
from bridge.store.micros import from_micros
from bridge.store.readings import DeliveryReading, deliveries_on
from bridge.store.stations import EvseKey
from bridge.store.tables import connection, evse, evse_state, lane
from bridge.store.transaction import Transaction
from csms.events import StationId


@dataclass(frozen=True, slots=True)
class ChangedEvse:
    """One EVSE's status and what hubs have of it."""

    key: EvseKey
    evse_id: EvseId
    station: StationId
    operator: str
    status: str
    live: str
    rule: str
    changed_at: datetime | None
    """Wall time."""
    deliveries: tuple[DeliveryReading, ...]


@dataclass(frozen=True, slots=True)
class ChangedStation:
    """Whether one station is connected, and whose EVSEs it has."""

    station: StationId
    connected: bool
    operators: frozenset[str]


@dataclass(frozen=True, slots=True)
class LaneMark:
    """What of a lane decides how its deliveries are shown."""

    mode: str | None
    """What an operator set; None where the configuration decides."""
    held: str | None


async def read_changed_evses(conn: AsyncConnection, keys: Collection[EvseKey], steady: datetime) -> list[ChangedEvse]:
    """Return those of these EVSEs that there are, by their ids; `steady` is now, for the lags."""
    page = sa.select(evse.c.id, evse.c.evse_id, evse.c.station, evse.c.operator).where(evse.c.id.in_(keys))
    named = page.subquery("page")
    deliveries = await deliveries_on(conn, named, steady)
    statement = (
        sa.select(named, evse_state.c.status, evse_state.c.live, evse_state.c.rule, evse_state.c.changed_at_w)
        .select_from(named.join(evse_state, evse_state.c.evse == named.c.id))
        .order_by(named.c.evse_id)
    )
    return [
        ChangedEvse(
            key=row.id,
            evse_id=row.evse_id,
            station=row.station,
            operator=row.operator,
            status=row.status,
            live=row.live,
            rule=row.rule,
            changed_at=from_micros(row.changed_at_w),
            deliveries=tuple(deliveries[row.id]),
        )
        for row in await conn.execute(statement)
    ]


async def read_changed_stations(conn: AsyncConnection, stations: Collection[StationId]) -> list[ChangedStation]:
    """Return those of these stations that ever connected, by their ids."""
    statement = (
        sa.select(connection.c.station, connection.c.closed_at, evse.c.operator)
        .outerjoin(evse, evse.c.station == connection.c.station)
        .where(connection.c.station.in_(stations))
        .order_by(connection.c.station)
        .distinct()
    )
    found: dict[StationId, tuple[bool, set[str]]] = {}
    for row in await conn.execute(statement):
        _, operators = found.setdefault(row.station, (row.closed_at is None, set()))
        if row.operator is not None:
            operators.add(row.operator)
    return [ChangedStation(station, here, frozenset(whose)) for station, (here, whose) in found.items()]


async def read_lane_marks(conn: AsyncConnection) -> dict[AccountName, LaneMark]:
    """Return what of each lane decides how its deliveries are shown."""
    rows = await conn.execute(sa.select(lane.c.account, lane.c.mode, lane.c.held))
    return {AccountName(row.account): LaneMark(row.mode, row.held) for row in rows}


def pass_commits(conn: Transaction, orders: Sequence[None]) -> list[None]:
    """Write nothing: whoever waits for this item comes after every commit that was on its way before."""
    return [None] * len(orders)
