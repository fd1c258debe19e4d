"""Let stations be as the field has them, for hours: silent, flapping, cloned, with clocks that lie, away for days.

The wire versions of these rows are elsewhere; here they meet hours, seeds and kills in between.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from csms.events import OcppVersion
from tests.catalogue.recording import Tally
from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.dishonest_clocks import DISHONEST, Clock
from tests.torture.simulation.fates import deaths, hub_faults, kills
from tests.torture.simulation.scripts import CALM, ONE, PLAN, TWO, agreed, begun, restarted, said, states
from tests.torture.simulation.stations import Habits
from tests.torture.simulation.world import Plan, World

BUSY = Habits(OcppVersion.V16, ((0, 1), (0, 2)), change_s=300, drop_s=900, away_s=30)
DOZEN = {f"s{letter}": CALM for letter in "abcdefghijkl"}


@pytest.mark.row("T58")
@pytest.mark.parametrize("clock", DISHONEST, ids=lambda clock: clock.__name__)
def test_a_station_whose_clock_lies_is_believed_in_the_order_in_which_it_speaks(
    clock: Clock, simulate: Simulate
) -> None:
    older = Habits(OcppVersion.V201, ((1, 1), (2, 1)), change_s=300, drop_s=900, away_s=30, clock=clock)
    plan = Plan({"one": replace(BUSY, clock=clock), "two": older}, hours=2)
    counted = simulate(1, plan, [kills(1800), deaths(1800)])
    assert counted["statuses_answered"] > 30
    assert counted["statuses_lost"] == counted["older_values"] == 0


@pytest.mark.row("T52", "T53")
def test_connections_that_die_unnoticed_and_flap_lose_nothing_between_kills(
    seed: int, simulate: Simulate, tally: Tally
) -> None:
    flapping = replace(BUSY, drop_s=45, away_s=3)
    plan = Plan({"one": flapping, "two": replace(flapping, silent=True), "three": BUSY}, hours=1)
    counted = simulate(seed, plan, [kills(1800), deaths(1800), hub_faults(1800, 300)])
    assert counted["statuses_lost"] == counted["older_values"] == 0
    tally.seed(seed)


@pytest.mark.row("T55")
@pytest.mark.parametrize("kill", [False, True], ids=["", "with a kill"])
def test_two_devices_with_one_identity_are_noticed_within_a_minute_and_push_no_more_than_they_change(
    kill: bool, simulate: Simulate
) -> None:
    async def script(world: World) -> None:
        await agreed(world)
        began, clone = world.time_s(), world.clone("one")
        clone.actual[0, 1] = "Charging"
        await asyncio.sleep(60)
        assert world.process is not None
        assert [found.station for found in world.process.central.flapping()] == ["one"]
        if kill:
            await restarted(world)
        await asyncio.sleep(1200)
        connections = clone.connections + world.stations["one"].connections
        assert connections > 50
        assert len(said(world, "hubject", began)) <= len(states(world, ONE)) <= connections + 2
        clone.away = True
        clone.drop()

    simulate.play(1, Plan({"one": replace(CALM, boots=1.0), "two": CALM}), script)


@pytest.mark.row("T55")
def test_two_devices_that_use_one_identity_in_turn_are_each_believed_while_they_speak(simulate: Simulate) -> None:
    async def script(world: World) -> None:
        await agreed(world)
        original, clone = world.stations["one"], None
        original.away = True
        original.drop()
        clone = world.clone("one")
        clone.set((0, 1), "Charging")
        await asyncio.sleep(600)
        assert states(world, ONE) == ["available", "charging"]
        clone.away = True
        clone.drop()
        await restarted(world)
        original.away = False
        await asyncio.sleep(600)
        assert states(world, ONE) == ["available", "charging", "available"]

    simulate.play(1, PLAN, script)


@pytest.mark.row("T57")
def test_a_station_that_blinks_available_at_each_boot_makes_no_hub_say_so(simulate: Simulate) -> None:
    blinking = replace(CALM, boots=1.0, blinks=True)

    async def script(world: World) -> None:
        await agreed(world)
        station = world.stations["one"]
        station.set((0, 1), "Unavailable")
        await agreed(world)
        broken = world.time_s()
        for _ in range(10):
            station.drop()
            await asyncio.sleep(600)
        assert len([report for report in station.journal if report.status == "Available"]) >= 10
        assert states(world, ONE) == ["available", "unavailable"]
        assert said(world, "hubject", broken) == said(world, "chargeprice", broken) == []

    simulate.play(1, Plan({"one": blinking, "two": CALM}), script)


@pytest.mark.row("T59", "T60", "T61")
def test_restarts_of_ours_change_nothing_for_stations_that_say_nothing_and_refuse_to_be_asked(
    simulate: Simulate,
) -> None:
    mute = replace(CALM, silent=True)

    async def script(world: World) -> None:
        await asyncio.sleep(5)
        for station in world.stations.values():
            station.set((0, 1), "Available")
        await agreed(world)
        quiet = world.time_s()
        for _ in range(6):
            await asyncio.sleep(600)
            await restarted(world, down_s=120)
        assert {tuple(states(world, evse_id)) for evse_id in (ONE, TWO)} == {("available",)}
        assert said(world, "hubject", quiet) == said(world, "chargeprice", quiet) == []

    simulate.play(1, Plan({"one": mute, "two": replace(mute, refuses=True)}), script)


# --- silence ----------------------------------------------------------------------------------------------------------


@pytest.mark.row("T60")
def test_twenty_silent_minutes_of_the_whole_fleet_with_kills_and_clock_steps_change_nothing(
    simulate: Simulate,
) -> None:
    async def script(world: World) -> None:
        await agreed(world)
        await asyncio.sleep(300)
        silent = world.time_s()
        for station in world.stations.values():
            station.away = True
            station.drop(half_open=True)
        await asyncio.sleep(400)
        await restarted(world)
        world.step_wall_clock(timedelta(hours=1))
        await asyncio.sleep(400)
        await restarted(world, meanwhile=lambda: world.step_wall_clock(timedelta(hours=-2)))
        await asyncio.sleep(1200 - (world.time_s() - silent))
        for station in world.stations.values():
            station.away = False
        await asyncio.sleep(900)
        assert {tuple(states(world, evse_id)) for evse_id in world.evidence.courses} == {("available",)}
        assert said(world, "hubject", silent) == said(world, "chargeprice", silent) == []

    simulate.play(1, Plan(DOZEN, looks=timedelta(seconds=10)), script)


@pytest.mark.row("T60")
def test_a_station_that_is_away_for_days_is_unknown_until_it_is_back(simulate: Simulate) -> None:
    async def script(world: World) -> None:
        await agreed(world)
        station = world.stations["one"]
        station.away = True
        station.drop(half_open=True)
        went = world.time_s()
        await asyncio.sleep(24 * 3600)
        await restarted(world)
        await asyncio.sleep(24 * 3600)
        assert states(world, ONE) == ["available", "unknown"]
        assert 15 * 60 <= begun(world, ONE, "unknown")[-1] - went <= 40 * 60
        assert world.hubs["hubject"].state()[ONE] == "Unknown"
        station.away = False
        await asyncio.sleep(700)
        assert states(world, ONE) == ["available", "unknown", "available"]
        assert states(world, TWO) == ["available"]
        assert world.hubs["hubject"].state()[ONE] == "Available"

    simulate.play(1, PLAN, script)
