"""Play a script in a world: what its tests wait for, let happen, and read of it afterwards.

Before it: the tests with scripts. After it: `world`, and the evidence that it keeps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import dropwhile

from csms.events import OcppVersion
from tests.torture.simulation.stations import Habits
from tests.torture.simulation.world import Plan, World

CALM = Habits(OcppVersion.V16, ((0, 1),), change_s=1e9, drop_s=1e9, away_s=5.0, boots=0.0)
PLAN = Plan({"one": CALM, "two": CALM})
ONE, TWO = "DE*ABC*EONE*1", "DE*ABC*ETWO*1"


async def agreed(world: World, within_s: float = 120.0) -> None:
    """Wait until both hubs hold what they should."""
    ends = world.time_s() + within_s
    while found := world.evidence.disagreements(world.hubs, world.wall()):
        assert world.time_s() < ends, found
        await asyncio.sleep(1)


async def restarted(world: World, down_s: float = 2.0, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Kill the process, and wait until the next one serves."""
    world.down_s = lambda: down_s
    world.kill()
    meanwhile()
    await asyncio.sleep(down_s)
    while not world.serving:  # noqa: ASYNC110 - virtual time costs nothing
        await asyncio.sleep(0.1)


def states(world: World, evse_id: str) -> list[str]:
    """Return everything that an EVSE has been since its station was first heard."""
    found = [status for _, status in world.evidence.courses[evse_id].states]
    return list(dropwhile(lambda status: status == "unknown", found))


def begun(world: World, evse_id: str, status: str) -> list[float]:
    """Return when (virtual) an EVSE became this."""
    return [at for at, found in world.evidence.courses[evse_id].states if found == status]


def said(world: World, hub: str, since: float) -> list[tuple[str, str]]:
    """Return what a hub was told since this virtual moment, without its fullLoads."""
    began = (world.plan.start + timedelta(seconds=since)).timestamp()
    entries = world.hubs[hub].ledger.journal(limit=100_000)
    return [
        record
        for entry in entries
        if entry["received_at"] >= began and entry["action"] != "fullLoad"
        for record in entry["records"]
    ]
