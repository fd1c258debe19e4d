"""Read what operators look at of EVSEs: what was reported, what counts, and what each hub was told.

Never writes, and never sees half a commit: all statements of one `Store.read()` block see the same state. A handful of
statements each, whatever the number of rows. Beside it: `lane_readings`,
`station_readings`. After it: `web` and `cli`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.core.model import AccountName, EvseId, EvseStatus
from bridge.store.micros import from_micros, since
from bridge.store.tables import (
    charging,
    connector,
    delivery,
    evse,
    evse_state,
    fact,
    station,
)
from csms.events import ConnectorAddress, StationId


@dataclass(frozen=True, slots=True)
class FactReading:
    """The last report of a connector, of an EVSE as a whole (connector 0), or of the station (0, 0)."""

    evse: int
    connector: int
    status: str
    """The standard's own word."""
    source: str
    received_at: datetime
    reported_at: str
    """The station's own timestamp, as sent."""
    error_code: str
    vendor_error_code: str
    info: str
    doubt: bool
    stale: bool


@dataclass(frozen=True, slots=True)
class DeliveryReading:
    """What one hub should have of an EVSE, and what it acknowledged."""

    account: AccountName
    desired: str
    acked: str | None
    acked_at: datetime | None
    lag: timedelta | None
    """How long the hub has not had what is desired; None where it has."""
    in_doubt: bool
    """An answer was lost: the value will be asserted once more."""
    refused: str | None
    """Why the hub refuses it."""
    attempts: int
    attempted_at: datetime | None
    not_before: datetime | None
    tombstone: bool
    last_http: int | None
    last_code: str
    last_why: str
    last_reference: str


@dataclass(frozen=True, slots=True)
class EvseReading:
    """One EVSE: reported → effective → what each hub has."""

    evse_id: EvseId
    station: StationId
    operator: str
    removed: bool
    connectors: tuple[ConnectorAddress, ...]
    status: EvseStatus
    live: EvseStatus
    rule: str
    changed_at: datetime | None
    """Wall time of the last change; None before the first fact."""
    charging_state: str | None
    """chargingState of the running 2.x transaction, where it counts."""
    facts: tuple[FactReading, ...]
    deliveries: tuple[DeliveryReading, ...]
    unreachable: bool = False
    """Its station was declared unreachable, and has not been heard of since."""


SHOWN = sa.or_(evse.c.removed_at_w.is_(None), sa.exists().where(delivery.c.evse == evse.c.id))
"""EVSEs of the inventory, and removed ones while a hub has to be told."""


async def read_evses(
    conn: AsyncConnection,
    steady: datetime,
    *,
    evse_id: EvseId | None = None,
    station_id: StationId | None = None,
    keys: Collection[int] | None = None,
) -> list[EvseReading]:
    """Return EVSEs in the order of their ids, removed ones only while a hub has to be told.

    Args:
        conn: From `Store.read`.
        steady: Now, for the lags.
        evse_id: Only this one.
        station_id: Only those of this station.
        keys: Only these, which `evse_search` found.
    """
    page = _page(evse_id, station_id, keys)
    connectors = await _connectors(conn, page)
    facts = await _facts(conn, page)
    deliveries = await deliveries_on(conn, page, steady)
    states = await _charging_states(conn, page)
    statement = (
        sa.select(
            page,
            evse_state.c.status,
            evse_state.c.live,
            evse_state.c.rule,
            evse_state.c.changed_at_w,
            station.c.unreachable_at,
        )
        .select_from(
            page.outerjoin(evse_state, evse_state.c.evse == page.c.id).join(station, station.c.id == page.c.station)
        )
        .order_by(page.c.evse_id)
    )
    return [
        EvseReading(
            evse_id=row.evse_id,
            station=row.station,
            operator=row.operator,
            removed=row.removed_at_w is not None,
            connectors=tuple(connectors[row.id]),
            status=EvseStatus(row.status or EvseStatus.UNKNOWN),
            live=EvseStatus(row.live or EvseStatus.UNKNOWN),
            rule=row.rule or "",
            changed_at=from_micros(row.changed_at_w),
            charging_state=states.get(row.id),
            facts=tuple(facts[row.id]),
            deliveries=tuple(deliveries[row.id]),
            unreachable=row.unreachable_at is not None,
        )
        for row in await conn.execute(statement)
    ]


def _page(evse_id: EvseId | None, station_id: StationId | None, keys: Collection[int] | None) -> sa.Subquery:
    statement = sa.select(evse.c.id, evse.c.evse_id, evse.c.station, evse.c.operator, evse.c.removed_at_w).where(SHOWN)
    if evse_id is not None:
        statement = statement.where(evse.c.evse_id == evse_id)
    if station_id is not None:
        statement = statement.where(evse.c.station == station_id)
    if keys is not None:
        statement = statement.where(evse.c.id.in_(keys))
    return statement.subquery("page")


async def _connectors(conn: AsyncConnection, page: sa.Subquery) -> dict[int, list[ConnectorAddress]]:
    statement = (
        sa.select(connector.c.evse, connector.c.ocpp_evse, connector.c.ocpp_connector)
        .join(page, page.c.id == connector.c.evse)
        .order_by(connector.c.ocpp_evse, connector.c.ocpp_connector)
    )
    found: dict[int, list[ConnectorAddress]] = defaultdict(list)
    for row in await conn.execute(statement):
        found[row[0]].append(ConnectorAddress(row[1], row[2]))
    return found


async def _facts(conn: AsyncConnection, page: sa.Subquery) -> dict[int, list[FactReading]]:
    own = sa.and_(fact.c.ocpp_evse == connector.c.ocpp_evse, fact.c.ocpp_connector.in_([connector.c.ocpp_connector, 0]))
    whole_station = sa.and_(fact.c.ocpp_evse == 0, fact.c.ocpp_connector == 0)
    statement = (
        sa.select(connector.c.evse.label("key"), fact)
        .select_from(page)
        .join(connector, connector.c.evse == page.c.id)
        .join(fact, sa.and_(fact.c.station == connector.c.station, sa.or_(own, whole_station)))
        .distinct()
        .order_by(fact.c.ocpp_evse, fact.c.ocpp_connector)
    )
    found: dict[int, list[FactReading]] = defaultdict(list)
    for row in await conn.execute(statement):
        found[row.key].append(
            FactReading(
                evse=row.ocpp_evse,
                connector=row.ocpp_connector,
                status=row.status,
                source=row.source,
                received_at=from_micros(row.received_at),
                reported_at=row.reported_at,
                error_code=row.error_code,
                vendor_error_code=row.vendor_error_code,
                info=row.info,
                doubt=row.doubt,
                stale=row.stale,
            )
        )
    return found


async def _charging_states(conn: AsyncConnection, page: sa.Subquery) -> dict[int, str]:
    statement = (
        sa.select(connector.c.evse, charging.c.state)
        .select_from(page)
        .join(connector, connector.c.evse == page.c.id)
        .join(
            charging,
            sa.and_(charging.c.station == connector.c.station, charging.c.ocpp_evse == connector.c.ocpp_evse),
        )
        .where(charging.c.state.is_not(None), charging.c.ended.is_(sa.false()))
    )
    return {row[0]: row[1] for row in await conn.execute(statement)}


async def deliveries_on(conn: AsyncConnection, page: sa.Subquery, steady: datetime) -> dict[int, list[DeliveryReading]]:
    """Return what hubs have of the EVSEs of a page (a subquery with their keys as `id`), by key and account."""
    statement = sa.select(delivery).join(page, page.c.id == delivery.c.evse).order_by(delivery.c.account)
    found: dict[int, list[DeliveryReading]] = defaultdict(list)
    for row in await conn.execute(statement):
        found[row.evse].append(
            DeliveryReading(
                account=row.account,
                desired=row.desired,
                acked=row.acked,
                acked_at=from_micros(row.acked_at),
                lag=None if row.acked_seq == row.desired_seq else since(row.desired_at, steady),
                in_doubt=row.doubt_until is not None,
                refused=row.refused,
                attempts=row.attempts,
                attempted_at=from_micros(row.attempted_at),
                not_before=from_micros(row.not_before),
                tombstone=row.tombstone,
                last_http=row.last_http,
                last_code=row.last_code,
                last_why=row.last_why,
                last_reference=row.last_reference,
            )
        )
    return found
