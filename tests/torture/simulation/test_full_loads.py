"""Kill the bridge around fullLoads, and take its inventory away: what replaces everything must be the truth.

Each world ends as all do: every fault is over, hubs must agree, nothing older was ever sent, no rule of a hub broken.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest

from bridge.core.model import AccountName
from bridge.edits import FullLoadOrder, request_full_loads
from csms.events import OcppVersion
from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.fed import NEVER_OFFLINE, connectors, everybody, feed
from tests.torture.simulation.journals import now
from tests.torture.simulation.stations import Habits
from tests.torture.simulation.test_hubs import DAY_S, many
from tests.torture.simulation.test_outages import report, settle_in
from tests.torture.simulation.world import Plan, Point, World

HUBJECT = AccountName("hubject")


async def order_full_load(world: World) -> None:
    """Ask for a fullLoad as an operator does."""
    assert world.process is not None
    await world.submit(request_full_loads, FullLoadOrder(HUBJECT, of_data=False, at=world.process.clock()))
    if world.process is not None and world.serving:
        world.process.wakes.account(HUBJECT)


def full_loads(world: World, since: float) -> list[int]:
    """Return how many records each fullLoad had."""
    return [len(entry.records) for entry in world.hubs["hubject"].journal(since) if entry.action == "fullLoad"]


AT_EACH_STEP = (
    (Point.PUSH_SENT, 1),
    (Point.PUSH_ANSWERED, 1),
    (Point.AFTER_COMMIT, 3),
    (Point.BEFORE_COMMIT, 4),
    *((Point.AFTER_COMMIT, number) for number in (1, 2, 4, 5)),
    *((Point.BEFORE_COMMIT, number) for number in (1, 2, 3, 5)),
)
"""A fullLoad of 600 EVSEs is ordered and marked in one commit each, and settled in three: a chunk of 500, the rest, the
lane. What stations report meanwhile may share these commits.
"""


@pytest.mark.row("T46")
@pytest.mark.parametrize(
    "deaths", [AT_EACH_STEP[:4], pytest.param(AT_EACH_STEP[4:], marks=pytest.mark.long)], ids=["some", "the others"]
)
def test_changes_win_over_a_full_load_in_the_middle_of_which_the_bridge_dies(
    deaths: tuple[tuple[Point, int], ...], simulate: Simulate
) -> None:
    async def story(world: World) -> None:
        world.down_s = lambda: 2.0
        await settle_in(world)
        for turn, (point, number) in enumerate(deaths):
            began = now(world)
            world.armed[point] = number
            await order_full_load(world)
            for connector in range(1, 6):
                await report(world, connector, ("Faulted", "Charging")[turn % 2])
            await world.agree()
            world.armed.clear()
            await asyncio.sleep(300)
            assert set(full_loads(world, began)) <= {600}

    world = simulate.tell(46, many(600), story)
    assert world.tally["kills"] >= len(deaths) - 1


@pytest.mark.row("T47")
def test_no_full_load_goes_out_of_an_empty_database_not_even_by_an_order(simulate: Simulate) -> None:
    async def story(world: World) -> None:
        await settle_in(world)
        held = world.hubs["hubject"].state()
        began = now(world)
        stations, world.evidence.stations = world.evidence.stations, {}
        await take_database(world, simulate.template)
        await asyncio.sleep(1.5 * DAY_S)
        assert world.hubs["hubject"].journal(began) == []
        await order_full_load(world)
        await asyncio.sleep(600)
        assert world.hubs["hubject"].journal(began) == []
        assert world.hubs["hubject"].state() == held
        await take_database(world, world.folder / "kept.db")
        world.evidence.stations = stations
        await feed(world, everybody(world, "Faulted"))
        await world.agree()

    simulate.tell(47, many(20), story)


async def take_database(world: World, other: Path) -> None:
    """Start the bridge again with another database; its own is kept beside it."""
    world.starts = False
    world.kill()
    world.evidence.close()
    _exchange(world.folder, other)
    world.starts = True
    await world.start_process()


def _exchange(folder: Path, other: Path) -> None:
    database = folder / "bridge.db"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    shutil.copy(other, folder / "other.db")
    database.rename(folder / "kept.db")
    for leftover in folder.glob("bridge.db-*"):
        leftover.unlink()
    (folder / "other.db").rename(database)


@pytest.mark.row("T47")
def test_no_full_load_goes_out_of_half_an_inventory_before_an_operator_says_yes(simulate: Simulate) -> None:
    async def story(world: World) -> None:
        await settle_in(world)
        await asyncio.sleep(DAY_S)
        began = now(world)
        gone = [name for name in world.stations if name != "one"]
        for name in gone:
            world.evidence.forget(name)
        await world.import_inventory(["one"], prune=True)
        await asyncio.sleep(2 * DAY_S)
        assert full_loads(world, began) == []
        assert len(world.hubs["hubject"].state()) == 10
        await order_full_load(world)
        await asyncio.sleep(60)
        assert full_loads(world, began) == [10]
        await asyncio.sleep(DAY_S)
        assert full_loads(world, began) == [10, 10]

    simulate.tell(47, many(30), story)


@pytest.mark.row("T35")
def test_ids_that_differ_in_separators_alone_keep_nobody_from_a_full_load(simulate: Simulate) -> None:
    """Hubject may take `DE*ABC*ES1*11` and `DE*ABC*ES11*1` for one EVSE: each goes out alone, the others together."""
    alike = {"DE*ABC*ES1*11", "DE*ABC*ES11*1"}

    async def story(world: World) -> None:
        await settle_in(world)
        assert alike <= world.hubs["hubject"].state().keys()
        began = now(world)
        await asyncio.sleep(DAY_S)
        journal = world.hubs["hubject"].journal(began)
        assert full_loads(world, began) == [33, 31]
        after = journal[[entry.action for entry in journal].index("fullLoad") + 2 :]
        assert {key for entry in after for key, _ in entry.records} == alike
        assert all(len(entry.records) == 1 for entry in after)

    stations = dict.fromkeys(("one", "s1", "s11"), Habits(OcppVersion.V16, connectors(11)))
    simulate.tell(35, Plan(stations, fed=True, settings=NEVER_OFFLINE), story)
