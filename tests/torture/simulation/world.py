"""Put one bridge between stations and hubs that one seed decides about, let time pass, and look at what must hold.

`World.run` lives through a plan, ends every fault, waits until the hubs agree, and raises `Broken` where an invariant
of docs/reliability.md does not hold; its text has the line that replays the run. Before it: the tests. After it:
`process`, which is the shipped bridge.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from bridge.derive import Derived
from bridge.edits import ImportOrder, import_inventories
from bridge.inventory_file import parse_inventory
from bridge.settings import Account, OicpAccount, load_settings
from bridge.store.errors import StoreBroken, StoreError
from csms.auth import StationKeys
from simulators.hubs import chargeprice, hubject
from simulators.hubs.exchange import Hub
from simulators.hubs.faults import FaultSpec
from tests.torture.simulation.evidence import Evidence
from tests.torture.simulation.fed import Fed
from tests.torture.simulation.hubs import Reaches, SimulatedHub, chance
from tests.torture.simulation.owners import configuration, evse_of, operator_of
from tests.torture.simulation.process import GENERATION, PEPPER, Process, Surroundings
from tests.torture.simulation.stations import Habits, Station
from tests.torture.simulation.stepped_writer import Killed
from tests.torture.simulation.virtual_time import OWN_TIME, OwnTime, VirtualLoop
from tests.torture.simulation.wires import Wire

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Broken(AssertionError):
    """An invariant does not hold."""


class Point(StrEnum):
    """The moments at which a process may die that are worth aiming at (T02)."""

    FRAME_READ = "frame read"
    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit, before the answer"
    ANSWERED = "after the answer, before the push"
    PUSH_SENT = "push sent, before its answer"
    PUSH_ANSWERED = "after the push's answer, before it is settled"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is like; what happens when follows from the seed."""

    stations: Mapping[str, Habits]
    hours: float = 24.0
    rounds: int = 4
    """How often in that time every fault ends, hubs must agree, and it all begins anew."""
    looks: timedelta = timedelta(minutes=10)
    agree_s: float = 1800.0
    """Within this many simulated seconds after the last fault hubs must agree."""
    slack_s: float = 2.0
    """How long before a request its value may have been replaced: chosen, waited for the pace, sent."""
    strict_known: bool = True
    fed: bool = False
    """Stations are `fed` into the intake and do nothing by themselves."""
    settings: Mapping[str, str] = field(default_factory=dict)
    start: datetime = START


class World:
    """One run. Make it and `run` it within `run_virtually`, with `on_task` given to it."""

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

    # --- the run ------------------------------------------------------------------------------------------------------

    async def run(self, *fates: Callable[[World], Coroutine[Any, Any, None]]) -> Counter[str]:
        """Live through the plan with these fates; after each round everything must be right. Raises: Broken."""
        await self.begin()
        for number in range(1, self.plan.rounds + 1):
            self.round = number
            self.live_with(*fates)
            await asyncio.sleep(self.plan.hours * 3600 / self.plan.rounds)
            await self.end()
            for station in self.stations.values():
                station.calm = False
        return self.tally

    def live_with(self, *fates: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        """Let these fates begin; they end with the faults."""
        self._fates += [self._loop.create_task(fate(self)) for fate in fates]

    async def tell(self, story: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        """Live through a story, then end every fault and check everything. Raises: Broken, and what the story does."""
        await self.begin()
        await story(self)
        await self.end()

    def chance(self, what: str) -> random.Random:
        """Return chance of its own for one fate in this round."""
        return chance(self.seed, f"{what} {self.round}")

    async def begin(self) -> None:
        """Start hubs, bridge and stations."""
        self._loop = asyncio.get_running_loop()
        self.evidence = Evidence(self.folder, self.time_s, self.plan.slack_s, self.tally, self.note)
        self.settings = load_settings(configuration(self.plan.stations), self._environ())
        self.hubs = {name: self._hub(name, account) for name, account in self.settings.accounts.items()}
        await self.start_process()
        await self.import_inventory(self.plan.stations)
        self.evidence.learn_evses()
        for name, habits in self.plan.stations.items():
            self.stations[name] = self.evidence.stations[name] = self._station(name, habits)
            self._lives.append(self._loop.create_task(self.stations[name].live()))

    def _environ(self) -> dict[str, str]:
        return {
            "BRIDGE_ACCOUNTS__HUBJECT__BASE_URL": "http://127.0.0.1:9101/api/oicp",
            "BRIDGE_STATE_DIR": str(self.folder),
            **{f"BRIDGE_{name}": value for name, value in self.plan.settings.items()},
        }

    def _hub(self, name: str, account: Account) -> SimulatedHub:
        def clock() -> float:
            return self.true_time().timestamp()

        hub: Hub = chargeprice.Chargeprice(chargeprice.ChargepriceOptions(), clock=clock)
        if isinstance(account, OicpAccount):
            options = hubject.HubjectOptions(operator_ids=(account.operator_id,), strict_known=self.plan.strict_known)
            hub = hubject.Hubject(options, self.seed)
        return SimulatedHub(
            hub,
            hubject.RATE_LIMIT if isinstance(account, OicpAccount) else chargeprice.RATE_LIMIT,
            seed=self.seed,
            world=self.context,
            clock=clock,
            latency_s=lambda: self._chances["hubs"].uniform(0.005, 0.08),
            on_request=self.evidence.note_request,
        )

    def _station(self, name: str, habits: Habits) -> Station:
        return (Fed if self.plan.fed else Station)(
            name,
            habits,
            chance(self.seed, f"station {name}"),
            self,
            self.stamp,
            lambda: Wire(lambda: self._chances["wires"].uniform(0.002, 0.05), self.context),
            on_answered=lambda: self.pass_point(Point.ANSWERED),
        )

    def clone(self, name: str) -> Station:
        """Let a second device live under this station's identity; both write one journal."""
        found = self._station(name, self.plan.stations[name])
        found.journal = self.stations[name].journal
        self._lives.append(self._loop.create_task(found.live()))
        return found

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
        for station in self.stations.values():
            self._loop.call_soon(station.drop, context=self.context)
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

    async def import_inventory(self, stations: Iterable[str], *, prune: bool = False) -> None:
        """Import these stations of the plan; with `prune`, they are all that there is from now on."""
        process = self.process
        assert process is not None
        lines = ["station,version,key,evse,connector,evse_id,operator,layer0,chargeprice_station,chargeprice_point"]
        for name in stations:
            habits = self.plan.stations[name]
            for evse, connector in habits.connectors:
                evse_id = evse_of(name, (evse, connector))
                point = evse_id.lower().replace("*", "-")
                self.evidence.points[f"{name}/{point}"] = evse_id
                lines.append(
                    f"{name},{habits.version.value},0123456789abcdef,{evse or ''},{connector},"
                    f"{evse_id},{operator_of(name)},downgrade,{name},{point}"
                )
        inventory = parse_inventory("\n".join(lines) + "\n", operators={"demo", "second"}, read_key_file=lambda _: b"")
        order = ImportOrder(
            inventory=inventory,
            keys=StationKeys(PEPPER),
            prune=prune,
            yes=True,
            dry_run=False,
            at=process.clock(),
            options=process.options,
        )
        await self.submit(import_inventories, order)

    # --- the end ------------------------------------------------------------------------------------------------------

    async def end(self) -> None:
        """End every fault, wait until hubs agree, and check everything. Raises: Broken."""
        await self.heal()
        await self.agree()
        await asyncio.sleep(600)
        self.check()

    async def heal(self) -> None:
        """End every fault: hubs, storage, wires; a bridge runs; stations are there and change no more."""
        self.note("the faults end")
        for task in self._fates:
            task.cancel()
        self.armed.clear()
        self.storage_fails = lambda: None
        for hub in self.hubs.values():
            hub.faults.clear()
        for station in self.stations.values():
            station.calm, station.away = True, False
        while not self.serving:  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(1)
        self.healed_at = self._loop.time()

    async def agree(self) -> None:
        """Wait until every hub holds what it should. Raises: Broken where that takes too long."""
        ends = self._loop.time() + self.plan.agree_s
        while found := self.evidence.disagreements(self.hubs, self.wall()):
            if self._loop.time() > ends:
                raise self.broken([f"not agreed {self.plan.agree_s:g} s after the last fault", *self.died(), *found])
            await asyncio.sleep(5)
        self.tally["agreed_after_s"] = max(self.tally["agreed_after_s"], round(self._loop.time() - self.healed_at))

    def check(self) -> None:
        """Raise `Broken` where anything is wrong now, or was at any time."""
        self.evidence.note_lost()
        self.tally["statuses_answered"] = sum(
            report.answered for station in self.stations.values() for report in station.journal
        )
        self.tally["simulated_hours"] = round(self.time_s() / 3600)
        found = [*self.evidence.wrong, *self.evidence.disagreements(self.hubs, self.wall())]
        for name, hub in self.hubs.items():
            found += [f"{name}: {one['what']}" for one in hub.ledger.violations()]
        found += self.died()
        if found:
            raise self.broken(found)

    def died(self) -> list[str]:
        """Return what tasks died of by themselves: of every process so far, and of the world outside."""
        outside = [task for task in (*self._fates, *self._lives) if task.done() and not task.cancelled()]
        errors = (error for task in outside if (error := task.exception()) is not None)
        found = [*self._died, *(f"a fate or a station died: {error!r}" for error in errors)]
        return found if self.process is None else [*found, *process_deaths(self.process)]

    def broken(self, found: list[str]) -> Broken:
        """Return what to raise: what is wrong, what happened before, and how to see it again."""
        return Broken("\n".join([f"seed {self.seed}:", *found[:12], "what happened:", *self.events[-25:]]))

    def script(self, hub: str, seconds: float | None = None, **fault: Any) -> None:
        """Let a hub have a fault."""
        self.note(f"{hub}: {fault} for {seconds}")
        self.tally["faults"] += 1
        self.hubs[hub].faults.add(FaultSpec(seconds=seconds, **fault), self.true_time().timestamp())


def process_deaths(process: Process) -> list[str]:
    """Return what tasks of a process that lives died of."""
    return [f"a task died: {error!r}" for error in process.failures]
