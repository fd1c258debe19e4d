"""Be the bridge's process: the shipped store, intake, ticker, lanes and sessions, from start to death.

What the composition root puts together is put together here with other ends: the writer's thread is a sequence of
steps, stations and hubs are reached without sockets. Every setting is the product's, but for how often it looks at
what nothing has woken it for: a day must not cost a hundred thousand looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context, ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bridge.app import options as fill
from bridge.app.counts import Counts
from bridge.app.wakes import Wakes
from bridge.core.model import AccountName, Moment
from bridge.derive import DeriveOptions
from bridge.enforcer import Enforcer, EnforcerOptions
from bridge.intake import Intake
from bridge.lane import AccountLane
from bridge.settings import Settings
from bridge.settings.accounts import OicpAccount
from bridge.store.engine import open_store
from bridge.store.errors import StoreBroken, StoreError
from bridge.store.station_records import find_station
from bridge.store.transaction import Transaction
from bridge.ticker import Ticker
from bridge.upstreams.chargeprice import Chargeprice
from bridge.upstreams.http import HttpClient
from bridge.upstreams.oicp import Oicp
from bridge.upstreams.port import Upstream
from csms.events import SecurityProfile, StationConnected
from csms.handshake import Negotiated
from csms.ports import NotRecorded
from csms.records import StationRecord
from csms.replies import LocalReplies
from csms.server import CentralSystem
from csms.websocket import Claim
from tests.torture.simulation.stations import Station
from tests.torture.simulation.stepped_writer import SteppedWriter
from tests.torture.simulation.virtual_time import OWN_TIME
from tests.torture.simulation.wires import BridgeEnd, Wire

GENERATION: ContextVar[int] = ContextVar("generation", default=0)
"""Which process a task belongs to; 0: the world outside, which no kill ends."""

PEPPER = b"p" * 32

_LANES_STOP_S = 3.0
"""How long lanes have to settle what is in flight: as `bridge.app.serve`."""


class ProcessClock:
    """Both clocks as a process has them that starts now: `bridge.app.clock.SystemClock` on other clocks."""

    def __init__(self, wall: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self.wall = wall
        self._monotonic = monotonic
        self._anchor = wall()
        self._started = monotonic()

    def __call__(self) -> Moment:
        """Return this moment."""
        return Moment(self.wall(), self._anchor + timedelta(seconds=self._monotonic() - self._started))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a process meets: its folder, its clocks, its hubs, chance, and the moments at which it may die."""

    folder: Path
    settings: Settings
    wall: Callable[[], datetime]
    jitter: Callable[[], float]
    takes_s: Callable[[], float]
    hubs: Mapping[str, HttpClient]
    before_commit: Callable[[], None]
    after_commit: Callable[[], None]
    frame_read: Callable[[], None]
    killed: Callable[[], None]
    on_broken: Callable[[StoreBroken], None]
    upgrades: bool
    """Look whether the schema is this release's: once in a run, since it takes longer than an hour of its life."""
    looks: timedelta = timedelta(minutes=10)
    """How often ticker, lanes and enforcer look though nothing woke them."""


class Process:
    """One process. `start` it in a context of its own (`GENERATION`), `kill` it, or `stop` it."""

    def __init__(self, around: Surroundings, context: Context) -> None:
        self._around = around
        self._context = context
        self._loop = asyncio.get_running_loop()
        self.own_time = OWN_TIME.get()
        self.clock = ProcessClock(around.wall, self._monotonic)
        self.counts = Counts()
        self.options: DeriveOptions = fill.derive_options(around.settings)
        self._tasks: list[asyncio.Task[Any]] = []
        self._asked: list[asyncio.Task[Any]] = []
        self._ends: list[BridgeEnd] = []
        self.dead = False
        self.started = False
        url = f"sqlite:///{around.folder / 'bridge.db'}"
        self.store = open_store(url, state_dir=around.folder)
        self.writer = SteppedWriter(
            self.store,
            takes_s=around.takes_s,
            before_commit=around.before_commit,
            after_commit=around.after_commit,
            killed=around.killed,
            on_broken=around.on_broken,
        )

    def _monotonic(self) -> float:
        """Read the process's own clock, whoever asks."""
        return self._loop.time() + OWN_TIME.get().behind_s - self.own_time.behind_s

    async def start(self) -> None:
        """Start as the product does: schema, writer, ticker, then lanes and the door for stations."""
        around, clock, settings = self._around, self.clock, self._around.settings
        if around.upgrades:
            self.store.upgrade()
        self.writer.start()
        self.wakes = Wakes()
        self.intake = Intake(
            self.writer,
            clock=clock,
            node=fill.NODE,
            options=self.options,
            woken=partial(self.writer.once_committed, self.wakes.derived),
            heard=self.wakes.heard,
        )
        self.central = CentralSystem(
            fill.server_options(settings),
            _Registry(self.writer),
            self.intake,
            LocalReplies(around.wall, fill.reply_options(settings)),
            self.counts,
            PEPPER,
            clock=around.wall,
            monotonic=self._loop.time,
            jitter=around.jitter,
        )
        self.ticker = Ticker(
            self.writer,
            clock=clock,
            options=replace(fill.ticker_options(settings), period=around.looks),
            woken=partial(self.writer.once_committed, self.wakes.derived),
            prober=self.central,
        )
        self.wakes.ticker = self.ticker
        await self.ticker.start()
        self.lanes = {AccountName(name): self._lane(name) for name in settings.accounts}
        self.wakes.lanes = self.lanes
        self.enforcer = Enforcer(
            self.writer, self.central, clock=clock, jitter=around.jitter, options=EnforcerOptions(idle=around.looks)
        )
        self.wakes.enforcer = self.enforcer
        for work in (self.ticker.run(), self.enforcer.run()):
            self.spawn(work)
        self._serving = [self.spawn(lane.run()) for lane in self.lanes.values()]
        self.started = True

    def _lane(self, name: str) -> AccountLane:
        around, settings = self._around, self._around.settings
        return AccountLane(
            self.writer,
            self._upstream(name),
            clock=self.clock,
            jitter=around.jitter,
            node=fill.NODE,
            options=replace(fill.lane_options(settings, name), idle=around.looks),
        )

    def _upstream(self, name: str) -> Upstream:
        account, client = self._around.settings.accounts[name], self._around.hubs[name]
        if isinstance(account, OicpAccount):
            return _Oicp(client, fill.oicp_options(account, self._around.settings), clock=self._around.wall)
        return _Chargeprice(client, fill.chargeprice_options(account, self._around.settings), clock=self._around.wall)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a task of the process; one that dies by itself is remembered in `failures`."""
        task = self._loop.create_task(work, context=self._context)
        self._tasks.append(task)
        return task

    def ask(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a task of the process for somebody outside, who is told of its failure."""
        task = self._loop.create_task(work, context=self._context)
        self._asked.append(task)
        task.add_done_callback(self._asked.remove)
        return task

    @property
    def failures(self) -> list[BaseException]:
        """What tasks of the process died of, other than the kill."""
        done = (task for task in self._tasks if task.done() and not task.cancelled())
        return [error for task in done if (error := task.exception()) is not None and not self.dead]

    async def admit(self, station: Station, wire: Wire) -> Callable[[str | None], None] | None:
        """Record a new connection and begin its session, as a handshake does; None: it is refused."""
        work = self.ask(self._admit(station, wire))
        await asyncio.wait({work})
        if work.cancelled() or isinstance(work.exception(), NotRecorded | StoreError):
            return None
        return work.result()

    async def _admit(self, station: Station, wire: Wire) -> Callable[[str | None], None] | None:
        record = await _Registry(self.writer).find(station.name)
        if record is None or record.credential is None:
            return None
        version = station.habits.version
        claim = Claim(
            record, Negotiated(version, None), "127.0.0.1:1", SecurityProfile.BASIC, record.credential.salt, None
        )
        connected = StationConnected(record.station, version, claim.remote, claim.profile, claim.key_salt)
        epoch = await self.intake.open(connected)
        if self.dead:
            return None
        end = BridgeEnd(wire, claim, lambda text: station.hear(wire, text), self._around.frame_read)
        end.epoch = epoch
        self._ends.append(end)
        self.spawn(self.central._on_station(end))
        return end.arrive

    def kill(self) -> None:
        """End as `kill -9` does: no task runs on, nothing is written, the locks are free."""
        self.dead = True
        self.writer.die()
        for end in self._ends:
            end.cut()
        self.store.engine.dispose()
        self.store.release()

    def stopping(self) -> asyncio.Task[None]:
        """Begin to `stop` in a task of the process's own, which a kill ends."""
        return self._loop.create_task(self.stop(), context=self._context)

    async def stop(self) -> None:
        """End as SIGTERM does, in the product's order."""
        for lane in self.lanes.values():
            lane.stop()
        await asyncio.wait(self._serving, timeout=_LANES_STOP_S)
        tasks = [*self._tasks, *self._asked]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await self.ticker.stop()
        await self.writer.stop()
        self.kill()


class _Registry:
    """Finds stations through the writer: a read of its own would need a thread."""

    def __init__(self, writer: SteppedWriter) -> None:
        self._writer = writer

    async def find(self, identity: str) -> StationRecord | None:
        try:
            return await self._writer.submit(_find, identity.casefold())
        except StoreError as error:
            raise NotRecorded(str(error)) from error


def _find(conn: Transaction, identities: Any) -> list[StationRecord | None]:
    return [find_station(conn, identity) for identity in identities]


class _Oicp(Oicp):
    def __init__(self, client: HttpClient, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._http = client


class _Chargeprice(Chargeprice):
    def __init__(self, client: HttpClient, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._http = client
