"""Let clocks step, days have 23 and 25 hours, and the process stand still for a night (T71 to T73, T05).

Retries follow the monotonic clock, temporary statuses the wall clock; a clock alone loses no status and no station.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.catalogue.recording import Tally
from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.fates import clock_steps, deaths, kills, temporary_statuses, timely
from tests.torture.simulation.operators import Operator
from tests.torture.simulation.runs import FLEET
from tests.torture.simulation.scripts import CALM, ONE, PLAN, TWO, agreed, begun, restarted, said, states
from tests.torture.simulation.world import Plan, World

HOUR = timedelta(hours=1)
TEN_YEARS = timedelta(days=3653)
STEPS = [
    pytest.param(HOUR, id="+1h"),
    pytest.param(-HOUR, id="-1h"),
    pytest.param(TEN_YEARS, id="+10y"),
    pytest.param(-TEN_YEARS, id="-10y"),
]

# --- the wall clock steps ---------------------------------------------------------------------------------------------


@pytest.mark.row("T71")
@pytest.mark.parametrize("kill", ["never", "before", "after"])
@pytest.mark.parametrize("by", STEPS)
def test_temporary_statuses_follow_a_wall_clock_that_steps_and_nothing_else_does(
    by: timedelta, kill: str, simulate: Simulate
) -> None:
    async def script(world: World) -> None:
        operator = Operator(world)
        await agreed(world)
        begins = world.wall() + HOUR / 2
        await operator.create("MAINTENANCE", ONE, begins=begins, ends=begins + HOUR)
        await operator.create("BLOCKED", ONE, ends=begins + 2 * HOUR)
        await operator.create("COMMISSIONING", TWO)
        await asyncio.sleep(600)
        for step in (by, -by):
            if kill == "before":
                await restarted(world, meanwhile=lambda step=step: world.step_wall_clock(step))  # type: ignore[misc]
            else:
                world.step_wall_clock(step)
            if kill == "after":
                await asyncio.sleep(1)
                await restarted(world)
            await asyncio.sleep(3600)
        await asyncio.sleep(4 * 3600)
        for evse_id in (ONE, TWO):
            assert "unknown" not in states(world, evse_id)
        twice = ["available", "commissioning"] * (1 if by > timedelta(0) else 2)
        assert states(world, TWO) == twice
        assert states(world, ONE)[-1] == "available"

    simulate.play(1, PLAN, script, [timely()])


@pytest.mark.row("T71")
@pytest.mark.parametrize("by", STEPS)
def test_a_hub_that_asked_for_two_minutes_gets_them_whatever_the_wall_clock_does(
    by: timedelta, simulate: Simulate
) -> None:
    async def script(world: World) -> None:
        await agreed(world)
        await asyncio.sleep(600)
        world.script("hubject", seconds=5, kind="status", status=503, retry_after="120")
        world.stations["one"].set((0, 1), "Charging")
        await asyncio.sleep(10)
        asked = world.hubs["hubject"].attempts
        world.step_wall_clock(by)
        await asyncio.sleep(105)
        assert world.hubs["hubject"].attempts == asked
        await asyncio.sleep(10)
        assert world.hubs["hubject"].state()[ONE] == "Occupied"

    simulate.play(1, PLAN, script)


@pytest.mark.row("T71")
@pytest.mark.parametrize("by", STEPS)
def test_a_pause_that_a_kill_and_a_clock_step_meet_ends_within_its_own_maximum(
    by: timedelta, simulate: Simulate
) -> None:
    async def script(world: World) -> None:
        await agreed(world)
        await asyncio.sleep(600)
        world.script("hubject", seconds=5, kind="status", status=503, retry_after="120")
        world.stations["one"].set((0, 1), "Charging")
        await asyncio.sleep(10)
        await restarted(world, meanwhile=lambda: world.step_wall_clock(by))
        await asyncio.sleep(15 * 60 + 10)
        assert world.hubs["hubject"].state()[ONE] == "Occupied"

    simulate.play(1, PLAN, script)


@pytest.mark.row("T71")
@pytest.mark.parametrize("by", STEPS)
def test_available_is_held_for_two_seconds_of_the_monotonic_clock(by: timedelta, simulate: Simulate) -> None:
    async def script(world: World) -> None:
        await agreed(world)
        world.stations["one"].set((0, 1), "Charging")
        await asyncio.sleep(600)
        world.stations["one"].set((0, 1), "Available")
        left = world.time_s()
        await asyncio.sleep(1)
        world.step_wall_clock(by)
        await asyncio.sleep(0.9)
        assert states(world, ONE)[-1] == "charging"
        await asyncio.sleep(600)
        assert states(world, ONE) == ["available", "charging", "available"]
        assert begun(world, ONE, "available")[-1] - left == pytest.approx(2.0, abs=0.3)

    simulate.play(1, PLAN, script)


@pytest.mark.row("T71")
@pytest.mark.parametrize("by", STEPS)
def test_a_silent_station_is_lost_after_a_quarter_of_an_hour_of_the_monotonic_clock(
    by: timedelta, simulate: Simulate
) -> None:
    async def script(world: World) -> None:
        await agreed(world)
        station = world.stations["one"]
        station.away = True
        station.drop(half_open=True)
        silent_since = world.time_s()
        await asyncio.sleep(300)
        world.step_wall_clock(by)
        await asyncio.sleep(1800)
        (lost,) = begun(world, ONE, "unknown")[-1:]
        assert lost - silent_since >= 15 * 60
        assert "unknown" not in states(world, TWO)
        station.away = False
        await agreed(world)
        assert states(world, ONE) == ["available", "unknown", "available"]

    simulate.play(1, PLAN, script)


@pytest.mark.row("T71", "T76")
def test_hours_of_clock_steps_kills_and_orders_end_with_every_order_kept_and_every_moment_met(
    seed: int, simulate: Simulate, tally: Tally
) -> None:
    fates = [clock_steps(3600), kills(3 * 3600), deaths(2 * 3600), temporary_statuses(900), timely()]
    counted = simulate(seed, Plan(FLEET, hours=8), fates)
    assert counted["orders"] > 10
    assert counted["orders_lost"] == 0
    tally.seed(seed)


# --- the process stands still -----------------------------------------------------------------------------------------


@pytest.mark.row("T72")
@pytest.mark.parametrize("clock_goes_on", [False, True], ids=["suspended", "stopped"])
def test_after_a_night_of_standing_still_no_station_is_lost_and_temporary_statuses_are_where_they_should_be(
    clock_goes_on: bool, simulate: Simulate
) -> None:
    async def script(world: World) -> None:
        operator, now = Operator(world), world.wall()
        await agreed(world)
        await operator.create("MAINTENANCE", ONE, begins=now + HOUR, ends=now + 2 * HOUR)
        await operator.create("BLOCKED", TWO, begins=now + 7 * HOUR, ends=now + 8.5 * HOUR)
        await asyncio.sleep(600)
        world.stand_still(8 * 3600, clock_goes_on=clock_goes_on)
        world.stations["two"].away = True
        world.stations["two"].drop(half_open=True)
        await asyncio.sleep(4 * 3600)
        world.stations["one"].set((0, 1), "Charging")
        await asyncio.sleep(4 * 3600 + 2.5)
        assert states(world, TWO) == ["available", "blocked"]
        await asyncio.sleep(150)
        assert "unknown" not in world.evidence.lives.values()
        assert world.evidence.rows("SELECT count(*) FROM station WHERE unreachable_at IS NOT NULL") == [(0,)]
        world.stations["two"].away = False
        await agreed(world)
        await asyncio.sleep(1200)
        assert states(world, ONE) == ["available", "charging"]
        assert states(world, TWO) == ["available", "blocked", "available"]
        assert world.evidence.rows("SELECT count(*) FROM station WHERE unreachable_at IS NOT NULL") == [(0,)]

    simulate.play(1, replace(PLAN, looks=timedelta(seconds=5)), script, [timely()])


@pytest.mark.row("T05")
def test_after_a_minute_of_sigstop_nothing_has_changed_and_nothing_is_sent_twice(simulate: Simulate) -> None:
    async def script(world: World) -> None:
        await agreed(world)
        await asyncio.sleep(600)
        stopped = world.time_s()
        world.stand_still(60, clock_goes_on=True)
        await asyncio.sleep(10)
        world.stations["one"].set((0, 1), "Charging")
        await asyncio.sleep(600)
        assert said(world, "hubject", stopped) == [(ONE, "Occupied")]
        assert states(world, ONE) == ["available", "charging"]
        assert states(world, TWO) == ["available"]

    simulate.play(1, PLAN, script)


# --- both nights on which clocks change -------------------------------------------------------------------------------


def full_loads(world: World) -> list[datetime]:
    """Return when Hubject received fullLoads."""
    entries = world.hubs["hubject"].ledger.journal(limit=100_000)
    return [datetime.fromtimestamp(entry["received_at"], UTC) for entry in entries if entry["action"] == "fullLoad"]


@pytest.mark.row("T73")
@pytest.mark.parametrize("down", [False, True], ids=["up", "down across it"])
@pytest.mark.parametrize(
    ("noon_before", "at", "due"),
    [
        pytest.param(datetime(2027, 3, 27, 11, tzinfo=UTC), "02:30", datetime(2027, 3, 28, 1, 0, tzinfo=UTC), id="gap"),
        pytest.param(
            datetime(2026, 10, 24, 10, tzinfo=UTC), "02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="fold"
        ),
        pytest.param(
            datetime(2027, 3, 27, 11, tzinfo=UTC), "03:30", datetime(2027, 3, 28, 1, 30, tzinfo=UTC), id="after the gap"
        ),
    ],
)
def test_on_a_night_on_which_clocks_change_the_daily_full_load_goes_out_once(
    noon_before: datetime, at: str, due: datetime, down: bool, simulate: Simulate
) -> None:
    settings = {"ACCOUNTS__HUBJECT__FULL_LOAD_AT": at, "ACCOUNTS__HUBJECT__TIME_ZONE": "Europe/Berlin"}

    async def script(world: World) -> None:
        await agreed(world)
        first = full_loads(world)
        if down:
            await asyncio.sleep((due - noon_before).total_seconds() - 3 * 3600)
            await restarted(world, down_s=6 * 3600)
        await asyncio.sleep((noon_before + timedelta(hours=25) - world.true_time()).total_seconds())
        (daily,) = full_loads(world)[len(first) :]
        late = timedelta(hours=3) if down else timedelta(0)
        assert late <= daily - due <= late + timedelta(minutes=11)
        await asyncio.sleep(20 * 3600)
        assert len(full_loads(world)) == len(first) + 2

    simulate.play(1, Plan({"one": CALM, "two": CALM}, start=noon_before, settings=settings), script)


@pytest.mark.row("T73")
@pytest.mark.parametrize(
    ("noon_before", "begins", "ends"),
    [
        pytest.param(
            datetime(2026, 10, 24, 10, tzinfo=UTC), "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", id="fold"
        ),
        pytest.param(
            datetime(2027, 3, 27, 11, tzinfo=UTC), "2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00", id="gap"
        ),
    ],
)
def test_a_temporary_status_across_a_change_of_clocks_lasts_the_hour_that_its_offsets_say(
    noon_before: datetime, begins: str, ends: str, simulate: Simulate
) -> None:
    async def script(world: World) -> None:
        await agreed(world)
        await Operator(world).create(
            "MAINTENANCE", ONE, begins=datetime.fromisoformat(begins), ends=datetime.fromisoformat(ends)
        )
        await asyncio.sleep(24 * 3600)
        assert states(world, ONE) == ["available", "maintenance", "available"]
        (began,), ended = begun(world, ONE, "maintenance"), begun(world, ONE, "available")[-1]
        assert ended - began == pytest.approx(3600, abs=2)

    simulate.play(1, Plan({"one": CALM, "two": CALM}, start=noon_before), script, [timely()])
