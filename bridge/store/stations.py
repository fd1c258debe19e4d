"""Load everything that decides the EVSEs of some stations.

Never decides and never writes: `derive` and `intake` change the loaded copies with functions of `core`, and `changes`
writes. One `load` per transaction, whatever the number of stations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NewType

import sqlalchemy as sa

from bridge.core.availability import AvailabilityOrder
from bridge.core.model import (
    AccountName,
    Charging,
    Delivery,
    Effective,
    EvseId,
    EvseStatus,
    Fact,
    Layer0,
    Temporary,
)
from bridge.store.availability import orders_of
from bridge.store.history_chain import MARK_EVERY
from bridge.store.micros import from_micros, to_micros
from bridge.store.prepared import Among
from bridge.store.tables import (
    charging,
    connection,
    connector,
    delivery,
    evse,
    evse_state,
    fact,
    station,
)
from bridge.store.temporary import temporaries_of
from bridge.store.working_copies import copies_of
from csms.events import ChargingState, ReportedStatus, StationId

EvseKey = NewType("EvseKey", int)
"""The store's own number of an EVSE."""

Address = tuple[int, int]
"""(evse, connector) as in `csms.events`."""


@dataclass(slots=True)
class StoredEvse:
    """One EVSE in the working copy."""

    key: EvseKey
    evse_id: EvseId
    operator: str
    references: tuple[str, str]
    """Chargeprice's station and charge point ids; empty where none is given."""
    removed: bool
    kept_until: datetime | None = None
    """It moved here: its published value stands until then (steady) where this station says nothing of it."""
    connectors: list[Address] = field(default_factory=list)
    temporaries: list[Temporary] = field(default_factory=list)
    """In the order of their numbers, without those that are over for good."""
    order: AvailabilityOrder | None = None
    effective: Effective | None = None
    """None before the first derivation."""
    version: int = 0
    last_change: int | None = None
    """Number of its newest row in the history."""
    unmarked: int = field(default=MARK_EVERY, compare=False)
    """Rows since a marked one (`history_chain`); as many as there may be where that is not known."""
    deliveries: dict[AccountName, Delivery] = field(default_factory=dict)


@dataclass(slots=True)
class StoredStation:
    """One station in the working copy: what it told us and the EVSEs that this decides."""

    id: StationId
    layer0: Layer0
    accepted_at: int | None
    firmware: str
    fact_version: str | None
    unreachable_at: int | None
    epoch: int
    facts: dict[Address, Fact] = field(default_factory=dict)
    charging: dict[int, Charging] = field(default_factory=dict)
    evses: dict[EvseKey, StoredEvse] = field(default_factory=dict)
    by_address: dict[Address, EvseKey] = field(default_factory=dict)


STATION_REFERENCE = sa.func.coalesce(sa.func.nullif(evse.c.chargeprice_station, ""), evse.c.listed_station)
"""Chargeprice's id of an EVSE's station: what the inventory says, or the station that lists the EVSE."""
POINT_REFERENCE = sa.func.coalesce(
    sa.func.nullif(evse.c.chargeprice_point, ""), sa.case((evse.c.listed_station != "", evse.c.evse_id), else_="")
)
"""Chargeprice's id of the EVSE: what the inventory says, or the EVSE id, under which a listed station names it."""

_ids: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_STATIONS = Among(
    sa.select(
        station.c.id,
        station.c.layer0,
        station.c.accepted_at,
        station.c.firmware,
        station.c.fact_version,
        station.c.unreachable_at,
        sa.func.coalesce(connection.c.epoch, 0),
    )
    .select_from(station.outerjoin(connection, connection.c.station == station.c.id))
    .where(station.c.id.in_(_ids))
)
_FACTS = Among(
    sa.select(
        fact.c.station,
        fact.c.ocpp_evse,
        fact.c.ocpp_connector,
        fact.c.status,
        fact.c.seq,
        fact.c.received_at,
        fact.c.doubt,
        fact.c.stale,
        fact.c.charging_from,
        fact.c.boot_doubt,
    ).where(fact.c.station.in_(_ids))
)
_CHARGING = Among(
    sa.select(
        charging.c.station,
        charging.c.ocpp_evse,
        charging.c.transaction,
        charging.c.seq_no,
        charging.c.state,
        charging.c.seq,
        charging.c.received_at,
        charging.c.ended,
        charging.c.charging_from,
        charging.c.doubt,
        charging.c.ocpp_connector,
    ).where(charging.c.station.in_(_ids))
)
_EVSES = Among(
    sa.select(
        evse.c.station,
        evse.c.id,
        evse.c.evse_id,
        evse.c.operator,
        STATION_REFERENCE,
        POINT_REFERENCE,
        evse.c.removed_at_w,
        evse_state.c.version,
        evse_state.c.status,
        evse_state.c.live,
        evse_state.c.rule,
        evse_state.c.available_since,
        evse_state.c.until_w,
        evse_state.c.until,
        evse.c.kept_until,
        evse_state.c.last_change,
    )
    .select_from(evse.outerjoin(evse_state, evse_state.c.evse == evse.c.id))
    .where(evse.c.station.in_(_ids))
)
_CONNECTORS = Among(
    sa.select(connector.c.station, connector.c.ocpp_evse, connector.c.ocpp_connector, connector.c.evse)
    .where(connector.c.station.in_(_ids))
    .order_by(connector.c.ocpp_evse, connector.c.ocpp_connector)
)
DELIVERY_COLUMNS = (
    delivery.c.desired,
    delivery.c.desired_seq,
    delivery.c.acked,
    delivery.c.acked_seq,
    delivery.c.acked_at,
    delivery.c.in_flight_seq,
    delivery.c.doubt_until,
    delivery.c.reassert_at,
    delivery.c.not_before,
    delivery.c.refused,
    delivery.c.refused_seq,
    delivery.c.proven,
    delivery.c.suspect,
    delivery.c.known,
    delivery.c.switched,
    delivery.c.attempts,
    delivery.c.attempted_at,
    delivery.c.tombstone,
    delivery.c.station_reference,
    delivery.c.point_reference,
)
_DELIVERIES = Among(
    sa.select(evse.c.station, delivery.c.account, delivery.c.evse, *DELIVERY_COLUMNS)
    .select_from(delivery.join(evse, evse.c.id == delivery.c.evse))
    .where(evse.c.station.in_(_ids))
)


_REPORTED = {str(status): status for status in ReportedStatus}
_EFFECTIVE = {str(status): status for status in EvseStatus}
"""What an enum looks up in four times the time: ten thousand EVSEs are read at start."""


def load(connection_: sa.Connection, ids: Sequence[StationId]) -> dict[StationId, StoredStation]:
    """Return a working copy of the stations that exist among `ids`, with all that decides their EVSEs."""
    copies = copies_of(connection_)
    found = {id_: copy for id_ in ids if (copy := copies.get(id_)) is not None}
    missing = [id_ for id_ in ids if id_ not in found]
    if missing:
        read = read_stations(connection_, missing)
        copies.keep(read.values())
        found |= read
    return found


def read_stations(connection_: sa.Connection, ids: Sequence[StationId]) -> dict[StationId, StoredStation]:
    """Return the stations as stored, past any working copy."""
    stations = {
        row[0]: StoredStation(row[0], Layer0(row[1]), row[2], row[3], row[4], row[5], row[6])
        for row in _STATIONS.rows(connection_, ids)
    }
    for row in _FACTS.rows(connection_, ids):
        stations[row[0]].facts[row[1], row[2]] = Fact(
            evse=row[1],
            connector=row[2],
            status=_REPORTED[row[3]],
            seq=row[4],
            received_at=from_micros(row[5]),
            doubt=bool(row[6]),
            stale=bool(row[7]),
            charging_from=row[8],
            boot_doubt=bool(row[9]),
        )
    for row in _CHARGING.rows(connection_, ids):
        stations[row[0]].charging[row[1]] = Charging(
            transaction=row[2],
            seq_no=row[3],
            state=None if row[4] is None else ChargingState(row[4]),
            seq=row[5],
            received_at=from_micros(row[6]),
            ended=bool(row[7]),
            charging_from=row[8],
            doubt=bool(row[9]),
            connector=row[10],
        )
    _load_evses(connection_, ids, stations)
    return stations


def _load_evses(
    connection_: sa.Connection, ids: Sequence[StationId], stations: Mapping[StationId, StoredStation]
) -> None:
    arguments = {"ids": list(ids)}
    for row in _EVSES.rows(connection_, ids):
        stations[row[0]].evses[row[1]] = StoredEvse(
            key=row[1],
            evse_id=row[2],
            operator=row[3],
            references=(row[4], row[5]),
            removed=row[6] is not None,
            kept_until=from_micros(row[14]),
            version=row[7] or 0,
            last_change=row[15],
            effective=None
            if row[7] is None
            else Effective(
                status=_EFFECTIVE[row[8]],
                live=_EFFECTIVE[row[9]],
                rule=row[10],
                available_since=from_micros(row[11]),
                until_now=from_micros(row[12]),
                until_steady=from_micros(row[13]),
            ),
        )
    for station_id, number, connector_id, key in _CONNECTORS.rows(connection_, ids):
        stations[station_id].evses[EvseKey(key)].connectors.append((number, connector_id))
        stations[station_id].by_address[number, connector_id] = EvseKey(key)
    for station_id, key, temporary in temporaries_of(connection_, arguments):
        stations[station_id].evses[EvseKey(key)].temporaries.append(temporary)
    for station_id, key, order in orders_of(connection_, arguments):
        stations[station_id].evses[EvseKey(key)].order = order
    for row in _DELIVERIES.rows(connection_, ids):
        stations[row[0]].evses[row[2]].deliveries[row[1]] = delivery_of(row[3:])


def delivery_of(columns: Sequence[Any]) -> Delivery:
    """Return the row value of the columns `DELIVERY_COLUMNS`, in that order."""
    return Delivery(
        desired=columns[0],
        desired_seq=columns[1],
        acked=columns[2],
        acked_seq=columns[3],
        acked_at=from_micros(columns[4]),
        in_flight_seq=columns[5],
        doubt_until=from_micros(columns[6]),
        reassert_at=from_micros(columns[7]),
        not_before=from_micros(columns[8]),
        refused=columns[9],
        refused_seq=columns[10],
        proven=columns[11],
        suspect=columns[12],
        known=None if columns[13] is None else bool(columns[13]),
        switched=bool(columns[14]),
        attempts=columns[15],
        attempted_at=from_micros(columns[16]),
        tombstone=bool(columns[17]),
        references=(columns[18], columns[19]),
    )


def delivery_values(row: Delivery) -> dict[str, Any]:
    """Return the column values of a delivery row, but for its key, `due_at`, `desired_at` and the last answer."""
    return {
        "desired": row.desired,
        "desired_seq": row.desired_seq,
        "acked": row.acked,
        "acked_seq": row.acked_seq,
        "acked_at": to_micros(row.acked_at),
        "in_flight_seq": row.in_flight_seq,
        "doubt_until": to_micros(row.doubt_until),
        "reassert_at": to_micros(row.reassert_at),
        "not_before": to_micros(row.not_before),
        "refused": row.refused,
        "refused_seq": row.refused_seq,
        "proven": row.proven,
        "suspect": row.suspect,
        "known": row.known,
        "switched": row.switched,
        "attempts": row.attempts,
        "attempted_at": to_micros(row.attempted_at),
        "tombstone": row.tombstone,
        "station_reference": row.references[0],
        "point_reference": row.references[1],
    }
