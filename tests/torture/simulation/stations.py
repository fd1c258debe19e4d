"""Pretend to be a charging station: it changes, reports, drops its connection and comes back, as its seed says.

It keeps a journal of what it was told we have. It does not repeat a status that was answered, with whatever; it reports
what has changed while nobody heard it once it is back, or waits until it is asked, as stations do.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from csms.events import OcppVersion
from tests.torture.simulation.dishonest_clocks import Clock, honest
from tests.torture.simulation.wires import Wire

_ANSWER_S = 30.0
_HEARTBEAT_S = 600.0

STATUSES_16 = (
    ("Available", 6), ("Preparing", 1), ("Charging", 4), ("SuspendedEV", 1), ("Finishing", 1), ("Reserved", 1),
    ("Unavailable", 1), ("Faulted", 1),
)  # fmt: skip
STATUSES_2X = (("Available", 5), ("Occupied", 5), ("Reserved", 1), ("Unavailable", 1), ("Faulted", 1))


@dataclass(frozen=True, slots=True)
class Habits:
    """What one station is like."""

    version: OcppVersion
    connectors: tuple[tuple[int, int], ...]
    """(evse, connector) as in the inventory: evse 0 in OCPP 1.6."""
    change_s: float = 600.0
    """Mean time between changes of a connector."""
    drop_s: float = 7200.0
    """Mean time between lost connections."""
    away_s: float = 60.0
    """Mean time until it is back."""
    silent: bool = False
    """Reports nothing by itself when it is back: it must be asked."""
    refuses: bool = False
    """Refuses TriggerMessage."""
    clock: Clock = honest
    """What it says that its clock shows."""
    mute: frozenset[tuple[int, int]] = frozenset()
    """Connectors of the inventory that it does not have: nobody hears of them."""
    boots: float = 0.2
    """How often it boots when it connects again."""
    blinks: bool = False
    """Says Available for a moment before whatever a connector is, after a boot: EVerest PR 2481."""


@dataclass(slots=True)
class Reported:
    """One status that it reported, and what came of it."""

    n: int
    address: tuple[int, int]
    status: str
    stamp: str
    """When its clock was right: no two of a run are equal, and later ones compare greater."""
    said: str | None
    """What it said of when; None: nothing."""
    answered: bool = False


class Door(Protocol):
    """Where a station connects to."""

    async def connect(self, station: Station, wire: Wire) -> Callable[[str | None], None] | None:
        """Open a connection and return what takes the station's frames; None: refused, or nobody there."""
        ...


@dataclass
class Station:
    """One station. Run `live` as a task; `calm` lets it change and drop no more."""

    name: str
    habits: Habits
    chance: random.Random
    door: Door
    stamps: Callable[[], str]
    make_wire: Callable[[], Wire]
    on_answered: Callable[[], None] = lambda: None
    journal: list[Reported] = field(default_factory=list)
    actual: dict[tuple[int, int], str] = field(default_factory=dict)
    calm: bool = False
    away: bool = False
    """Has no power: it does not come back before this is False."""
    connections: int = 0
    _booted: bool = False
    _unsaid: set[tuple[int, int]] = field(default_factory=set)
    _calls: dict[str, asyncio.Future[list[Any]]] = field(default_factory=dict)
    _take: Callable[[str | None], None] | None = None
    _lost: asyncio.Event = field(default_factory=asyncio.Event)
    _wire: Wire | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def connected(self) -> bool:
        """Does it believe that it is connected."""
        return self._take is not None

    async def live(self) -> None:
        """Live until cancelled."""
        for address in self.habits.connectors:
            if address not in self.habits.mute:
                self.actual.setdefault(address, "Available")
                self._unsaid.add(address)
                self._start(self._change(address))
        while True:
            if not self.away and await self._connect():
                self._start(self._report())
                await self._until_lost()
            await asyncio.sleep(self.chance.expovariate(1 / self.habits.away_s) if not self.calm else 5.0)

    def set(self, address: tuple[int, int], status: str) -> None:
        """Let a connector have a status from now on, and report it as the station would."""
        self.actual[address] = status
        self._unsaid.add(address)
        if self.connected:
            self._start(self._say(address))

    def drop(self, *, half_open: bool = False) -> None:
        """Lose the connection, with or without anybody being told."""
        if self._wire is not None and half_open:
            self._wire.half_open = True
        elif self._take is not None and self._wire is not None:
            self._wire.carry(self._take, None)
        self._lost.set()

    # --- its own life -------------------------------------------------------------------------------------------------

    async def _change(self, address: tuple[int, int]) -> None:
        statuses = STATUSES_16 if self.habits.version is OcppVersion.V16 else STATUSES_2X
        words, weights = zip(*statuses, strict=True)
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / self.habits.change_s))
            if not self.calm:
                self.set(address, self.chance.choices(words, weights)[0])

    async def _connect(self) -> bool:
        wire = self.make_wire()
        self._lost.clear()
        take = await self.door.connect(self, wire)
        if take is None:
            return False
        self._take, self._wire = take, wire
        self.connections += 1
        return True

    async def _until_lost(self) -> None:
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(self.chance.expovariate(1 / self.habits.drop_s)):
                    await self._lost.wait()
            except TimeoutError:
                if not self.calm:
                    self.drop(half_open=self.chance.random() < 0.3)
        self._take = None
        for call in self._calls.values():
            call.cancel()
        self._calls.clear()

    async def _report(self) -> None:
        """Say what is to be said on a new connection."""
        if not self._booted or self.chance.random() < self.habits.boots:
            if await self._call("BootNotification", self._boot()) is None:
                return
            self._booted = True
            self._unsaid |= self.actual.keys()
            if self.habits.blinks:
                await self._blink()
        if not self.habits.silent:
            for address in sorted(self._unsaid):
                await self._say(address)
        wire = self._wire
        while self.connected and wire is self._wire:
            await asyncio.sleep(_HEARTBEAT_S * self.chance.uniform(0.8, 1.0))
            if wire is self._wire:
                await self._call("Heartbeat", {})

    def _boot(self) -> dict[str, Any]:
        if self.habits.version is OcppVersion.V16:
            return {"chargePointVendor": "Sim", "chargePointModel": "One"}
        return {"reason": "PowerUp", "chargingStation": {"vendorName": "Sim", "model": "Two"}}

    async def _blink(self) -> None:
        for address in sorted(self._unsaid):
            await self._say(address, "Available")
            self._unsaid.add(address)

    async def _say(self, address: tuple[int, int], status: str | None = None) -> None:
        async with self._turn:
            stamp = self.stamps()
            said = self.habits.clock(stamp, self.habits.version)
            report = Reported(len(self.journal), address, status or self.actual[address], stamp, said)
            self.journal.append(report)
            self._unsaid.discard(address)
            answer = await self._call("StatusNotification", self._status(report))
            if answer is not None and answer[0] == 3:
                report.answered = True
                self.on_answered()
            elif answer is None:
                self._unsaid.add(address)  # nobody heard it, as far as the station can know

    def _status(self, report: Reported) -> dict[str, Any]:
        evse, connector = report.address
        said = {} if report.said is None else {"timestamp": report.said}
        if self.habits.version is OcppVersion.V16:
            status = {"connectorId": connector, "errorCode": "NoError", "status": report.status}
            return {**status, **said, "info": report.stamp}
        return {**said, "connectorStatus": report.status, "evseId": evse, "connectorId": connector}

    # --- frames -------------------------------------------------------------------------------------------------------

    async def _call(self, action: str, payload: dict[str, Any]) -> list[Any] | None:
        """Send a CALL and return what answers it; None where nothing did, and then the connection is given up."""
        if self._take is None or self._wire is None:
            return None
        wire, number = self._wire, f"{self.name}-{self.connections}-{len(self._calls)}-{self.chance.getrandbits(40)}"
        future = self._calls[number] = asyncio.get_running_loop().create_future()
        wire.carry(self._take, json.dumps([2, number, action, payload]))
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await future
        except TimeoutError:
            if wire is self._wire:
                self.drop()
            return None
        except asyncio.CancelledError:
            if future.cancelled():
                return None
            raise
        finally:
            self._calls.pop(number, None)

    def hear(self, wire: Wire, text: str | None) -> None:
        """Take a frame of the bridge; None is the end of the connection."""
        if wire is not self._wire:
            return
        if text is None:
            self._lost.set()
            return
        frame = json.loads(text)
        if frame[0] == 2:
            self._obey(frame)
        elif (call := self._calls.get(frame[1])) is not None and not call.done():
            call.set_result(frame)

    def _obey(self, frame: list[Any]) -> None:
        _, number, action, payload = frame
        accepts = action == "TriggerMessage" and not self.habits.refuses
        if self._take is not None and self._wire is not None:
            status = "Accepted" if accepts else "Rejected"
            self._wire.carry(self._take, json.dumps([3, number, {"status": status}]))
        if accepts and payload.get("requestedMessage") == "BootNotification":
            self._start(self._report())
        elif accepts:
            evse = payload.get("evse", {})
            address = (evse.get("id", 0), evse.get("connectorId", payload.get("connectorId", 0)))
            if address in self.actual:
                self._start(self._say(address))

    def _start(self, work: Awaitable[None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
