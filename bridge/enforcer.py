"""Move what temporary statuses want of stations: open availability orders → ChangeAvailability → settled.

Level-triggered like a lane: a row says what is wanted, and this asks the stations that are connected, one request per
station at a time, several stations at once. A row is marked in the store before its request goes out, so that whatever
crashes when, only what may have been made inoperative is ever made operative again. Never decides what is wanted:
`derive` does, by `core.availability`. After it: the stations' own reports, which change the EVSE's live status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from bridge.core.availability import (
    RETRIES,
    Availability,
    AvailabilityOrder,
    begun,
    joined,
    settled,
    targets,
)
from bridge.core.backoff import longest
from bridge.core.model import Moment
from bridge.store.availability import clamp_waits, open_orders
from bridge.store.changes import Changes, save
from bridge.store.errors import StoreError
from bridge.store.micros import to_micros
from bridge.store.stations import EvseKey, load
from bridge.store.transaction import Transaction
from bridge.store.working_copies import drop_copies
from bridge.store.writer import Writer
from csms.events import ChangeAnswer, ChangeOutcome, ConnectorAddress, StationId

log = structlog.get_logger(__name__)

_ROUND = timedelta(seconds=30)
"""A look that takes longer, and not because of the storage, is one that hangs."""


class Stations(Protocol):
    """Calls stations; `csms.server.CentralSystem` in the product."""

    def is_connected(self, station: StationId) -> bool:
        """Is a socket of the station open."""
        ...

    async def change_availability(
        self, station: StationId, address: ConnectorAddress, *, operative: bool
    ) -> ChangeAnswer:
        """Send one ChangeAvailability; AWAY where nothing was sent."""
        ...


@dataclass(frozen=True, slots=True)
class EnforcerOptions:
    """How often open orders are looked at, and how many stations are asked at once."""

    period: timedelta = timedelta(seconds=1)
    """While an order is open."""
    idle: timedelta = timedelta(seconds=30)
    """While none is, and no wake-up came."""
    at_once: int = 50


@dataclass(frozen=True, slots=True)
class Attempt:
    """One EVSE's order as it was before it was marked, and what the station is to be asked for it."""

    station: StationId
    evse: EvseKey
    order: AvailabilityOrder
    targets: tuple[ConnectorAddress, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """How the station took an attempt."""

    attempt: Attempt
    answer: ChangeAnswer
    at: Moment
    jitter: float


class Enforcer:
    """Serves every availability order. One per process."""

    def __init__(
        self,
        writer: Writer,
        stations: Stations,
        *,
        clock: Callable[[], Moment],
        jitter: Callable[[], float],
        options: EnforcerOptions,
        went_round: Callable[[timedelta], None] = lambda _patience: None,
    ) -> None:
        self._went_round = went_round
        self._writer = writer
        self._stations = stations
        self._clock = clock
        self._jitter = jitter
        self._options = options
        self._woken = asyncio.Event()
        self._busy: set[StationId] = set()
        self._waiting_for_storage = False

    def wake(self) -> None:
        """Look soon: an order changed, or a station came back; on the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        turns = asyncio.Semaphore(self._options.at_once)
        started = False
        async with asyncio.TaskGroup() as asking:
            while True:
                self._woken.clear()
                self._went_round(self._options.idle + _ROUND)
                pause = self._options.period
                try:
                    if not started:
                        await self._writer.submit(resume, self._clock())
                        started = True
                    found = await self._writer.submit(list_open, None)
                except StoreError as error:
                    self._log_storage(error)
                else:
                    self._log_storage(None)
                    self._ask_due(found, asking, turns)
                    pause = self._options.period if found else self._options.idle
                await self._sleep(pause)

    async def _sleep(self, pause: timedelta) -> None:
        try:
            async with asyncio.timeout(pause.total_seconds()):
                await self._woken.wait()
        except TimeoutError:
            return

    def _ask_due(
        self,
        found: Sequence[tuple[StationId, EvseKey, AvailabilityOrder]],
        asking: asyncio.TaskGroup,
        turns: asyncio.Semaphore,
    ) -> None:
        steady = self._clock().steady
        due: dict[StationId, list[EvseKey]] = {}
        for station, key, order in found:
            waits = order.not_before is not None and steady < order.not_before
            if not waits and station not in self._busy and self._stations.is_connected(station):
                due.setdefault(station, []).append(key)
        for station, keys in due.items():
            self._busy.add(station)
            asking.create_task(self._serve(station, keys, turns), name=f"availability {station}")

    async def _serve(self, station: StationId, keys: Sequence[EvseKey], turns: asyncio.Semaphore) -> None:
        """Ask one station about each of these EVSEs, one after the other."""
        try:
            async with turns:
                for key in keys:
                    await self._enforce(station, key)
        except StoreError as error:
            self._log_storage(error)
        except Exception:
            log.exception("availability_failed", station=station)
        finally:
            self._busy.discard(station)

    async def _enforce(self, station: StationId, key: EvseKey) -> None:
        attempt = await self._writer.submit(begin, (station, key))
        if attempt is None:
            return
        operative = attempt.order.wanted is Availability.OPERATIVE
        answers = [
            await self._stations.change_availability(station, address, operative=operative)
            for address in attempt.targets
        ]
        answer = joined(answers)
        await self._writer.submit(settle, Answer(attempt, answer, self._clock(), self._jitter()))
        log.info(
            "availability_changed" if answer.outcome in _TAKEN else "availability_not_changed",
            station=station,
            wanted=attempt.order.wanted.value,
            outcome=answer.outcome.value,
            why=answer.why,
        )

    def _log_storage(self, error: StoreError | None) -> None:
        """One line when storage fails, one when it is back."""
        if error is not None and not self._waiting_for_storage:
            log.warning("enforcer_waiting_for_storage", why=str(error))
        if error is None and self._waiting_for_storage:
            log.info("enforcer_storage_recovered")
        self._waiting_for_storage = error is not None


_TAKEN = (ChangeOutcome.ACCEPTED, ChangeOutcome.SCHEDULED)


# --- in the writer's thread -----------------------------------------------------------------------------------------


def resume(conn: Transaction, starts: Sequence[Moment]) -> list[None]:
    """Let no order that an earlier process left behind wait longer than its own maximum."""
    for at in starts:
        clamp_waits(conn, to_micros(at.steady + longest(RETRIES)))
        drop_copies(conn)
    return [None] * len(starts)


def list_open(conn: Transaction, requests: Sequence[None]) -> list[list[tuple[StationId, EvseKey, AvailabilityOrder]]]:
    """Return every order that a station is still to be told."""
    found = [(station, EvseKey(key), order) for station, key, order in open_orders(conn)]
    return [found for _ in requests]


def begin(conn: Transaction, requests: Sequence[tuple[StationId, EvseKey]]) -> list[Attempt | None]:
    """Mark orders before their requests go out; None where there is nothing (more) to tell the station."""
    results: list[Attempt | None] = []
    for id_, key in requests:
        station = load(conn, [id_]).get(id_)
        evse = None if station is None else station.evses.get(key)
        order = None if evse is None else evse.order
        if station is None or evse is None or order is None or not order.open or not evse.connectors:
            results.append(None)
            continue
        own = [ConnectorAddress(*address) for address in evse.connectors]
        others = [ConnectorAddress(*address) for address, owner in station.by_address.items() if owner != key]
        evse.order = begun(order)
        save(conn, Changes(orders={key: evse.order}))
        results.append(Attempt(id_, key, order, targets(own, others)))
    return results


def settle(conn: Transaction, answers: Sequence[Answer]) -> list[None]:
    """Store how stations took what was sent, against what is wanted by now."""
    for answer in answers:
        attempt = answer.attempt
        station = load(conn, [attempt.station]).get(attempt.station)
        evse = None if station is None else station.evses.get(attempt.evse)
        if evse is None or evse.order is None:
            continue
        evse.order = settled(evse.order, attempt.order, answer.answer, answer.at.steady, answer.jitter)
        save(conn, Changes(orders={attempt.evse: evse.order}))
    return [None] * len(answers)
