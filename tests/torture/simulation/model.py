"""Drive one world step by step: what a rule does happens, some virtual time passes, and what must hold is looked at.

`world` decides by its seed what happens when; here the caller does. Stations change and drop by order alone. Before it:
`test_model`, whose rules Hypothesis chooses. After it: `world`, whose parts are the same.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from bridge.core.model import AccountName, TemporaryKind
from bridge.core.modes import Mode
from bridge.derive import Derived
from bridge.edits.accounts import FullLoadOrder, ModeOrder, SyncOrder, request_full_loads, set_modes, sync_accounts
from bridge.store.errors import StoreError
from bridge.store.jobs import ItemFailed
from bridge.temporaries import (
    ChangeOrder,
    CreateOrder,
    Duplicate,
    RemoveOrder,
    change_temporaries,
    create_temporaries,
    remove_temporaries,
)
from csms.events import OcppVersion
from tests.torture.simulation.evidence import evse_of
from tests.torture.simulation.runs import place
from tests.torture.simulation.stations import Habits, Station
from tests.torture.simulation.virtual_time import VirtualLoop
from tests.torture.simulation.world import Plan, Point, World

NEVER = 1e9

OBEDIENT: Mapping[str, Habits] = {
    "one": Habits(OcppVersion.V16, ((0, 1), (0, 2)), change_s=NEVER, drop_s=NEVER, away_s=2),
    "two": Habits(OcppVersion.V201, ((1, 1), (1, 2)), change_s=NEVER, drop_s=NEVER, away_s=2),
    "three": Habits(OcppVersion.V16, ((0, 1),), change_s=NEVER, drop_s=NEVER, away_s=2, silent=True),
}
"""Stations that do nothing unless they are told to; one must be asked what it is."""

CONNECTORS = tuple((name, address) for name, habits in OBEDIENT.items() for address in habits.connectors)
EVSES = tuple(dict.fromkeys(evse_of(*connector) for connector in CONNECTORS))
HUBS = ("chargeprice", "hubject")


class Driven:
    """One world, driven from outside of its loop. Every method lets a little time pass, and then `look`s."""

    def __init__(self, seed: int, template: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=place(), prefix="ocpp-bridge-model-")
        self.world = World(seed, Plan(OBEDIENT, agree_s=3600), Path(self._folder.name), template)
        loop = VirtualLoop(self.world.on_task)
        self._runner = asyncio.Runner(loop_factory=lambda: loop)
        self.temporaries: list[int] = []
        self._do(self.world.begin())

    def close(self) -> None:
        """End the world and leave nothing behind."""
        if self.world.process is not None:
            self.world.process.kill()
        self.world.evidence.close()
        self._runner.close()
        self._folder.cleanup()

    @property
    def counted(self) -> Counter[str]:
        """What the world has counted so far."""
        return self.world.tally

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    # --- what happens -------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._do(asyncio.sleep(seconds))
        self.look()

    def report(self, name: str, address: tuple[int, int], status: str) -> None:
        """Let a connector change, which its station says at once or when it is back."""
        self._tell(name, lambda station: station.set(address, status))

    def lose(self, name: str, *, half_open: bool) -> None:
        """Let a station lose its connection, and stay away until it comes back."""

        def leave(station: Station) -> None:
            station.away = True
            station.drop(half_open=half_open)

        self._tell(name, leave)

    def reconnect(self, name: str) -> None:
        """Let a station come back, or replace the connection that it has."""

        def come(station: Station) -> None:
            station.away = False
            station.drop(half_open=True)

        self._tell(name, come)

    def _tell(self, name: str, order: Any) -> None:
        async def told() -> None:
            self.world.note(f"{name}: {order.__qualname__.rpartition('.')[2]}")
            order(self.world.stations[name])

        self._do(told())
        self.look()

    def kill(self, point: Point | None, times: int) -> None:
        """Kill the process now, or when it passes a point for so many times."""
        if point is not None:
            self.world.armed[point] = times
        else:
            self._do(self._killed())
        self.look()

    async def _killed(self) -> None:
        self.world.kill()

    async def _stopped(self) -> None:
        process = self.world.process
        if process is None or not self.world.serving:
            return
        self.world.note("clean stop")
        work = process.stopping()
        await asyncio.wait({work})
        if work.cancelled():
            return  # it was killed meanwhile, and starts again by itself
        if (error := work.exception()) is not None:
            self.world.note(f"did not stop as it should: {error!r}")
            process.kill()
            if not isinstance(error, StoreError):
                raise error
        for station in self.world.stations.values():
            station.drop()
        await asyncio.sleep(1)
        await self.world.start_process()

    def restart(self) -> None:
        """Stop the process as SIGTERM does, and start it again."""
        self._do(self._stopped())
        self.look()

    def step_wall_clock(self, by: timedelta) -> None:
        """Let the wall clock of the bridge's machine jump."""
        self.world.step_wall_clock(by)
        self.look()

    def break_hub(self, hub: str, fault: Mapping[str, Any]) -> None:
        """Let a hub have one fault until it is mended, in place of what it had."""
        self.world.hubs[hub].faults.clear()
        self.world.script(hub, **fault)
        self.look()

    def mend_hub(self, hub: str) -> None:
        """End a hub's fault."""
        self.world.hubs[hub].faults.clear()
        self.look()

    def break_storage(self, why: str | None) -> None:
        """Let commits fail from now on, or succeed again."""
        self.world.note(f"commits fail: {why}")
        self.world.tally["faults"] += why is not None
        self.world.storage_fails = lambda: why
        self.look()

    # --- what operators order -----------------------------------------------------------------------------------------

    def create_temporary(self, evse_id: str, kind: TemporaryKind, begins_s: float, lasts_s: float | None) -> None:
        """Create a temporary status, unless there is the same already."""
        begins = self.world.wall() + timedelta(seconds=begins_s)
        done = self._order(
            create_temporaries,
            lambda process: CreateOrder(
                evse_ids=(evse_id,),
                kind=kind,
                valid_from=begins,
                valid_to=None if lasts_s is None else begins + timedelta(seconds=lasts_s),
                enforce=False,
                by="model",
                at=process.clock(),
                options=process.options,
            ),
        )
        if done is not None:
            self.temporaries += [stored.number for stored in done.items]

    def change_temporary(self, number: int, kind: TemporaryKind) -> None:
        """Change what a temporary status says."""
        self._order(
            change_temporaries, lambda process: ChangeOrder(number, process.clock(), process.options, kind=kind)
        )

    def remove_temporary(self, number: int) -> None:
        """Remove a temporary status."""
        order = self._order(
            remove_temporaries, lambda process: RemoveOrder((number,), process.clock(), process.options)
        )
        if order is not None:
            self.temporaries.remove(number)

    def set_mode(self, hub: str, mode: Mode) -> None:
        """Let an account send, or not."""
        self._order(
            set_modes,
            lambda process: ModeOrder(AccountName(hub), mode, by="model", confirmed=True, at=process.clock()),
        )

    def sync(self, hub: str, *, forget: bool) -> None:
        """Let an account send what differs, or everything."""
        self._order(sync_accounts, lambda process: SyncOrder(AccountName(hub), forget, process.clock()))

    def full_load(self) -> None:
        """Let the account that can replace everything it has at its hub do so."""
        self._order(request_full_loads, lambda process: FullLoadOrder(AccountName("hubject"), False, process.clock()))

    def _order(self, handler: Any, order: Any) -> Any:
        """Give the bridge an order as its REST interface does, and wake whom it concerns; None: it did not happen."""

        async def given() -> Any:
            process = self.world.process
            if process is None or not self.world.serving:
                return None
            wish = order(process)
            self.world.note(f"order: {type(wish).__name__}")
            try:
                done = await self.world.submit(handler, wish)
            except Duplicate:
                return None
            if done is not None:
                derived = getattr(done, "derived", Derived(accounts=set(process.lanes)))
                process.wakes.derived(derived)
            return done

        done = self._do(given())
        self.look()
        return None if isinstance(done, ItemFailed) else done

    # --- what must hold -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Check what must hold at any time: I2, I3, I4, I8, and that no task died. Raises: Broken."""
        world = self.world
        world.evidence.note_lost()
        found = [*world.evidence.wrong, *self._rows_wrong(), *world.died()]
        for name, hub in world.hubs.items():
            found += [f"{name}: {one['what']}" for one in hub.ledger.violations()]
        if found:
            raise world.broken(found)

    def _rows_wrong(self) -> list[str]:
        """I4: one row for each EVSE and hub, whatever lies between; one request in flight for each hub."""
        rows = self.world.evidence.rows(
            "SELECT account, COUNT(*), SUM(in_flight_seq > 0),"
            " SUM(acked_seq > desired_seq OR in_flight_seq > desired_seq) FROM delivery GROUP BY account"
        )
        full = self.world.evidence.rows("SELECT COUNT(*) FROM lane WHERE full_load_in_flight")[0][0]
        found = []
        for account, number, in_flight, impossible in rows:
            if number > len(EVSES) or impossible or in_flight > (len(EVSES) if full else 1):
                found.append(f"{account}: {number} rows, {in_flight} in flight, {impossible} ahead of what is desired")
        return found

    def quiesce(self) -> None:
        """End every fault, let everyone be there, and check that hubs agree. Raises: Broken."""
        self._do(self._healed())
        for hub in HUBS:
            self.set_mode(hub, Mode.LIVE)  # also where a kill came before the last order for it was stored
        self._do(self._agreed())
        self.look()

    async def _healed(self) -> None:
        await self.world.heal()
        await asyncio.sleep(30)

    async def _agreed(self) -> None:
        await self.world.agree()
        self.world.check()
        for station in self.world.stations.values():
            station.calm = False
