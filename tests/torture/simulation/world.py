"""Put one bridge between stations and hubs that one seed decides about, let time pass, and look at what must hold.

`World.run` lives through a plan, ends every fault, waits until the hubs agree, and raises `Broken` where an invariant
of docs/reliability.md does not hold; its text has the line that replays the run. Before it: the tests. After it:
`process`, which is the shipped bridge.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from bridge.edits import ImportOrder, import_inventories
from bridge.inventory_file import parse_inventory
from bridge.settings import Account, OicpAccount, load_settings
from csms.auth import StationKeys
from simulators.hubs import chargeprice, hubject
from simulators.hubs.exchange import Hub
from simulators.hubs.faults import FaultSpec
from tests.torture.simulation.evidence import Evidence
from tests.torture.simulation.fed import Fed
from tests.torture.simulation.hubs import SimulatedHub, chance
from tests.torture.simulation.machine import Machine, process_deaths
from tests.torture.simulation.owners import configuration, evse_of, operator_of
from tests.torture.simulation.plans import START, Broken, Plan, Point
from tests.torture.simulation.process import PEPPER
from tests.torture.simulation.stations import Habits, Station
from tests.torture.simulation.wires import Wire

__all__ = ["START", "Broken", "Plan", "Point", "World"]


class World(Machine):
    """One run. Make it and `run` it within `run_virtually`, with `on_task` given to it."""

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

    async def tell(
        self, story: Callable[[World], Coroutine[Any, Any, None]], *fates: Callable[[World], Coroutine[Any, Any, None]]
    ) -> None:
        """Live through a story, with fates or without, then end every fault and check everything.

        Raises: Broken, and what the story does.
        """
        await self.begin()
        self.live_with(*fates)
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
