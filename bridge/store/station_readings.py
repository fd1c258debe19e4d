"""Read what operators look at of stations: how each is connected, proves itself and is built, and what it reported.

Never writes and never returns a key or what is kept of one. A page is one statement; a single station a handful. Beside
it: `station_search`, which finds stations by more. After it: `app.station_services`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.store.micros import from_micros
from bridge.store.tables import connection, evse, fact, station
from csms.events import SecurityProfile, StationId


@dataclass(frozen=True, slots=True)
class StationRow:
    """One station of the inventory and its present or last connection. Times are steady but for `rotating_since`."""

    station: StationId
    security: SecurityProfile
    reached: SecurityProfile
    has_key: bool
    rotating_since: datetime | None
    """Wall time at which a key was sent that the station has not logged in with."""
    certificate_name: str
    connected: bool
    version: str | None
    """Subprotocol of the connection; None where it never connected."""
    default_version: str | None
    remote: str
    opened_at: datetime | None
    closed_at: datetime | None
    heard_at: datetime | None
    accepted_at: datetime | None
    booted_at: datetime | None
    unreachable_at: datetime | None
    refuses_trigger: bool
    strict: bool
    layer0: str
    vendor: str
    model: str
    serial: str
    firmware: str
    evses: int


@dataclass(frozen=True, slots=True)
class ReportRow:
    """The last report of a connector, of an EVSE as a whole (connector 0), or of the station (0, 0)."""

    evse: int
    connector: int
    status: str
    source: str
    received_at: datetime
    reported_at: str
    error_code: str
    vendor_error_code: str
    info: str
    stale: bool


async def read_station_page(
    conn: AsyncConnection,
    *,
    after: StationId | None = None,
    limit: int | None = None,
    connected: bool | None = None,
    version: str | None = None,
) -> list[StationRow]:
    """Return stations in the order of their ids.

    Args:
        conn: From `Store.read`.
        after: Only those behind this id: a page's last one gives the next page.
        limit: At most so many.
        connected: Only those that are, or are not, connected.
        version: Only those whose present or last connection spoke this subprotocol.
    """
    statement = STATIONS.order_by(station.c.id).limit(limit)
    if after is not None:
        statement = statement.where(station.c.id > after)
    if connected is not None:
        statement = statement.where(CONNECTED if connected else sa.not_(CONNECTED))
    if version is not None:
        statement = statement.where(connection.c.version == version)
    return [station_row(row) for row in (await conn.execute(statement)).mappings()]


async def read_station(conn: AsyncConnection, identity: str) -> StationRow | None:
    """Return the station whose identity differs from this one in nothing but case; None where there is none."""
    row = (await conn.execute(STATIONS.where(station.c.id_folded == identity.casefold()))).mappings().first()
    return None if row is None else station_row(row)


async def read_reports(conn: AsyncConnection, station_id: StationId) -> list[ReportRow]:
    """Return everything that the station last reported, by address."""
    statement = sa.select(fact).where(fact.c.station == station_id).order_by(fact.c.ocpp_evse, fact.c.ocpp_connector)
    return [
        ReportRow(
            evse=row.ocpp_evse,
            connector=row.ocpp_connector,
            status=row.status,
            source=row.source,
            received_at=from_micros(row.received_at),
            reported_at=row.reported_at,
            error_code=row.error_code,
            vendor_error_code=row.vendor_error_code,
            info=row.info,
            stale=row.stale,
        )
        for row in await conn.execute(statement)
    ]


CONNECTED = sa.and_(connection.c.opened_at.is_not(None), connection.c.closed_at.is_(None))
"""Holds for a station that is connected now; of `station` with its `connection`."""
_EVSES = (
    sa.select(sa.func.count()).where(evse.c.station == station.c.id, evse.c.removed_at_w.is_(None)).scalar_subquery()
)
STATIONS = (
    sa.select(
        station,
        _EVSES.label("evses"),
        connection.c.version.label("spoken"),
        connection.c.remote,
        connection.c.opened_at,
        connection.c.closed_at,
        connection.c.heard_at,
    )
    .outerjoin(connection, connection.c.station == station.c.id)
    .where(station.c.removed_at_w.is_(None))
)
"""Every station of the inventory, as `station_row` reads it."""


def station_row(row: sa.RowMapping) -> StationRow:
    """Return one row of `STATIONS`."""
    return StationRow(
        station=row["id"],
        security=SecurityProfile(row["security"]),
        reached=SecurityProfile(row["profile_reached"]),
        has_key=row["key_digest"] is not None,
        rotating_since=from_micros(row["pending_at_w"]),
        certificate_name=row["certificate_name"],
        connected=row["opened_at"] is not None and row["closed_at"] is None,
        version=row["spoken"],
        default_version=row["version"],
        remote=row["remote"] or "",
        opened_at=from_micros(row["opened_at"]),
        closed_at=from_micros(row["closed_at"]),
        heard_at=from_micros(row["heard_at"]),
        accepted_at=from_micros(row["accepted_at"]),
        booted_at=from_micros(row["booted_at"]),
        unreachable_at=from_micros(row["unreachable_at"]),
        refuses_trigger=row["refuses_trigger"],
        strict=row["strict"],
        layer0=row["layer0"],
        vendor=row["vendor"],
        model=row["model"],
        serial=row["serial"],
        firmware=row["firmware"],
        evses=row["evses"],
    )
