"""Let the bridge live one seeded life after another on one site, kill it at each end, and look what is left.

Decides nothing that is random: `lives` does. Judges nothing: it collects what failed. Before it: `test_kill`. After it:
`watch`, `order`, `tests.acceptance.stored`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import aiohttp

from simulators.fleet.layout import inventory_csv
from tests.acceptance.controls import HUBS
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.stored import highest_answered, lost, reported_at, rows
from tests.torture.kills.lives import Block, During, Life
from tests.torture.kills.order import Finding, Order, older_values, timelines
from tests.torture.kills.watch import FleetWatch, HubWatch

STATIONS = 32
_SPEED = 3.0
"""What happens at the stations while the bridge is dead is told to the next life, which must be able to hear it all."""
_GROWTH = 8
"""Stations that an import adds; they never connect."""
_ORDERED = 4
"""EVSEs that get a temporary status, or lose it, in one life."""
_BUSY_S = 60.0
_GONE_S = 5.0
_REST_S = 120.0
"""Until all is told that happened while the bridge was dead, on a machine that has other things to do as well."""


@dataclass(slots=True)
class World:
    """One site, and all that happened there."""

    site: Site
    block: Block
    fleet: FleetWatch
    hubs: dict[str, HubWatch] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    temporary: dict[str, str] = field(default_factory=dict)
    """Temporary statuses that were answered as made and are not ordered to end: {id: EVSE}."""
    broken: list[str] = field(default_factory=list)
    """What did not hold, one line each, with the seed that shows it."""
    counts: Counter[str] = field(default_factory=Counter)
    ready_s: list[float] = field(default_factory=list)
    begun: dict[int, float] = field(default_factory=dict)
    """When each life began, by seed."""
    _free: list[str] = field(default_factory=list)
    """EVSEs without a temporary status."""

    @property
    def plan(self) -> FleetPlan:
        """The fleet that runs."""
        return FleetPlan(stations=STATIONS, seed=2016 + self.block.number, scenario=self.block.scenario, speed=_SPEED)

    async def begin(self) -> None:
        """Start everything, let the hubs agree a first time, and end the bridge that was needed for it."""
        self.site.set(STATUS__AVAILABLE_HOLD=self.block.available_hold)
        await self.site.start(self.plan)
        self.hubs = {name: HubWatch(self.site.hubs[name]) for name in HUBS}
        self._free = [evse.evse_id for spec in self.plan.specs for evse in spec.evses]
        await self.site.assert_hubs_agree()
        self.site.kill_bridge()
        await self.site.fleet.resume()

    async def live(self, life: Life) -> str:
        """Let the bridge live and die once; returns the line that tells of it."""
        for name, day in (("hubject", life.hubject), ("chargeprice", life.chargeprice)):
            await self.site.hubs[name].heal()
            if day.latency_s:
                await self.site.hubs[name].script(kind="latency", delay_s=day.latency_s)
            if day.fault is not None:
                await self.site.hubs[name].script(**day.fault)
        began = self.begun[life.seed] = time.time()
        self.site.launch_bridge()
        ready = asyncio.create_task(self._ready(began), name="ready")
        busy = await self._occupied(life, ready)
        await asyncio.sleep(life.delay_s)
        self.site.bridge.check()
        in_start_up = not ready.done()
        self.site.kill_bridge()
        killed = time.time()
        for task in (ready, *busy):
            task.cancel()
        await asyncio.gather(ready, *busy, return_exceptions=True)
        return await self._look(life, killed, in_start_up=in_start_up)

    async def rest(self) -> None:
        """Heal what is broken, let the bridge finish what was ordered, and check that the hubs agree."""
        for hub in self.site.hubs.values():
            await hub.heal()
        await self.site.start_bridge()
        if self.site.silent:
            await self.site.import_inventory(self._inventory())
        status, made = await self.site.spirii("GET", activeOnly="false")
        assert status == 200, made
        for one in made:
            await self._end_temporary(str(one["id"]), one["evseId"])
        self._free = [evse.evse_id for spec in self.plan.specs for evse in spec.evses]
        await self.site.fleet.rest(_REST_S)
        await self.site.assert_hubs_agree(_REST_S)
        self.site.kill_bridge()
        await self._follow()
        await self.site.fleet.resume()

    def older_values(self) -> list[Finding]:
        """Return every request's value that was not in force when it was taken."""
        lines = timelines(
            (*self.plan.specs, *self.site.silent),
            self.fleet.reports.values(),
            self.orders,
            held=self.block.available_hold != "0 s",
        )
        return [found for name, hub in self.hubs.items() for found in older_values(name, hub.journal, lines)]

    def seed_at(self, moment: float) -> int:
        """Return the seed whose life a moment falls into."""
        return max((seed for seed, began in self.begun.items() if began <= moment), default=0)

    # --- what it is killed in ---------------------------------------------------------------------------------------

    async def _ready(self, began: float) -> None:
        await self.site.bridge_is_ready()
        self.ready_s.append(time.time() - began)

    async def _occupied(self, life: Life, ready: asyncio.Task[None]) -> list[asyncio.Task[None]]:
        """Wait for what comes before the kill, and begin what it falls into."""
        if life.during is During.START:
            return []
        before = (await self.site.fleet.summary())["answered"]
        await ready

        async def answered() -> bool:
            self.site.bridge.check()
            return bool((await self.site.fleet.summary())["answered"] >= before + life.answers)

        await until(answered, _BUSY_S, f"{life.answers} answers in the life of {life}", every=0.005)
        work: dict[During, Callable[[Life], Awaitable[None]]] = {
            During.STORM: self._storm,
            During.IMPORT: self._import,
            During.FULL_LOAD: self._full_load,
            During.TEMPORARY: self._temporary,
        }
        if life.during not in work:
            return []
        return [asyncio.create_task(_cut(work[life.during](life)), name=str(life.during))]

    async def _storm(self, life: Life) -> None:
        await self.site.fleet.leave_open(1.0)

    async def _import(self, life: Life) -> None:
        grown = replace(self.plan, stations=STATIONS + len(self.site.silent) + _GROWTH).specs
        self.site.silent = grown[STATIONS:]
        await self.site.import_inventory(self._inventory())

    def _inventory(self) -> str:
        return inventory_csv((*self.plan.specs, *self.site.silent))

    async def _full_load(self, life: Life) -> None:
        await self.site.order("upstreams/hubject/full-load", {"confirm": True})

    async def _temporary(self, life: Life) -> None:
        chance = random.Random(f"orders:{life.seed}")
        for _ in range(_ORDERED):
            if self.temporary and chance.random() < 0.5:
                number = chance.choice(sorted(self.temporary))
                await self._end_temporary(number, self.temporary[number])
            else:
                await self._make_temporary(self._free.pop(chance.randrange(len(self._free))), chance)

    async def _make_temporary(self, evse_id: str, chance: random.Random) -> None:
        kind = chance.choice(("MAINTENANCE", "BLOCKED"))
        order = Order(evse_id, kind.lower(), time.time())
        self.orders.append(order)
        status, made = await self.site.spirii("POST", "", {"evseId": evse_id, "temporaryStatus": kind})
        assert status == 201, made
        self.orders[self.orders.index(order)] = replace(order, answered_s=time.time())
        self.temporary[str(made["id"])] = evse_id

    async def _end_temporary(self, number: str, evse_id: str) -> None:
        order = Order(evse_id, None, time.time())
        self.orders.append(order)
        self.temporary.pop(number, None)
        status, body = await self.site.spirii("DELETE", f"/{number}")
        assert status in (204, 404), body
        self.orders[self.orders.index(order)] = replace(order, answered_s=time.time())

    # --- what is left -------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Wait until the fleet has read all that the dead bridge had sent, and read what it and the hubs have noted."""

        async def gone() -> bool:
            return bool((await self.site.fleet.summary())["connected"] == 0)

        await until(gone, _GONE_S, "every connection of the dead bridge gone", every=0.005)
        self.fleet.follow()
        for hub in self.hubs.values():
            await hub.follow()

    async def _look(self, life: Life, killed: float, *, in_start_up: bool) -> str:
        await self._follow()
        calls = self.fleet.calls_open(killed)
        pushes = sum(hub.pushes_open(killed) for hub in self.hubs.values())
        answered = highest_answered(self.fleet.reports.values())
        self._check(life, lost(answered, reported_at(self.site.database_url)), "statuses_lost")
        self._check(life, self._temporaries_lost(), "orders_lost")
        self._check(life, self._half_imported(), "half_imports")
        self.counts.update(
            kills=1,
            calls_open=calls,
            pushes_open=pushes,
            kills_in_start_up=in_start_up,
            kills_in_calls=calls > 0,
            kills_in_pushes=pushes > 0,
        )
        where = "in start-up, " if in_start_up else ""
        return f"{life}: {where}{calls} calls and {pushes} pushes open, {len(answered)} connectors compared"

    def _check(self, life: Life, failures: list[str], count: str) -> None:
        self.counts[count] += len(failures)
        self.broken += [f"{life}: {failure}" for failure in failures]

    def _temporaries_lost(self) -> list[str]:
        found = rows(self.site.database_url, "SELECT id FROM temporary_status WHERE removed_at_w IS NULL")
        stored = {str(number) for (number,) in found}
        return [f"temporary status {one} was answered and is not stored" for one in self.temporary if one not in stored]

    def _half_imported(self) -> list[str]:
        wanted = {spec.station for spec in self.site.silent[-_GROWTH:]}
        stored = {name for (name,) in rows(self.site.database_url, "SELECT id FROM station")}
        there = len(wanted & stored)
        return [] if there in (0, len(wanted)) else [f"{there} of the {len(wanted)} stations of an import are stored"]


async def _cut(work: Awaitable[None]) -> None:
    """Do work that the kill may cut off."""
    with suppress(aiohttp.ClientError, ConnectionError):
        await work
