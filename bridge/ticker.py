"""Move what the passing of time alone has changed: holds that end, temporary statuses, stations gone silent.

Wakes at the earliest such time that a derivation named, and at least every second. Never sends anything to a hub. After
it: `passing`, whose handlers write what it finds; a `Prober` asks silent stations.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bridge.core.model import Moment
from bridge.core.reachability import Presence, ReachabilityOptions, judge, resumed_heard_at
from bridge.derive import Derived, DeriveOptions
from bridge.documents import DocumentPlan
from bridge.passing import EVSES_A_TURN, Declaration, Passing, list_stations, note, resume
from bridge.store.errors import StoreError
from bridge.store.micros import to_micros
from bridge.store.writer import Writer
from csms.events import StationId

log = structlog.get_logger(__name__)

_STATIONS_A_TURN = 512
_FARTHEST = timedelta(days=1)
"""Nobody waits longer for anything; the year 9999, by which people mean for ever, is beyond what a clock can add up."""
_SHORTEST_SLEEP = timedelta(milliseconds=5)
"""However much is due, others get to run."""
_ROUND = timedelta(seconds=30)
"""A round that takes longer, and not because of the storage, is one that hangs."""


class Prober(Protocol):
    """Asks stations; `csms.server.CentralSystem` in the product."""

    def connected_ids(self) -> frozenset[StationId]:
        """Return the stations of which a socket is open."""
        ...

    async def ask(self, station: StationId) -> None:
        """Send one TriggerMessage to a silent station; any frame of it will be heard."""
        ...

    async def resync(self, station: StationId) -> None:
        """Ask the station for every connector's status, since it came back on the socket it had."""
        ...


@dataclass(frozen=True, slots=True)
class TickerOptions:
    """How silence is judged, and how often what was heard is stored; filled from the configuration."""

    reachability: ReachabilityOptions
    derive: DeriveOptions
    node: str
    documents: tuple[DocumentPlan, ...] = ()
    """What accounts mirror of temporary statuses, which end and, where the clock steps back, return."""
    period: timedelta = timedelta(seconds=1)
    stood_still: timedelta = timedelta(seconds=30)
    """A tick that comes so much later than it should ends a time in which nobody listened."""
    step: timedelta = timedelta(milliseconds=500)
    """How far the wall clock may drift from the steady one before that counts as a step."""
    close_every: timedelta = timedelta(minutes=10)
    """How often temporary statuses that ended long ago are looked for."""
    note_every: timedelta = timedelta(seconds=30)


class Ticker:
    """Turns the passing of time into writes. One per process."""

    def __init__(
        self,
        writer: Writer,
        *,
        clock: Callable[[], Moment],
        options: TickerOptions,
        woken: Callable[[Derived], None],
        prober: Prober,
        went_round: Callable[[timedelta], None] = lambda _patience: None,
    ) -> None:
        self._went_round = went_round
        self._writer = writer
        self._clock = clock
        self._options = options
        self._passing = Passing(options.derive, clock=clock, woken=woken, documents=options.documents)
        self._prober = prober
        self._presences: dict[StationId, Presence] = {}
        self._heard: dict[StationId, datetime] = {}
        self._connected: frozenset[StationId] = frozenset()
        self._judge_again = True
        """The last verdict was not quiet, or something has happened since that it does not hold for."""
        self._quiet_until: datetime | None = None
        """Where it was quiet: steady time at which the passing of time changes it; None: never."""
        self._losses: deque[datetime] = deque()
        self._next_at = asyncio.Event()
        self._next_due: datetime | None = None
        self._noted_at: datetime | None = None
        self._ahead: timedelta | None = None
        self._closed_at: datetime | None = None
        self._mass = False
        self._waiting_for_storage = False
        self._asking: set[asyncio.Task[None]] = set()

    # --- what others tell it --------------------------------------------------------------------------------------

    def heard(self, station: StationId) -> None:
        """Note that a frame or pong of the station arrived just now."""
        self._heard[station] = self._clock().steady

    def due(self, derived: Derived) -> None:
        """Note when a derivation must be looked at again; both clocks are read as distances from now."""
        at = self._clock()
        for until, clock in ((derived.until_now, at.now), (derived.until_steady, at.steady)):
            if until is not None:
                self._wake_by(at.steady + min(until - clock, _FARTHEST))

    def _wake_by(self, moment: datetime) -> None:
        if self._next_due is None or moment < self._next_due:
            self._next_due = moment
            self._next_at.set()

    # --- its own loop ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Resume from the store: who was silent for how long, and what the configuration now makes of every EVSE.

        Raises: StoreError.
        """
        at = self._clock()
        latest = at.steady + self._options.derive.moved_keeps
        stored = await self._writer.submit(resume, (self._options.node, to_micros(at.steady), to_micros(latest)))
        for presence in stored.presences:
            heard_at = resumed_heard_at(
                started=at.steady,
                alive_at=stored.alive_at or at.steady,
                heard_at=presence.heard_at,
                options=self._options.reachability,
                unreachable_at=presence.unreachable_at,
            )
            self._presences[presence.station] = Presence(
                station=presence.station,
                heard_at=heard_at,
                connected=False,
                unreachable_at=None if presence.unreachable_at is None else min(presence.unreachable_at, at.steady),
            )
        await self._note(at)
        await self.rederive_all()

    async def rederive_all(self) -> None:
        """Derive every EVSE anew: mapping tables, routes or the inventory may have changed."""
        stations = await self._writer.submit(list_stations, None)
        for first in range(0, len(stations), _STATIONS_A_TURN):
            await self._writer.submit(self._passing.rederive, tuple(stations[first : first + _STATIONS_A_TURN]))

    async def run(self) -> None:
        """Tick until cancelled. Raises: StoreError where storage is broken for good."""
        while True:
            self._went_round(self._options.period + _ROUND)
            began = self._clock().steady
            try:
                await self.tick()
            except StoreError as error:
                self._log_storage(error)
            else:
                self._log_storage(None)
            await self._sleep()
            self._follow_standstill(began, self._clock().steady)

    async def tick(self) -> None:
        """Do everything that is due now. Raises: StoreError."""
        at = self._clock()
        await self._follow_wall_clock(at)
        while True:
            found, until = await self._writer.submit(self._passing.tick, at)
            self.due(until)
            if found < EVSES_A_TURN:
                break
            self._went_round(self._options.period + _ROUND)
        await self._judge(at)
        await self._note(at)
        await self._close_temporaries(at)

    async def stop(self) -> None:
        """Store what was heard, so that silence is counted right after a restart. Raises: StoreError."""
        asking = tuple(self._asking)
        for task in asking:
            task.cancel()
        if asking:
            await asyncio.wait(asking)
        self._take_in_what_was_heard()
        self._noted_at = None
        await self._note(self._clock())

    async def _sleep(self) -> None:
        """Sleep to the earliest time named; a time named meanwhile that is earlier still ends it sooner."""
        starts = self._clock().steady
        ends, earliest = starts + self._options.period, starts + _SHORTEST_SLEEP
        while (left := max(earliest, min(ends, self._next_due or ends)) - self._clock().steady) > timedelta(0):
            self._next_at.clear()
            try:
                async with asyncio.timeout(left.total_seconds()):
                    await self._next_at.wait()
            except TimeoutError:
                break
        self._next_due = None

    # --- the wall clock -------------------------------------------------------------------------------------------

    async def _follow_wall_clock(self, at: Moment) -> None:
        """Decide anew where temporary statuses are once the wall clock has stepped against the steady one.

        A step forward would be noticed by what is due; a step back would leave in force what has not begun.
        """
        ahead = at.now - at.steady
        if self._ahead is not None and abs(ahead - self._ahead) < self._options.step:
            return
        await self._writer.submit(self._passing.follow_step, at)
        if self._ahead is not None:
            log.warning("wall_clock_stepped", by_s=(ahead - self._ahead).total_seconds())
        self._ahead = ahead

    async def _close_temporaries(self, at: Moment) -> None:
        """Look now and then for temporary statuses that ended long ago; at once again where there were many."""
        if self._closed_at is not None and at.steady - self._closed_at < self._options.close_every:
            return
        if await self._writer.submit(self._passing.close_temporaries, at) < EVSES_A_TURN:
            self._closed_at = at.steady

    def _log_storage(self, error: StoreError | None) -> None:
        """One line when storage fails, one when it is back."""
        if error is not None and not self._waiting_for_storage:
            log.warning("ticker_waiting_for_storage", why=str(error))
        if error is None and self._waiting_for_storage:
            log.info("ticker_storage_recovered")
        self._waiting_for_storage = error is not None

    # --- silence --------------------------------------------------------------------------------------------------

    def _follow_standstill(self, began: datetime, now: datetime) -> None:
        """Count no silence of a time in which the process was stopped: as after a restart, nobody listened."""
        if now - began < self._options.period + self._options.stood_still:
            return
        self._take_in_what_was_heard()
        log.warning("process_stood_still", for_s=(now - began).total_seconds())
        for station, presence in self._presences.items():
            heard_at = resumed_heard_at(
                started=now,
                alive_at=began,
                heard_at=presence.heard_at,
                options=self._options.reachability,
                unreachable_at=presence.unreachable_at,
            )
            self._presences[station] = replace(presence, heard_at=heard_at, asked_at=None)
        self._judge_again = True

    async def _judge(self, at: Moment) -> None:
        self._take_in_what_was_heard()
        if not self._judge_again and (self._quiet_until is None or at.steady < self._quiet_until):
            return  # ten thousand stations take 15 ms, and others wait meanwhile
        while self._losses and at.steady - self._losses[0] > self._options.reachability.mass_window:
            self._losses.popleft()
        verdict = judge(self._presences.values(), tuple(self._losses), at.steady, self._options.reachability)
        if verdict.mass != self._mass:
            self._mass = verdict.mass
            log.warning("mass_silence_suspected" if verdict.mass else "mass_silence_ended")
        self._hold(frozenset(verdict.held))
        for station in verdict.ask:
            self._presences[station] = replace(self._presences[station], asked_at=at.steady)
            self._start_asking(self._prober.ask(station), station)
        if verdict.lost or verdict.returned:
            await self._writer.submit(self._passing.declare, Declaration(verdict.lost, verdict.returned, at))
        for station in verdict.lost:
            self._losses.append(at.steady)
            self._presences[station] = replace(self._presences[station], unreachable_at=at.steady)
            log.info("station_lost", station=station, silent_since=self._presences[station].heard_at.isoformat())
        for station in verdict.returned:
            self._presences[station] = replace(self._presences[station], unreachable_at=None)
            log.info("station_returned", station=station)
            self._start_asking(self._prober.resync(station), station)
        self._judge_again, self._quiet_until = not verdict.quiet, verdict.next_at

    def _hold(self, held: frozenset[StationId]) -> None:
        for station, presence in self._presences.items():
            if presence.held is not (station in held):
                self._presences[station] = replace(presence, held=not presence.held)

    def _take_in_what_was_heard(self) -> None:
        heard, self._heard = self._heard, {}
        before, self._connected = self._connected, self._prober.connected_ids()
        for station, heard_at in heard.items():
            presence = self._presences.get(station)
            if presence is None:
                self._presences[station] = Presence(station, heard_at, connected=station in self._connected)
                self._judge_again = True
            else:
                self._presences[station] = replace(presence, heard_at=heard_at, asked_at=None)
                was_asked_or_lost = presence.asked_at is not None or presence.unreachable_at is not None
                self._judge_again = self._judge_again or was_asked_or_lost
        for station in before ^ self._connected:
            presence = self._presences.get(station)
            if presence is not None:
                self._presences[station] = replace(presence, connected=station in self._connected)
                self._judge_again = self._judge_again or presence.asked_at is not None

    def _start_asking(self, asking: Coroutine[None, None, None], station: StationId) -> None:
        task = asyncio.create_task(asking, name=f"ask:{station}")
        self._asking.add(task)
        task.add_done_callback(self._asked)

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("station_not_asked", task=task.get_name(), why=str(task.exception()))

    async def _note(self, at: Moment) -> None:
        """Store lazily when stations were heard of: at most one write per `note_every`."""
        if self._noted_at is not None and at.steady - self._noted_at < self._options.note_every:
            return
        heard = {
            presence.station: presence.heard_at
            for presence in self._presences.values()
            if self._noted_at is None or presence.heard_at >= self._noted_at
        }
        removed = await self._writer.submit(note, (self._options.node, at.steady, heard))
        self._noted_at = at.steady
        for station in removed & self._presences.keys():
            del self._presences[station]
