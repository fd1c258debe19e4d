"""Collect what a transaction changes of its working copies, and write it at once.

Never decides, and reads nothing but the highest number in the history, once: `derive`, `intake` and `ticker` change
working copies of `stations` with functions of `core`, collect here what that means for the rows, and `save` it, a
handful of statements for any number of stations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from bridge.core.availability import AvailabilityOrder
from bridge.core.model import AccountName, Charging, Delivery, Effective, Fact
from bridge.core.reconcile import WANTED, dirty, due_at
from bridge.store.availability import save_orders
from bridge.store.bulk import Bulk, Row, insert_for, or_fail, upsert, upsert_statement
from bridge.store.errors import StoreError
from bridge.store.history_chain import MARK_EVERY, take_change_numbers
from bridge.store.micros import to_micros
from bridge.store.security_events import keep_certificate_requests, keep_security_events
from bridge.store.stations import DELIVERY_COLUMNS, Address, EvseKey, StoredEvse, delivery_values
from bridge.store.tables import charging, connection, delivery, evse_state, fact, history, station
from csms.events import CertificateRequested, SecurityEventReported, StationId, StatusReported


class ConflictingWrite(StoreError):
    """Another process changed EVSE states between our reading and our writing: run the transaction again."""


class StateChange(Struct, frozen=True):
    """An EVSE whose working copy holds a new decision."""

    evse: StoredEvse
    stored: Effective | None
    """The decision before this transaction; None: there was none."""
    seq: int
    """Receive sequence of the newest fact that tells of it."""
    changed_at_w: int | None
    """When its status changed (µs, wall clock); None: it stayed, and another part of the decision changed."""


class EvseChange(Struct, frozen=True):
    """An EVSE's status became another one."""

    evse: StoredEvse
    at_w: int
    """When (µs, wall clock)."""
    decided: Effective
    seq: int
    """Receive sequence of the newest fact that tells of it."""


class DeliveryChange(Struct, frozen=True):
    """A delivery row that asks for something else."""

    stored: Delivery | None
    """As it was before this transaction; None: nobody knows of one."""
    row: Delivery
    at: int
    """Since when (µs, steady) its hub has not had what is desired, if it had it before."""


@dataclass(slots=True)
class Changes:
    """What a transaction changed, collected while it decides and written once by `save`."""

    stations: dict[StationId, dict[str, Any]] = field(default_factory=dict)
    facts: dict[tuple[StationId, Address], tuple[Fact, StatusReported | None]] = field(default_factory=dict)
    """With the report behind it; None: only the fact's marks changed, and its report is stored."""
    dropped_facts: set[tuple[StationId, Address]] = field(default_factory=set)
    charging: dict[tuple[StationId, int], Charging] = field(default_factory=dict)
    retired: set[StationId] = field(default_factory=set)
    """Stations whose facts of another OCPP version go away before anything else is written."""
    states: dict[EvseKey, StateChange] = field(default_factory=dict)
    """One compare-and-set per EVSE, against the version that was read; `save` counts the copies' versions up."""
    history: list[EvseChange] = field(default_factory=list)
    """In the order in which they happened; of each of their EVSEs there is a state."""
    deliveries: dict[tuple[AccountName, EvseKey], DeliveryChange] = field(default_factory=dict)
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
    for _, alike in groupby(sorted(changes.stations.items(), key=_names_of), key=_names_of):
        connection_.execute(_UPDATE_STATIONS, [{"id_": id_, **values} for id_, values in alike])
    if changes.closed_connections:
        closed = changes.closed_connections.items()
        connection_.execute(_CLOSE, [{"id_": id_, "epoch_": epoch, "closed_at": at} for id_, (epoch, at) in closed])
    _save_facts(connection_, changes)
    _save_states(connection_, changes)
    _save_deliveries(connection_, changes)
    if changes.orders:
        save_orders(connection_, changes.orders)
    keep_security_events(connection_, changes.security_events)
    keep_certificate_requests(connection_, changes.certificate_requests)


def _names_of(changed: tuple[StationId, dict[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted(changed[1]))


_UPDATE_STATIONS = sa.update(station).where(station.c.id == sa.bindparam("id_"))
"""Sets the columns that its rows name, each row the same ones: a boot's, a first status's."""
_CLOSE = sa.update(connection).where(
    connection.c.station == sa.bindparam("id_"), connection.c.epoch == sa.bindparam("epoch_")
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
        _fact_row(id_, value, report) for (id_, _), (value, report) in changes.facts.items() if report is not None
    ]
    _UPSERT_FACTS.run(connection_, reported)
    for (id_, address), (value, report) in changes.facts.items():
        if report is None:
            connection_.execute(
                sa.update(fact)
                .where(fact.c.station == id_, fact.c.ocpp_evse == address[0], fact.c.ocpp_connector == address[1])
                .values(doubt=value.doubt, stale=value.stale, boot_doubt=value.boot_doubt)
            )
    if changes.charging:
        upsert(
            connection_, charging, [_charging_values(id_, number, c) for (id_, number), c in changes.charging.items()]
        )


def _fact_row(id_: StationId, value: Fact, report: StatusReported) -> Row:
    return (
        id_,
        value.evse,
        value.connector,
        str(value.status),
        value.seq,
        report.epoch,
        to_micros(value.received_at),
        report.reported_at,
        report.source,
        report.error_code,
        report.vendor_error_code,
        report.info,
        value.doubt,
        value.stale,
        value.charging_from,
        value.boot_doubt,
    )


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


_FACT_COLUMNS = tuple(column.name for column in fact.columns)
_UPSERT_FACTS = Bulk(
    lambda dialect: upsert_statement(dialect, fact, _FACT_COLUMNS),
    _FACT_COLUMNS,
    {"vendor_error_code": "", "info": "", "doubt": False, "stale": False, "boot_doubt": False},
    in_order=True,
)

# --- states -------------------------------------------------------------------------------------------------------

_DECIDED = ("status", "live", "rule", "seq", "changed_at_w")
_UNTIL = ("available_since", "until_w", "until")
_NEVER = (None, None, None)


_KEPT = ("version", *_DECIDED, "last_change")
_STATE_COLUMNS = ("evse", *_KEPT, *_UNTIL)


def _write_state(*columns: str) -> Callable[[str], sa.Insert]:
    """Return the insert of a state, and its compare-and-set where there is one: it overwrites `columns`."""

    def make(dialect: str) -> sa.Insert:
        insert = insert_for(dialect, evse_state)
        overwritten: dict[str, sa.ColumnElement[Any]] = {name: insert.excluded[name] for name in columns}
        overwritten["changed_at_w"] = sa.func.coalesce(insert.excluded.changed_at_w, evse_state.c.changed_at_w)
        read_version = insert.excluded.version - sa.literal_column("1")
        return insert.on_conflict_do_update(
            index_elements=[evse_state.c.evse], set_=overwritten, where=evse_state.c.version == read_version
        )

    return make


_NO_TIME: dict[str, None] = dict.fromkeys(_UNTIL)
_WRITE_STATES = Bulk(_write_state(*_KEPT, *_UNTIL), _STATE_COLUMNS, in_order=True)
_WRITE_TIMELESS = Bulk(_write_state(*_KEPT), _STATE_COLUMNS, _NO_TIME, in_order=True)
"""Of states that no time will change, before and after: what their columns hold, and two indexes of them, stays."""
_HISTORY_COLUMNS = ("id", "evse", "at_w", "status", "live", "rule", "seq", "earlier", "mark")
_INSERT_HISTORY = Bulk(lambda _dialect: or_fail(sa.insert(history).inline()), _HISTORY_COLUMNS)


def _save_states(connection_: sa.Connection, changes: Changes) -> None:
    rows_of_history = _tied(connection_, changes.history)
    timed: list[Row] = []
    timeless: list[Row] = []
    for key, change in changes.states.items():
        change.evse.version += 1
        until = _until(change.evse.effective)
        rows = timeless if until == _NEVER == _until(change.stored) else timed
        rows.append((key, change.evse.version, *_decided(change), change.evse.last_change, *until))
    written = _WRITE_STATES.run(connection_, timed) + _WRITE_TIMELESS.run(connection_, timeless)
    if (missed := len(changes.states) - written) != 0:
        raise ConflictingWrite(f"{missed} EVSE states were changed by another process")
    _INSERT_HISTORY.run(connection_, rows_of_history)


def _tied(connection_: sa.Connection, changes: Sequence[EvseChange]) -> list[Row]:
    """Number the changes, and tie each to the one of its EVSE before it."""
    if not changes:
        return []
    number = take_change_numbers(connection_, len(changes))
    rows: list[Row] = []
    for change in changes:
        evse, decided = change.evse, change.decided
        marked = evse.unmarked >= MARK_EVERY - 1
        status, live, earlier = str(decided.status), str(decided.live), evse.last_change
        mark = evse.key if marked else None
        rows.append((number, evse.key, change.at_w, status, live, decided.rule, change.seq, earlier, mark))
        evse.last_change = number
        evse.unmarked = 0 if marked else evse.unmarked + 1
        number += 1
    return rows


def _decided(change: StateChange) -> Row:
    decided = change.evse.effective
    if decided is None:
        raise AssertionError("a change of a state is a decision")
    return str(decided.status), str(decided.live), decided.rule, change.seq, change.changed_at_w


def _until(decided: Effective | None) -> Row:
    if decided is None:
        return _NEVER
    return to_micros(decided.available_since), to_micros(decided.until_now), to_micros(decided.until_steady)


# --- deliveries ---------------------------------------------------------------------------------------------------

_DELIVERY_NAMES = tuple(column.name for column in DELIVERY_COLUMNS)
_WISH_COLUMNS = ("account", "evse", "desired_at", "due_at", *WANTED)
_DELIVERY_COLUMNS = (*_WISH_COLUMNS, *(name for name in _DELIVERY_NAMES if name not in WANTED))
_LAGS = delivery.c.acked_seq < delivery.c.desired_seq
"""The lag begins with the first change that is not acknowledged."""


def _write_delivery(*columns: str) -> Callable[[str], sa.Insert]:
    """Return the insert of a delivery, which overwrites `columns` of one that is there."""

    def make(dialect: str) -> sa.Insert:
        insert = insert_for(dialect, delivery)
        overwritten: dict[str, sa.ColumnElement[Any]] = {name: insert.excluded[name] for name in columns}
        if "desired_at" in columns:
            overwritten["desired_at"] = sa.case((_LAGS, delivery.c.desired_at), else_=insert.excluded.desired_at)
        return insert.on_conflict_do_update(index_elements=[delivery.c.account, delivery.c.evse], set_=overwritten)

    return make


_WRITE_DELIVERIES = Bulk(_write_delivery(*_DELIVERY_COLUMNS[2:]), _DELIVERY_COLUMNS)
_PLAIN_WISH = {"tombstone": False, "not_before": None, "switched": False}
_WRITE_WISHES = Bulk(_write_delivery(*_WISH_COLUMNS[2:]), _WISH_COLUMNS, _PLAIN_WISH, in_order=True)
_REWRITE_WISHES = Bulk(_write_delivery(*WANTED), _WISH_COLUMNS, _PLAIN_WISH, in_order=True)
"""Of rows that wait for their turn already: since when, and the index by which the lane finds them, stays."""


def _save_deliveries(connection_: sa.Connection, changes: Changes) -> None:
    for account, key in changes.dropped_deliveries:
        connection_.execute(sa.delete(delivery).where(delivery.c.account == account, delivery.c.evse == key))
    whole: list[Row] = []
    moved: list[Row] = []
    waiting: list[Row] = []
    for (account, key), change in changes.deliveries.items():
        stored, row, due = change.stored, change.row, due_at(change.row)
        wish = (account, key, change.at, to_micros(due), *_wish(row))
        if stored is None or stored.references != row.references:
            values = delivery_values(row)
            whole.append((*wish, *(values[name] for name in _DELIVERY_COLUMNS[len(wish) :])))
        elif dirty(stored) and due == due_at(stored):
            waiting.append(wish)
        else:
            moved.append(wish)
    _WRITE_DELIVERIES.run(connection_, whole)
    _WRITE_WISHES.run(connection_, moved)
    _REWRITE_WISHES.run(connection_, waiting)


def _wish(row: Delivery) -> Row:
    return row.desired, row.desired_seq, row.tombstone, to_micros(row.not_before), row.switched
