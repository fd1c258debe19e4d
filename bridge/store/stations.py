"""Load everything that decides the EVSEs of some stations, and write back what a transaction changed of it.

Never decides: `derive` and `intake` change the loaded values with functions of `core`. One `load` and one `save` per
transaction, whatever the number of stations: a group commit of a hundred reports costs a dozen statements.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NewType

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

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
    TemporaryKind,
)
from bridge.store.bulk import Bulk
from bridge.store.errors import StoreError
from bridge.store.micros import from_micros, to_micros
from bridge.store.tables import (
    charging,
    connection,
    connector,
    counter,
    delivery,
    evse,
    evse_state,
    fact,
    history,
    station,
    temporary_status,
)
from bridge.store.working_copies import copies_of, drop_copies
from csms.events import ChargingState, ReportedStatus, StationId

EvseKey = NewType("EvseKey", int)
"""The store's own number of an EVSE."""

Address = tuple[int, int]
"""(evse, connector) as in `csms.events`."""


class ConflictingWrite(StoreError):
    """Another process changed EVSE states between our reading and our writing: run the transaction again."""


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
    effective: Effective | None = None
    """None before the first derivation."""
    version: int = 0
    deliveries: dict[AccountName, Delivery] = field(default_factory=dict)


@dataclass(slots=True)
class FactDetail:
    """What of a report is kept for operators only."""

    epoch: int
    reported_at: str
    source: str
    error_code: str
    vendor_error_code: str
    info: str


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


@dataclass(slots=True)
class Changes:
    """What a transaction changed, collected while it decides and written once by `save`."""

    stations: dict[StationId, dict[str, Any]] = field(default_factory=dict)
    facts: dict[tuple[StationId, Address], tuple[Fact, FactDetail | None]] = field(default_factory=dict)
    dropped_facts: set[tuple[StationId, Address]] = field(default_factory=set)
    charging: dict[tuple[StationId, int], Charging] = field(default_factory=dict)
    retired: set[StationId] = field(default_factory=set)
    """Stations whose facts of another OCPP version go away before anything else is written."""
    updated_states: dict[EvseKey, dict[str, Any]] = field(default_factory=dict)
    """One compare-and-set per EVSE, against the version that was read."""
    new_states: dict[EvseKey, dict[str, Any]] = field(default_factory=dict)
    decided: dict[EvseKey, StoredEvse] = field(default_factory=dict)
    """The working copies behind these states; `save` counts their versions up."""
    history: list[dict[str, Any]] = field(default_factory=list)
    deliveries: dict[tuple[AccountName, EvseKey], dict[str, Any]] = field(default_factory=dict)
    dropped_deliveries: set[tuple[AccountName, EvseKey]] = field(default_factory=set)
    closed_connections: dict[StationId, tuple[int, int]] = field(default_factory=dict)
    """Station → epoch whose socket ended, and when (µs, steady)."""


# --- reading --------------------------------------------------------------------------------------------------------

_ids: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_STATIONS = (
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
_FACTS = sa.select(
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
_CHARGING = sa.select(
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
_EVSES = (
    sa.select(
        evse.c.station,
        evse.c.id,
        evse.c.evse_id,
        evse.c.operator,
        evse.c.chargeprice_station,
        evse.c.chargeprice_point,
        evse.c.removed_at_w,
        evse_state.c.version,
        evse_state.c.status,
        evse_state.c.live,
        evse_state.c.rule,
        evse_state.c.available_since,
        evse_state.c.until_w,
        evse_state.c.until,
        evse.c.kept_until,
    )
    .select_from(evse.outerjoin(evse_state, evse_state.c.evse == evse.c.id))
    .where(evse.c.station.in_(_ids))
)
_CONNECTORS = (
    sa.select(connector.c.station, connector.c.ocpp_evse, connector.c.ocpp_connector, connector.c.evse)
    .where(connector.c.station.in_(_ids))
    .order_by(connector.c.ocpp_evse, connector.c.ocpp_connector)
)
_TEMPORARIES = (
    sa.select(
        evse.c.station,
        temporary_status.c.evse,
        temporary_status.c.kind,
        temporary_status.c.valid_from_w,
        temporary_status.c.valid_to_w,
    )
    .select_from(temporary_status.join(evse, evse.c.id == temporary_status.c.evse))
    .where(evse.c.station.in_(_ids))
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
_DELIVERIES = (
    sa.select(evse.c.station, delivery.c.account, delivery.c.evse, *DELIVERY_COLUMNS)
    .select_from(delivery.join(evse, evse.c.id == delivery.c.evse))
    .where(evse.c.station.in_(_ids))
)


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
    arguments = {"ids": list(ids)}
    stations = {
        row[0]: StoredStation(row[0], Layer0(row[1]), row[2], row[3], row[4], row[5], row[6])
        for row in connection_.execute(_STATIONS, arguments).all()
    }
    for row in connection_.execute(_FACTS, arguments).all():
        stations[row[0]].facts[row[1], row[2]] = Fact(
            evse=row[1],
            connector=row[2],
            status=ReportedStatus(row[3]),
            seq=row[4],
            received_at=from_micros(row[5]),
            doubt=row[6],
            stale=row[7],
            charging_from=row[8],
            boot_doubt=row[9],
        )
    for row in connection_.execute(_CHARGING, arguments).all():
        stations[row[0]].charging[row[1]] = Charging(
            transaction=row[2],
            seq_no=row[3],
            state=None if row[4] is None else ChargingState(row[4]),
            seq=row[5],
            received_at=from_micros(row[6]),
            ended=row[7],
            charging_from=row[8],
            doubt=row[9],
            connector=row[10],
        )
    _load_evses(connection_, arguments, stations)
    return stations


def _load_evses(
    connection_: sa.Connection, arguments: Mapping[str, Any], stations: Mapping[StationId, StoredStation]
) -> None:
    for row in connection_.execute(_EVSES, arguments).all():
        stations[row[0]].evses[row[1]] = StoredEvse(
            key=row[1],
            evse_id=row[2],
            operator=row[3],
            references=(row[4], row[5]),
            removed=row[6] is not None,
            kept_until=from_micros(row[14]),
            version=row[7] or 0,
            effective=None
            if row[7] is None
            else Effective(
                status=EvseStatus(row[8]),
                live=EvseStatus(row[9]),
                rule=row[10],
                available_since=from_micros(row[11]),
                until_now=from_micros(row[12]),
                until_steady=from_micros(row[13]),
            ),
        )
    for station_id, number, connector_id, key in connection_.execute(_CONNECTORS, arguments).all():
        stations[station_id].evses[EvseKey(key)].connectors.append((number, connector_id))
        stations[station_id].by_address[number, connector_id] = EvseKey(key)
    for station_id, key, kind, valid_from, valid_to in connection_.execute(_TEMPORARIES, arguments).all():
        stations[station_id].evses[EvseKey(key)].temporaries.append(
            Temporary(TemporaryKind(kind), from_micros(valid_from), from_micros(valid_to))
        )
    for row in connection_.execute(_DELIVERIES, arguments).all():
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
        known=columns[13],
        switched=columns[14],
        attempts=columns[15],
        attempted_at=from_micros(columns[16]),
        tombstone=columns[17],
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


def stations_of(connection_: sa.Connection, keys: Iterable[EvseKey]) -> list[StationId]:
    """Return the stations that the EVSEs belong to, each once."""
    statement = sa.select(evse.c.station).where(evse.c.id.in_(_ids)).distinct()
    return [row[0] for row in connection_.execute(statement, {"ids": list(keys)})]


def all_stations(connection_: sa.Connection) -> list[StationId]:
    """Return the ids of all stations that have EVSEs, removed ones included."""
    return [row[0] for row in connection_.execute(sa.select(evse.c.station).distinct().order_by(evse.c.station))]


def homes(connection_: sa.Connection) -> dict[EvseKey, StationId]:
    """Return the station of every EVSE that is in the inventory."""
    rows = connection_.execute(sa.select(evse.c.id, evse.c.station).where(evse.c.removed_at_w.is_(None)))
    return {EvseKey(row[0]): row[1] for row in rows}


def keep_published(connection_: sa.Connection, keys: Iterable[EvseKey], until: int) -> None:
    """Note that these EVSEs moved: what was published stands until then (µs) where their stations say nothing."""
    rows = [{"key": key} for key in keys]
    if rows:
        copies_of(connection_).drop_evses(row["key"] for row in rows)
        connection_.execute(sa.update(evse).where(evse.c.id == sa.bindparam("key")).values(kept_until=until), rows)


def clamp_kept(connection_: sa.Connection, latest: int) -> None:
    """Let no moved EVSE keep its value beyond `latest` (steady µs): the clock may have been set back meanwhile."""
    drop_copies(connection_)
    connection_.execute(sa.update(evse).where(evse.c.kept_until > latest).values(kept_until=latest))


def due_evses(connection_: sa.Connection, now: int, steady: int, limit: int) -> list[EvseKey]:
    """Return up to `limit` EVSEs whose status the passing of time changes at or before these times (µs)."""
    statement = (
        sa.select(evse_state.c.evse)
        .where(sa.or_(evse_state.c.until_w <= now, evse_state.c.until <= steady))
        .order_by(evse_state.c.evse)
        .limit(limit)
    )
    return [EvseKey(row[0]) for row in connection_.execute(statement)]


def next_times(connection_: sa.Connection) -> tuple[int | None, int | None]:
    """Return the earliest wall and steady times (µs) at which time alone changes an EVSE's status."""
    wall = connection_.execute(sa.select(sa.func.min(evse_state.c.until_w))).scalar()
    steady = connection_.execute(sa.select(sa.func.min(evse_state.c.until))).scalar()
    return wall, steady


# --- counters -------------------------------------------------------------------------------------------------------


def take_numbers(connection_: sa.Connection, name: str, count: int) -> int:
    """Reserve `count` numbers of a counter and return the first; a number is never given twice."""
    insert = insert_or_update(connection_, counter).values(name=name, value=count)
    statement = insert.on_conflict_do_update(
        index_elements=[counter.c.name], set_={"value": counter.c.value + count}
    ).returning(counter.c.value)
    last: int = connection_.execute(statement).scalar_one()
    return last - count + 1


# --- writing --------------------------------------------------------------------------------------------------------


def insert_or_update(connection_: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return the dialect's INSERT that knows ON CONFLICT."""
    if connection_.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def upsert(connection_: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, or overwrite the columns that they name; every row names the same columns."""
    statement = _upsert_statement(connection_.dialect.name, table, tuple(rows[0]))
    connection_.execute(statement, list(rows))


@functools.cache
def _upsert_statement(dialect: str, table: sa.Table, names: tuple[str, ...]) -> sqlite.Insert | postgresql.Insert:
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    keys = [column.name for column in table.primary_key.columns]
    excluded = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=keys, set_={name: excluded[name] for name in names if name not in keys}
    )


def save(connection_: sa.Connection, changes: Changes) -> None:
    """Write what was collected from working copies, which hold the same already.

    Raises: ConflictingWrite, and what SQLAlchemy raises.
    """
    for id_, values in changes.stations.items():
        connection_.execute(sa.update(station).where(station.c.id == id_).values(**values))
    for id_, (epoch, closed_at) in changes.closed_connections.items():
        connection_.execute(
            sa.update(connection)
            .where(connection.c.station == id_, connection.c.epoch == epoch)
            .values(closed_at=closed_at)
        )
    _save_facts(connection_, changes)
    _save_states(connection_, changes)
    _save_deliveries(connection_, changes)


def _save_facts(connection_: sa.Connection, changes: Changes) -> None:
    for id_ in changes.retired:
        connection_.execute(sa.delete(fact).where(fact.c.station == id_))
        connection_.execute(sa.delete(charging).where(charging.c.station == id_))
    for id_, address in changes.dropped_facts - changes.facts.keys():
        connection_.execute(
            sa.delete(fact).where(
                fact.c.station == id_, fact.c.ocpp_evse == address[0], fact.c.ocpp_connector == address[1]
            )
        )
    reported = [
        {**_fact_values(id_, value), **_detail_values(detail)}
        for (id_, _), (value, detail) in changes.facts.items()
        if detail is not None
    ]
    if reported:
        _UPSERT_FACTS.run(connection_, reported)
    for (id_, address), (value, detail) in changes.facts.items():
        if detail is None:
            connection_.execute(
                sa.update(fact)
                .where(fact.c.station == id_, fact.c.ocpp_evse == address[0], fact.c.ocpp_connector == address[1])
                .values(doubt=value.doubt, stale=value.stale, boot_doubt=value.boot_doubt)
            )
    if changes.charging:
        upsert(
            connection_, charging, [_charging_values(id_, number, c) for (id_, number), c in changes.charging.items()]
        )


def _fact_values(id_: StationId, value: Fact) -> dict[str, Any]:
    return {
        "station": id_,
        "ocpp_evse": value.evse,
        "ocpp_connector": value.connector,
        "status": str(value.status),
        "seq": value.seq,
        "received_at": to_micros(value.received_at),
        "doubt": value.doubt,
        "stale": value.stale,
        "charging_from": value.charging_from,
        "boot_doubt": value.boot_doubt,
    }


def _detail_values(detail: FactDetail) -> dict[str, Any]:
    return {
        "epoch": detail.epoch,
        "reported_at": detail.reported_at,
        "source": detail.source,
        "error_code": detail.error_code,
        "vendor_error_code": detail.vendor_error_code,
        "info": detail.info,
    }


def _charging_values(id_: StationId, number: int, value: Charging) -> dict[str, Any]:
    return {
        "station": id_,
        "ocpp_evse": number,
        "transaction": value.transaction,
        "seq_no": value.seq_no,
        "state": None if value.state is None else value.state.value,
        "ended": value.ended,
        "seq": value.seq,
        "received_at": to_micros(value.received_at),
        "charging_from": value.charging_from,
        "doubt": value.doubt,
        "ocpp_connector": value.connector,
    }


_STATE_COLUMNS = ("version", "status", "live", "rule", "seq", "changed_at_w", "available_since", "until_w", "until")


def _update_state(_dialect: str) -> sa.Update:
    new = {name: sa.bindparam(f"new_{name}", type_=evse_state.c[name].type) for name in _STATE_COLUMNS}
    return (
        sa.update(evse_state)
        .where(evse_state.c.evse == sa.bindparam("key"), evse_state.c.version == sa.bindparam("read_version"))
        .values({**new, "changed_at_w": sa.func.coalesce(new["changed_at_w"], evse_state.c.changed_at_w)})
    )


_UPDATE_STATES = Bulk(_update_state, ["key", "read_version", *(f"new_{name}" for name in _STATE_COLUMNS)])
_HISTORY_COLUMNS = ("evse", "at_w", "status", "live", "rule", "seq")
_INSERT_HISTORY = Bulk(lambda _dialect: sa.insert(history).inline(), _HISTORY_COLUMNS)
_DELIVERY_COLUMNS = ("account", "evse", "desired_at", "due_at", *(column.name for column in DELIVERY_COLUMNS))


def _upsert_delivery(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Return the upsert of a delivery; the lag begins with the first change that is not acknowledged."""
    insert = sqlite.insert(delivery) if dialect == "sqlite" else postgresql.insert(delivery)
    overwritten: dict[str, sa.ColumnElement[Any]] = {name: insert.excluded[name] for name in _DELIVERY_COLUMNS[2:]}
    unacknowledged = delivery.c.acked_seq < delivery.c.desired_seq
    overwritten["desired_at"] = sa.case((unacknowledged, delivery.c.desired_at), else_=insert.excluded.desired_at)
    return insert.on_conflict_do_update(index_elements=[delivery.c.account, delivery.c.evse], set_=overwritten)


_UPSERT_DELIVERIES = Bulk(_upsert_delivery, _DELIVERY_COLUMNS)
_FACT_COLUMNS = tuple(column.name for column in fact.columns)
_UPSERT_FACTS = Bulk(lambda dialect: _upsert_statement(dialect, fact, _FACT_COLUMNS), _FACT_COLUMNS)


def _save_states(connection_: sa.Connection, changes: Changes) -> None:
    if changes.new_states:
        connection_.execute(sa.insert(evse_state), list(changes.new_states.values()))
    if changes.updated_states:
        rows = list(changes.updated_states.values())
        written = _UPDATE_STATES.run(connection_, rows)
        if written != len(rows):
            raise ConflictingWrite(f"{len(rows) - written} EVSE states were changed by another process")
    for copy in changes.decided.values():
        copy.version += 1
    if changes.history:
        _INSERT_HISTORY.run(connection_, changes.history)


def _save_deliveries(connection_: sa.Connection, changes: Changes) -> None:
    for account, key in changes.dropped_deliveries:
        connection_.execute(sa.delete(delivery).where(delivery.c.account == account, delivery.c.evse == key))
    if changes.deliveries:
        _UPSERT_DELIVERIES.run(connection_, list(changes.deliveries.values()))
