"""Give every kind of order about temporary statuses, kill the process over it, and look at what hubs are told.

Rows T74 to T78, end to end: from the service behind the REST interface to the hubs' own ledgers.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from bridge.web.services import NotFound, ValueRefused
from csms.events import OcppVersion
from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.fates import timely
from tests.torture.simulation.operators import Operator
from tests.torture.simulation.scripts import ONE, PLAN, TWO, agreed, begun, restarted, said, states
from tests.torture.simulation.stations import Habits
from tests.torture.simulation.world import Plan, Point, World

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PRECEDENCE = json.loads((Path(__file__).parents[2] / "vectors" / "precedence.json").read_text(encoding="utf-8"))["rows"]


@pytest.mark.row("T74")
def test_one_that_began_and_ended_while_we_were_down_is_never_sent(simulate: Simulate) -> None:
    async def script(world: World) -> None:
        operator, now = Operator(world), world.wall()
        await agreed(world)
        await operator.create("MAINTENANCE", ONE, begins=now + 30 * MINUTE, ends=now + 60 * MINUTE)
        await operator.create("BLOCKED", TWO, begins=now + 30 * MINUTE, ends=now + 3 * HOUR)
        went = world.time_s()
        await restarted(world, down_s=2 * 3600)
        back = world.time_s()
        await agreed(world)
        assert states(world, ONE) == ["available"]
        assert all(word == "Available" for evse_id, word in said(world, "hubject", went) if evse_id == ONE)
        (began,) = begun(world, TWO, "blocked")
        assert began <= back + 2
        await asyncio.sleep(2 * 3600)
        assert states(world, TWO) == ["available", "blocked", "available"]

    simulate.play(1, PLAN, script, [timely()])


@pytest.mark.row("T75")
def test_impossible_orders_are_refused_and_nothing_follows_from_them(simulate: Simulate) -> None:
    async def script(world: World) -> None:
        operator, now = Operator(world), world.wall()
        await agreed(world)
        ordered = world.time_s()
        for begins, ends in ((now + HOUR, now + HOUR), (now + HOUR, now), (now - 2 * HOUR, now - HOUR)):
            with pytest.raises(ValueRefused):
                await operator.create("MAINTENANCE", ONE, TWO, begins=begins, ends=ends)
        with pytest.raises(NotFound):
            await operator.create("MAINTENANCE", ONE, "DE*ABC*ENOBODY*1")
        await asyncio.sleep(3 * 3600)
        assert states(world, ONE) == states(world, TWO) == ["available"]
        assert said(world, "hubject", ordered) == said(world, "chargeprice", ordered) == []
        assert world.evidence.rows("SELECT count(*) FROM temporary_status") == [(0,)]

    simulate.play(1, PLAN, script)


@pytest.mark.row("T75")
def test_four_kinds_that_overlap_show_the_strongest_in_force_and_one_that_began_earlier_counts_at_once(
    simulate: Simulate,
) -> None:
    async def script(world: World) -> None:
        operator, now = Operator(world), world.wall()
        await agreed(world)
        for kind, begins, ends in (
            ("RESERVED", -10, 60), ("BLOCKED", 10, 50), ("COMMISSIONING", 20, 40), ("MAINTENANCE", 30, 35)
        ):  # fmt: skip
            await operator.create(kind, ONE, begins=now + begins * MINUTE, ends=now + ends * MINUTE)
        await asyncio.sleep(2 * 3600)
        assert states(world, ONE) == [
            "available", "reserved", "blocked", "commissioning", "maintenance", "commissioning", "blocked", "reserved",
            "available",
        ]  # fmt: skip

    simulate.play(1, PLAN, script, [timely()])


@pytest.mark.row("T75")
def test_deleting_twice_is_refused_and_changes_nothing(simulate: Simulate) -> None:
    async def script(world: World) -> None:
        operator = Operator(world)
        await agreed(world)
        (number,) = await operator.create("MAINTENANCE", ONE) or ()
        await asyncio.sleep(60)
        assert await operator.remove(number)
        await asyncio.sleep(60)
        deleted = world.time_s()
        with pytest.raises(NotFound):
            await operator.remove(number)
        await asyncio.sleep(600)
        assert states(world, ONE) == ["available", "maintenance", "available"]
        assert said(world, "hubject", deleted) == []

    simulate.play(1, PLAN, script, [timely()])


def fleet(stations: int, connectors: int) -> dict[str, Habits]:
    """Return stations that only answer, with so many connectors each."""
    addresses = tuple((0, number) for number in range(1, connectors + 1))
    habits = Habits(OcppVersion.V16, addresses, change_s=1e9, drop_s=1e9, away_s=5.0, boots=0.0)
    return {f"s{number}x": habits for number in range(stations)}


async def all_at_once(world: World) -> None:
    """Let every EVSE begin and end maintenance at the same moments, and see each hub told at its own rate."""
    operator, evse_ids = Operator(world), sorted(world.evidence.courses)
    await agreed(world, 3600)
    begins = world.wall() + 5 * MINUTE
    for first in range(0, len(evse_ids), 500):
        await operator.create("MAINTENANCE", *evse_ids[first : first + 500], begins=begins, ends=begins + HOUR)
    allowed_s = 60 + len(evse_ids) / (900 / 60)
    for _ in range(2):
        await asyncio.sleep((begins - world.wall()).total_seconds() + 5)
        assert not {status for status, _ in world.evidence.shown().values()} - {"maintenance", "available"}
        await agreed(world, allowed_s)
        begins += HOUR
    for evse_id in evse_ids:
        assert states(world, evse_id) == ["available", "maintenance", "available"]


@pytest.mark.row("T75")
def test_many_that_begin_at_one_moment_are_drained_within_a_minute_and_the_hubs_rate(
    simulate: Simulate,
) -> None:
    simulate.play(1, Plan(fleet(10, 12)), all_at_once)


@pytest.mark.row("T76")
@pytest.mark.parametrize("point", [Point.BEFORE_COMMIT, Point.AFTER_COMMIT, Point.PUSH_SENT, Point.PUSH_ANSWERED])
def test_a_kill_between_an_order_and_its_push_loses_neither(point: Point, simulate: Simulate) -> None:
    async def script(world: World) -> None:
        operator = Operator(world)
        world.down_s = lambda: 2.0
        await agreed(world)
        kept = (await operator.create("BLOCKED", TWO) or ())[0]
        await agreed(world)
        for order in (lambda: operator.create("MAINTENANCE", ONE), lambda: operator.remove(kept)):
            await asyncio.sleep(700)
            killed = world.tally["kills"]
            world.armed[point] = 1
            answer = await order()
            await asyncio.sleep(60)
            assert world.tally["kills"] == killed + 1
            assert bool(answer) is (point in (Point.PUSH_SENT, Point.PUSH_ANSWERED))
            await agreed(world)
        stored = point is not Point.BEFORE_COMMIT
        assert states(world, ONE) == ["available", "maintenance"] if stored else ["available"]
        assert states(world, TWO) == ["available", "blocked", *(["available"] if stored else [])]

    counted = simulate.play(1, PLAN, script, [timely()])
    assert counted["orders_lost"] == 0


@pytest.mark.row("T77")
def test_what_a_station_reports_under_a_temporary_status_reaches_hubs_only_when_it_ends_and_only_the_newest(
    seed: int, simulate: Simulate
) -> None:
    async def script(world: World) -> None:
        operator, station = Operator(world), world.stations["one"]
        await agreed(world)
        (number,) = await operator.create("MAINTENANCE", ONE) or ()
        await agreed(world)
        under = world.time_s()
        for status in ("Charging", "Finishing", "Faulted", "Available", "Reserved"):
            station.set((0, 1), status)
            await asyncio.sleep(300)
            if status == "Faulted":
                await restarted(world)
        told = said(world, "hubject", under)
        assert {word for evse_id, word in told if evse_id == ONE} <= {"OutOfService"}
        ended = world.time_s()
        await operator.remove(number)
        await agreed(world)
        assert [word for evse_id, word in said(world, "hubject", ended) if evse_id == ONE] == ["Reserved"]
        assert states(world, ONE) == ["available", "maintenance", "reserved"]

    simulate.play(seed, PLAN, script, [timely()])


# --- every combination ------------------------------------------------------------------------------------------------

SAID = {
    "available": "Available", "occupied": "Preparing", "charging": "Charging", "reserved": "Reserved",
    "unavailable": "Unavailable", "faulted": "Faulted",
}  # fmt: skip
AGGREGATES = [aggregate for aggregate, _ in groupby(PRECEDENCE, key=lambda row: row["aggregate"])]
AGGREGATES = sorted(set(AGGREGATES))


def combined(row: dict[str, Any]) -> tuple[str, tuple[int, int]]:
    """Return the station and connector on which a row of the vectors is lived through."""
    return "lost" if row["declared_unreachable"] else "there", (0, AGGREGATES.index(row["aggregate"]) + 1)


def evse_id_of(row: dict[str, Any]) -> str:
    """Return the EVSE on which a row of the vectors is lived through."""
    station, (_, connector) = combined(row)
    return f"DE*ABC*E{station.upper()}*{connector}"


@pytest.mark.row("T78")
def test_every_combination_of_live_status_reach_and_temporary_statuses_is_what_the_vectors_say(
    simulate: Simulate,
) -> None:
    addresses = tuple((0, number + 1) for number in range(len(AGGREGATES)))
    mute = frozenset({(0, AGGREGATES.index("unknown") + 1)}) if "unknown" in AGGREGATES else frozenset()
    habits = Habits(OcppVersion.V16, addresses, change_s=1e9, drop_s=1e9, away_s=5.0, boots=0.0, mute=mute)

    async def script(world: World) -> None:
        operator = Operator(world)
        for row in PRECEDENCE:
            if row["aggregate"] in SAID:
                station, address = combined(row)
                world.stations[station].set(address, SAID[row["aggregate"]])
        await agreed(world, 1500)
        world.stations["lost"].away = True
        world.stations["lost"].drop(half_open=True)
        await asyncio.sleep(1800)
        by_kinds = groupby(sorted(PRECEDENCE, key=lambda row: row["temporary"]), key=lambda row: row["temporary"])
        for kinds, rows in by_kinds:
            numbers = [await operator.create(kind, *sorted(world.evidence.courses)) or () for kind in kinds]
            await asyncio.sleep(60)
            shown = world.evidence.shown()
            names = {evse_id: point for point, evse_id in world.evidence.points.items()}
            for row in rows:
                evse_id = evse_id_of(row)
                assert shown[evse_id][0] == row["effective"], row
                assert world.hubs["hubject"].state()[evse_id] == row["oicp"], row
                assert world.hubs["chargeprice"].state()[names[evse_id]] == row["chargeprice"], row
            if numbers:
                await operator.remove(*(number for created in numbers for number in created))
            await asyncio.sleep(60)

    simulate.play(1, Plan({"there": habits, "lost": habits}), script, [timely()])
