"""Leave one hub down for a day while every EVSE goes on changing, and count what that costs, then and afterwards (T42).

Statuses go into the shipped intake in batches, as they do when many stations report at once.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from csms.events import OcppVersion
from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.fed import NEVER_OFFLINE, connectors, everybody, feed
from tests.torture.simulation.journals import busiest, left_between, longest_lag, now
from tests.torture.simulation.stations import Habits
from tests.torture.simulation.world import Plan, World

DAY_S = 86_400
PER_STATION = 10
COURSE = ("Faulted", "Reserved")
"""Every EVSE goes to and fro between these, so that each change counts at both hubs."""


def fleet(evses: int) -> Plan:
    """Return a plan for so many EVSEs, in tens to a station."""
    habits = Habits(OcppVersion.V16, connectors(PER_STATION))
    stations = {f"s{number}": habits for number in range(evses // PER_STATION)}
    settings = NEVER_OFFLINE | {"ACCOUNTS__HUBJECT__FULL_LOAD_ABOVE": str(evses // 2)}
    return Plan(stations, fed=True, slack_s=60.0, settings=settings)


async def change_for_a_day(world: World, every_s: float) -> int:
    """Let each EVSE change every so often for a day, a tenth of them at once; return how many changes there were."""
    everyone = everybody(world, "")
    rounds = round(DAY_S / every_s)
    for turn in range(rounds):
        for part in range(10):
            began = now(world)
            status = COURSE[turn % len(COURSE)]
            await feed(world, [(one, address, status) for one, address, _ in everyone[part::10]])
            await asyncio.sleep(max(0.0, every_s / 10 - (now(world) - began)))
    return rounds * len(everyone)


def live_through(simulate: Simulate, hub: str, *, evses: int, every_s: float, agree_s: float) -> World:
    """Live through a day without this hub, and check all that does not depend on the numbers."""
    other = {"hubject": "chargeprice", "chargeprice": "hubject"}[hub]

    async def story(world: World) -> None:
        await feed(world, everybody(world, "Charging"))
        await world.agree()
        rows = _rows(world)
        began = now(world)
        world.script(hub, kind="down")
        world.tally["changed"] = await change_for_a_day(world, every_s)
        attempts = left_between(world, hub, began)
        assert busiest(attempts[8:], 60) <= 1
        assert 1000 <= len(attempts) <= DAY_S / 60 + 10
        assert longest_lag(world, other, now(world) - 3600, now(world) - 120) < 120
        grown = {table: number for table, number in _rows(world).items() if number != rows[table]}
        requests = len(attempts) + len(left_between(world, other, began))
        assert grown.pop("delivery_log") - rows["delivery_log"] <= requests
        assert grown == {"history": rows["history"] + world.tally["changed"]}
        world.hubs[hub].faults.clear()
        ended = now(world)
        await asyncio.sleep(1)
        await world.agree()
        assert now(world) - ended <= agree_s
        journal = world.hubs[hub].journal(ended)
        world.tally["full_loads"] = sum(entry.action == "fullLoad" for entry in journal)
        world.tally["singles"] = sum(entry.action != "fullLoad" for entry in journal)

    return simulate.tell(42, fleet(evses), story)


def _rows(world: World) -> dict[str, int]:
    """Return how many rows each table has."""
    tables = [name for (name,) in world.evidence.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: world.evidence.rows(f"SELECT count(*) FROM {name}")[0][0] for name in tables}  # noqa: S608


def _resident_mib() -> float:
    """Return how much memory this process has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1_048_576


@pytest.mark.row("T42")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("hub", ["hubject", pytest.param("chargeprice", marks=pytest.mark.long)])
def test_a_day_without_a_hub_costs_one_row_per_evse_and_then_at_most_one_request_each(
    hub: str, simulate: Simulate
) -> None:
    world = live_through(simulate, hub, evses=40, every_s=7200, agree_s=120)
    assert world.tally["changed"] == 480
    assert world.tally["full_loads"] + world.tally["singles"] <= 41


@pytest.mark.row("T42")
@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("hub", ["hubject", "chargeprice"])
def test_a_day_of_ten_thousand_evses_without_a_hub_needs_no_more_memory(hub: str, simulate: Simulate) -> None:
    before = _resident_mib()
    world = live_through(simulate, hub, evses=10_000, every_s=6 * 3600, agree_s=1200)  # 10,000 round trips of 0.1 s
    assert world.tally["full_loads"] + world.tally["singles"] <= 10_001
    assert _resident_mib() - before < 512
