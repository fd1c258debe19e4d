"""Be the machine that the bridge runs on: its clocks, and the processes that live and die on it, one after the other.

Knows stations and hubs only as what a process is connected to. Before it: `world`, which has them. After it: `process`,
which is the shipped bridge.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable
from contextvars import Context, copy_context
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.derive import Derived
from bridge.settings import Settings
from bridge.store.errors import StoreBroken, StoreError
from tests.torture.simulation.evidence import Evidence
from tests.torture.simulation.hubs import Reaches, SimulatedHub, chance
from tests.torture.simulation.plans import Plan, Point
from tests.torture.simulation.process import GENERATION, Process, Surroundings
from tests.torture.simulation.stations import Station
from tests.torture.simulation.stepped_writer import Killed
from tests.torture.simulation.virtual_time import OWN_TIME, OwnTime, VirtualLoop
from tests.torture.simulation.wires import Wire


class Machine:
    """One machine and what runs on it. `evidence`, `settings` and `hubs` are there once the world has begun."""

    _loop: asyncio.AbstractEventLoop
    evidence: Evidence
    settings: Settings
    hubs: dict[str, SimulatedHub]

    def __init__(self, seed: int, plan: Plan, folder: Path, template: Path | None = None) -> None:
        """Live in `folder`, which must be empty; `template` is a migrated database to begin with."""
        self.seed = seed
        self.plan = plan
        self.folder = folder
        self.context: Context = copy_context()
        self.tally: Counter[str] = Counter()
        self.process: Process | None = None
        self.generation = 0
        self.round = 0
        self.events: list[str] = []
        """What happened, for who has to find out why: the last lines are in the text of `Broken`."""
        self.armed: dict[Point, int] = {}
        """Die when this point is passed for so many more times."""
        self.storage_fails: Callable[[], str | None] = lambda: None
        """What a commit fails with just now, as SQLite says it; None: it succeeds."""
        self.starts = True
        """A process that died is started again."""
        self.down_s = lambda: self._chances["downtime"].choice((0.2, 2.0, 30.0, 600.0))
        self._chances = {
            what: chance(seed, what)
            for what in ("wires", "commits", "hubs", "jitter", "downtime", "fates", "stamps", "looks")
        }
        self._tasks: defaultdict[int, dict[asyncio.Task[Any], None]] = defaultdict(dict)
        self._fates: list[asyncio.Task[None]] = []
        self._lives: list[asyncio.Task[None]] = []
        self._died: list[str] = []
        self._wall_ahead = timedelta(0)
        self._stamp = 0
        self.healed_at = 0.0
        self.stations: dict[str, Station] = {}
        if template is not None:
            shutil.copy(template, folder / "bridge.db")

    def on_task(self, task: asyncio.Task[Any], context: Context) -> None:
        """Remember which process a task belongs to."""
        tasks = self._tasks[context.get(GENERATION, 0)]
        tasks[task] = None
        task.add_done_callback(lambda done: tasks.pop(done, None))

    # --- clocks -------------------------------------------------------------------------------------------------------

    def time_s(self) -> float:
        """Return the virtual time, whoever asks."""
        return self._loop.time() + OWN_TIME.get().behind_s

    def true_time(self) -> datetime:
        """Return the time as the world outside has it."""
        return self.plan.start + timedelta(seconds=self.time_s())

    def wall(self) -> datetime:
        """Return the wall clock of the bridge's machine."""
        return self.true_time() + self._wall_ahead

    def step_wall_clock(self, by: timedelta) -> None:
        """Let the wall clock of the bridge's machine jump."""
        self.note(f"wall clock steps by {by}")
        self._wall_ahead += by
        self.tally["faults"] += 1
        self._look_soon(0.0)

    def _look_soon(self, after_s: float) -> None:
        """Let the ticker look as it does every second in the product (`Plan.looks` is how often it does here)."""
        self._loop.call_later(after_s + self._chances["looks"].random(), self._look)

    def _look(self) -> None:
        if self.process is not None and self.serving:
            self.process.ticker.due(Derived(until_steady=self.process.clock().steady))

    def stand_still(self, seconds: float, *, clock_goes_on: bool) -> None:
        """Let the bridge do nothing for so long: stopped by SIGSTOP, or its whole machine suspended."""
        process, loop = self.process, self._loop
        assert process is not None
        assert isinstance(loop, VirtualLoop)
        self.note(f"stands still for {seconds:g} s, its clock {'goes on' if clock_goes_on else 'does not'}")
        self.tally["faults"] += 1
        loop.stand_still(process.own_time, seconds, clock_goes_on=clock_goes_on)
        self._look_soon(seconds)
        if not clock_goes_on:
            for station in self.stations.values():
                station.drop(half_open=True)

    def stamp(self) -> str:
        """Return the next timestamp of a station; all of a run differ, and later ones compare greater."""
        self._stamp += 1
        return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._stamp)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def note(self, what: str) -> None:
        """Remember what happened."""
        self.events.append(f"{self.time_s():12.3f}  {what}")

    # --- the bridge's process -----------------------------------------------------------------------------------------

    async def start_process(self) -> None:
        """Start the bridge, whatever was left behind."""
        self.generation += 1
        context = copy_context()
        context.run(GENERATION.set, self.generation)
        context.run(OWN_TIME.set, OwnTime())
        await asyncio.wait({self._loop.create_task(self._start(context), context=context)})

    async def _start(self, context: Context) -> None:
        self.note(f"start of process {self.generation}")
        self.process = Process(self._surroundings(), context)
        try:
            await self.process.start()
        except StoreError as error:
            self.note(f"did not start: {error}")
            self._loop.call_soon(self.kill, context=self.context)

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            folder=self.folder,
            settings=self.settings,
            wall=self.wall,
            jitter=self._chances["jitter"].random,
            takes_s=lambda: self._chances["commits"].uniform(0.0005, 0.02),
            hubs={
                name: Reaches(hub, self._passing(Point.PUSH_SENT), self._passing(Point.PUSH_ANSWERED))
                for name, hub in self.hubs.items()
            },
            before_commit=self._before_commit,
            after_commit=self._after_commit,
            frame_read=self._passing(Point.FRAME_READ),
            killed=self.kill,
            on_broken=self._on_broken,
            upgrades=self.generation == 1,
            looks=self.plan.looks,
        )

    def _before_commit(self) -> None:
        if (why := self.storage_fails()) is not None:
            raise sqlite3.OperationalError(why)
        if self._reached(Point.BEFORE_COMMIT):
            raise Killed

    def _after_commit(self) -> None:
        self.evidence.follow_history()
        if self._reached(Point.AFTER_COMMIT):
            raise Killed

    def _on_broken(self, error: StoreBroken) -> None:
        self.note(f"storage broken: {error}")
        self.kill()

    def _passing(self, point: Point) -> Callable[[], None]:
        return lambda: self.pass_point(point)

    def pass_point(self, point: Point) -> None:
        """Pass a moment at which the process may die."""
        if self._reached(point):
            self.kill()

    def _reached(self, point: Point) -> bool:
        if point not in self.armed:
            return False
        self.armed[point] -= 1
        if self.armed[point] > 0:
            return False
        del self.armed[point]
        self.note(f"killed at: {point}")
        self.tally[f"killed {point}"] += 1
        return True

    def kill(self) -> None:
        """End the process as `kill -9` does, look at what is stored, and start it again after a while."""
        process = self.process
        if process is None or process.dead:
            return
        self.note(f"kill of process {self.generation}")
        self.tally["kills"] += 1
        self.tally["calls_open"] += self.evidence.open_calls()
        self.tally["pushes_open"] += sum(hub.ledger.summary()["open"] for hub in self.hubs.values())
        self._died += process_deaths(process)
        process.kill()
        for task in list(self._tasks[self.generation]):
            task.cancel()
        self.evidence.follow_history()
        self.evidence.note_lost()
        if self.starts:
            self._loop.call_soon(self._start_again, context=self.context)

    def _start_again(self) -> None:
        self._loop.create_task(self._restart(self.down_s()))

    async def _restart(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self.start_process()

    @property
    def serving(self) -> bool:
        """Is there a process that has started."""
        return self.process is not None and self.process.started and not self.process.dead and not self.stands_still_s

    @property
    def stands_still_s(self) -> float:
        """For how long the process can do nothing from now on."""
        return 0.0 if self.process is None else max(0.0, self.process.own_time.stands_until - self.time_s())

    async def connect(self, station: Station, wire: Wire) -> Callable[[str | None], None] | None:
        """Let a station in, if there is a bridge: `stations.Door`."""
        await asyncio.sleep(0.02)
        if self.process is None or not self.serving:
            return None
        return await self.process.admit(station, wire)

    async def submit(self, handler: Any, payload: Any) -> Any:
        """Give the bridge an order, as its REST interface does; return None where it died over it or could not."""
        process = self.process
        if process is None or not self.serving:
            return None
        work = process.ask(process.writer.submit(handler, payload))
        await asyncio.wait({work})
        if work.cancelled():
            return None
        error = work.exception()
        if isinstance(error, StoreError):
            return None
        return work.result()


def process_deaths(process: Process) -> list[str]:
    """Return what tasks of a process that lives died of."""
    return [f"a task died: {error!r}" for error in process.failures]
