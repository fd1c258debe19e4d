"""Collect what a transaction changes of its working copies, and write it at once.

Never decides and never reads: `derive`, `intake` and `ticker` change working copies of `stations` with functions of
`core`, collect here what that means for the rows, and `save` it, a handful of statements for any number of stations.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bridge.core.availability import AvailabilityOrder
from bridge.core.model import AccountName, Charging, Fact
from bridge.store.availability import save_orders
from bridge.store.bulk import Bulk, insert_for, upsert, upsert_statement
from bridge.store.errors import StoreError
from bridge.store.micros import to_micros
from bridge.store.security_events import keep_certificate_requests, keep_security_events
from bridge.store.stations import DELIVERY_COLUMNS, Address, EvseKey, StoredEvse
from bridge.store.tables import charging, connection, delivery, evse_state, fact, history, station
from csms.events import CertificateRequested, SecurityEventReported, StationId


class ConflictingWrite(StoreError):
    """Another process changed EVSE states between our reading and our writing: run the transaction again."""


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
    orders: dict[EvseKey, AvailabilityOrder | None] = field(default_factory=dict)
    """None: nothing is left to be told to the station."""
    closed_connections: dict[StationId, tuple[int, int]] = field(default_factory=dict)
    """Station → epoch whose socket ended, and when (µs, steady)."""
    security_events: list[tuple[SecurityEventReported, int]] = field(default_factory=list)
    """With the moment of receipt (µs, wall clock), as `certificate_requests`."""
    certificate_requests: list[tuple[CertificateRequested, int]] = field(default_factory=list)


def save(connection_: sa.Connection, changes: Changes) -> None:
    """Write what was collected from working copies, which hold the same already.

    Raises: ConflictingWrite, and what SQLAlchemy raises.
    """
    for names, alike in groupby(sorted(changes.stations.items(), key=_names_of), key=_names_of):
        _update_stations(names).run(connection_, [{"id_": id_, **values} for id_, values in alike])
    if changes.closed_connections:
        closed = changes.closed_connections.items()
        _CLOSE.run(connection_, [{"station_": id_, "epoch_": epoch, "closed_at": at} for id_, (epoch, at) in closed])
    _save_facts(connection_, changes)
    _save_states(connection_, changes)
    _save_deliveries(connection_, changes)
    if changes.orders:
        save_orders(connection_, changes.orders)
    keep_security_events(connection_, changes.security_events)
    keep_certificate_requests(connection_, changes.certificate_requests)


def _names_of(changed: tuple[StationId, dict[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted(changed[1]))


@functools.cache
def _update_stations(names: tuple[str, ...]) -> Bulk:
    """Return the statement that sets these columns of stations: a boot's, a first status's."""
    statement = sa.update(station).where(station.c.id == sa.bindparam("id_"))
    return Bulk(lambda _dialect: statement, ["id_", *names])


_CLOSE = Bulk(
    lambda _dialect: sa.update(connection).where(
        connection.c.station == sa.bindparam("station_"), connection.c.epoch == sa.bindparam("epoch_")
    ),
    ["station_", "epoch_", "closed_at"],
)


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
    insert = insert_for(dialect, delivery)
    overwritten: dict[str, sa.ColumnElement[Any]] = {name: insert.excluded[name] for name in _DELIVERY_COLUMNS[2:]}
    unacknowledged = delivery.c.acked_seq < delivery.c.desired_seq
    overwritten["desired_at"] = sa.case((unacknowledged, delivery.c.desired_at), else_=insert.excluded.desired_at)
    return insert.on_conflict_do_update(index_elements=[delivery.c.account, delivery.c.evse], set_=overwritten)


_UPSERT_DELIVERIES = Bulk(_upsert_delivery, _DELIVERY_COLUMNS)
_FACT_COLUMNS = tuple(column.name for column in fact.columns)
_UPSERT_FACTS = Bulk(lambda dialect: upsert_statement(dialect, fact, _FACT_COLUMNS), _FACT_COLUMNS)


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
