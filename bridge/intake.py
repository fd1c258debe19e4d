"""Move station events into the store: events → facts → derive in one transaction, then the stations' answers.

Implements `csms.ports.Recorder`. A method that returns has committed with full durability: "a status that a station was
told we have" begins here. Events of all stations that arrive while one transaction commits share the next one.
Never sends anything; after it, lanes and the ticker are woken without content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, assert_never

import structlog
from msgspec import Struct

from bridge.core import facts
from bridge.core.model import Charging, Fact, Moment
from bridge.derive import Derived, DeriveOptions, derive, touched_by
from bridge.store.changes import Changes, ConflictingWrite, save
from bridge.store.connections import open_connections
from bridge.store.counters import take_numbers
from bridge.store.errors import StoreError
from bridge.store.jobs import ItemFailed
from bridge.store.micros import to_micros
from bridge.store.stations import Address, EvseKey, StoredStation, load
from bridge.store.transaction import UNSTORABLE, Transaction
from bridge.store.writer import Writer
from csms.events import (
    CertificateRequested,
    Epoch,
    OcppVersion,
    Receipt,
    ResyncEnded,
    ResyncFinished,
    ResyncOutcome,
    SecurityEventReported,
    StationBooted,
    StationConnected,
    StationDisconnected,
    StationEvent,
    StationId,
    StatusReported,
    TransactionIdNeeded,
    TransactionReported,
)
from csms.ports import EventRefused, NotRecorded, Superseded

log = structlog.get_logger(__name__)

MAX_ADDRESSES = 128
"""Connectors and EVSEs that one station may report: a hostile station cannot make rows without bound."""

_READ_AGAIN = 3
"""How often an event is written anew after another process changed the same EVSE meanwhile."""


class Arrival(Struct, frozen=True):
    """One event with the moment of its receipt."""

    event: StationEvent
    at: Moment


class Intake:
    """Records what stations tell us. One per process; all writing goes through the one writer."""

    def __init__(
        self,
        writer: Writer,
        *,
        clock: Callable[[], Moment],
        node: str,
        options: DeriveOptions,
        woken: Callable[[Derived], None],
        heard: Callable[[StationId], None],
        came_or_went: Callable[[StationId], None] = lambda _station: None,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._node = node
        self._options = options
        self._woken = woken
        self._heard = heard
        self._came_or_went = came_or_went
        self._handler = self._record

    async def open(self, connected: StationConnected) -> Epoch:
        """Record a new connection and return its epoch. Raises: NotRecorded."""
        payload = (connected, self._node, to_micros(self._clock().steady))
        try:
            epoch = await self._writer.submit(open_connections, payload)
        except StoreError as error:
            raise NotRecorded(str(error)) from error
        self._came_or_went(connected.station)
        return epoch

    async def record(self, event: StationEvent) -> Receipt:
        """Commit one event and return its receipt. Raises: NotRecorded, EventRefused, Superseded."""
        arrival = Arrival(event, self._clock())
        try:
            try:
                receipt = await self._writer.submit(self._handler, arrival)
            except ConflictingWrite:
                receipt = await self._write_anew(arrival)
        except StoreError as error:
            raise NotRecorded(str(error)) from error
        except UNSTORABLE as error:
            raise EventRefused(f"a value of this {type(event).__name__} fits no column") from error
        if isinstance(event, StationDisconnected):
            self._came_or_went(event.station)
        return receipt

    async def _write_anew(self, arrival: Arrival) -> Receipt:
        """Write an event that another process was faster with, on what is read again."""
        for _ in range(_READ_AGAIN - 1):
            try:
                return await self._writer.submit(self._handler, arrival)
            except ConflictingWrite:
                continue
        return await self._writer.submit(self._handler, arrival)

    def heard(self, station: StationId) -> None:
        """Note that a frame of the station arrived just now."""
        self._heard(station)

    def _record(self, connection: Transaction, arrivals: Sequence[Arrival]) -> list[Receipt | ItemFailed]:
        """Run in the writer's thread: the events of one transaction, in the order of their arrival."""
        batch = _Batch(connection, arrivals, self._options)
        receipts = batch.run()
        save(connection, batch.changes)
        derived = batch.derived
        if derived.decided or derived.accounts or derived.until_now or derived.until_steady or derived.orders:
            self._woken(derived)
        return receipts


class _Batch:
    """The events of one transaction, applied one after the other to one working copy."""

    def __init__(self, connection: Transaction, arrivals: Sequence[Arrival], options: DeriveOptions) -> None:
        self._connection = connection
        self._arrivals = arrivals
        self._options = options
        self._stations = load(connection, list({arrival.event.station: None for arrival in arrivals}))
        self.changes = Changes()
        self.derived = Derived()

    def run(self) -> list[Receipt | ItemFailed]:
        seq = take_numbers(self._connection, "receive_seq", len(self._arrivals))
        receipts: list[Receipt | ItemFailed] = []
        for number, arrival in enumerate(self._arrivals, start=seq):
            refusal = self._refusal(arrival.event)
            if refusal is not None:
                receipts.append(ItemFailed(refusal))
                continue
            receipts.append(self._apply(arrival, number))
        return receipts

    def _refusal(self, event: StationEvent) -> EventRefused | Superseded | None:
        station = self._stations.get(event.station)
        if station is None:
            return EventRefused(f"station {event.station!r} is not in the inventory")
        if event.epoch < station.epoch:
            return Superseded(f"connection {event.epoch} of {event.station!r} was superseded by {station.epoch}")
        if isinstance(event, StatusReported):
            new = (event.evse, event.connector) not in station.facts
            if new and len(station.facts) >= MAX_ADDRESSES:
                return EventRefused(f"station {event.station!r} reports more than {MAX_ADDRESSES} connectors")
        return None

    def _apply(self, arrival: Arrival, seq: int) -> Receipt:
        event, at = arrival.event, arrival.at
        station = self._stations[event.station]
        match event:
            case StatusReported():
                self._status_reported(station, event, seq, at)
            case TransactionReported():
                self._transaction_reported(station, event, seq, at)
            case StationBooted():
                self._booted(station, event, at)
            case ResyncEnded():
                self._resync_ended(station, event, at)
            case ResyncFinished():
                self._resync_finished(station, at)
            case StationDisconnected():
                self._disconnected(station, event, at)
            case TransactionIdNeeded():
                return Receipt(seq, take_numbers(self._connection, "transaction_id", 1))
            case SecurityEventReported():
                self.changes.security_events.append((event, to_micros(at.now)))
            case CertificateRequested():
                self.changes.certificate_requests.append((event, to_micros(at.now)))
            case _:
                assert_never(event)
        return Receipt(seq)

    # --- one method per event, each: change the facts, then derive for the EVSEs that they decide ----------------

    def _status_reported(self, station: StoredStation, event: StatusReported, seq: int, at: Moment) -> None:
        retired = self._retire_other_version(station, event.version)
        address = (event.evse, event.connector)
        fact = facts.after_status(station.facts.get(address), event, seq=seq, received_at=at.steady)
        self._keep_fact(station, fact, event)
        touched = station.evses if retired else touched_by(station, address)
        before = station.charging.get(event.evse) if event.evse and event.connector else None
        after = facts.after_connector_status(before, fact)
        if after is not None and after is not before:
            self._keep_charging(station, event.evse, after)
            touched = {*touched, *touched_by(station, (event.evse, 0))}
        self._derive(station, self._returned(station) or sorted(touched), at)

    def _transaction_reported(self, station: StoredStation, event: TransactionReported, seq: int, at: Moment) -> None:
        number = event.evse if event.evse else _evse_of_transaction(station, event.transaction)
        if number is None or (number not in station.charging and len(station.charging) >= MAX_ADDRESSES):
            return
        before = station.charging.get(number)
        self._keep_charging(station, number, facts.after_transaction(before, event, seq=seq, received_at=at.steady))
        self._derive(station, self._returned(station) or touched_by(station, (number, 0)), at)

    def _booted(self, station: StoredStation, event: StationBooted, at: Moment) -> None:
        values: dict[str, Any] = {
            "vendor": event.vendor,
            "model": event.model,
            "serial": event.serial,
            "firmware": event.firmware,
            "booted_at": to_micros(at.steady),
        }
        if station.accepted_at is None:
            station.accepted_at = values["accepted_at"] = to_micros(at.steady)
        if event.firmware != station.firmware:
            values["refuses_trigger"] = False
            station.firmware = event.firmware
        self._change_station(station, values)
        for fact in list(station.facts.values()):
            if fact.connector == 0:
                self._change_fact(station, facts.after_boot(fact))
        self._derive(station, self._returned(station), at)

    def _resync_ended(self, station: StoredStation, event: ResyncEnded, at: Moment) -> None:
        if event.outcome is ResyncOutcome.REFUSED:
            self._change_station(station, {"refuses_trigger": True})
        address = (event.evse, event.connector)
        fact = station.facts.get(address)
        if fact is not None and fact.doubt:
            self._change_fact(station, facts.after_resync_ended(fact))
        charging = station.charging.get(event.evse)
        if charging is not None and charging.doubt:
            self._keep_charging(station, event.evse, facts.after_resync_ended_charging(charging))
        self._derive(station, touched_by(station, address), at)

    def _resync_finished(self, station: StoredStation, at: Moment) -> None:
        for address, fact in list(station.facts.items()):
            kept = facts.after_resync_finished(fact)
            if kept is None:
                del station.facts[address]
                self.changes.dropped_facts.add((station.id, address))
                self.changes.facts.pop((station.id, address), None)
                log.info("layer0_dropped", station=station.id, status=fact.status.value, why="not repeated after boot")
            else:
                self._change_fact(station, kept)
        for number, charging in list(station.charging.items()):
            if charging.doubt:
                self._keep_charging(station, number, facts.after_resync_ended_charging(charging))
        self._derive(station, station.evses, at)

    def _disconnected(self, station: StoredStation, event: StationDisconnected, at: Moment) -> None:
        self.changes.closed_connections[station.id] = (event.epoch, to_micros(at.steady))

    # --- shared steps --------------------------------------------------------------------------------------------

    def _derive(self, station: StoredStation, keys: Iterable[EvseKey], at: Moment) -> None:
        derive(station, keys, at=at, options=self._options, changes=self.changes, derived=self.derived)

    def _returned(self, station: StoredStation) -> tuple[EvseKey, ...]:
        """Clear the declaration of unreachability, which any inbound frame does; return all EVSEs if there was one."""
        if station.unreachable_at is None:
            return ()
        station.unreachable_at = None
        self._change_station(station, {"unreachable_at": None})
        log.info("station_returned", station=station.id)
        return tuple(station.evses)

    def _retire_other_version(self, station: StoredStation, version: OcppVersion) -> bool:
        """Facts of the other OCPP version retire at the first status on the new one; tell whether some may have.

        They retire because 1.6 counts connectors without EVSEs. 2.0.1 and 2.1 address the same connectors and mean the
        same by a status: a firmware that only moves from one to the other leaves its facts as good as they were.
        OCPP 1.6 knows no transaction facts, so those that a 2.x station has sent before its first status are its own.
        """
        if station.fact_version == version.value:
            return False
        known_before = station.fact_version is not None and OcppVersion.V16 in (station.fact_version, version)
        if known_before:
            self.changes.retired.add(station.id)
            kept = {} if version is OcppVersion.V16 else dict(station.charging)
            station.facts.clear()
            station.charging.clear()
            for key in [key for key in self.changes.facts if key[0] == station.id]:
                del self.changes.facts[key]
            for owned in [key for key in self.changes.charging if key[0] == station.id]:
                del self.changes.charging[owned]
            for number, charging in kept.items():
                self._keep_charging(station, number, charging)
        station.fact_version = version.value
        self._change_station(station, {"fact_version": version.value})
        return known_before

    def _change_station(self, station: StoredStation, values: dict[str, Any]) -> None:
        self.changes.stations.setdefault(station.id, {}).update(values)

    def _keep_fact(self, station: StoredStation, fact: Fact, report: StatusReported) -> None:
        address: Address = (fact.evse, fact.connector)
        station.facts[address] = fact
        self.changes.facts[station.id, address] = (fact, report)

    def _change_fact(self, station: StoredStation, fact: Fact) -> None:
        """Keep a fact whose report is the stored one, with other marks (doubt, stale, boot_doubt)."""
        address: Address = (fact.evse, fact.connector)
        if station.facts[address] == fact:
            return
        station.facts[address] = fact
        _, report = self.changes.facts.get((station.id, address), (fact, None))
        self.changes.facts[station.id, address] = (fact, report)

    def _keep_charging(self, station: StoredStation, number: int, charging: Charging) -> None:
        station.charging[number] = charging
        self.changes.charging[station.id, number] = charging


def _evse_of_transaction(station: StoredStation, transaction: str) -> int | None:
    """Return the OCPP EVSE of a transaction that named none: "an event without evse belongs to its transactionId's"."""
    return next((n for n, charging in station.charging.items() if charging.transaction == transaction), None)
