"""Let hubs break for hours of virtual time, and look at what they were asked meanwhile and afterwards.

Each world ends as all do: every fault is over, hubs must agree, nothing older was ever sent, no rule of a hub broken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from csms.events import OcppVersion
from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.fed import NEVER_OFFLINE, Fed, connectors, everybody, feed
from tests.torture.simulation.journals import left_between, longest_lag, now, values_sent
from tests.torture.simulation.stations import Habits
from tests.torture.simulation.world import Plan, World

HUBS = ("hubject", "chargeprice")
OTHER = {"hubject": "chargeprice", "chargeprice": "hubject"}

BUSY = {
    "one": Habits(OcppVersion.V16, ((0, 1), (0, 2)), change_s=240, drop_s=1e6),
    "two": Habits(OcppVersion.V201, ((1, 1), (2, 1)), change_s=240, drop_s=1e6),
}
"""Always something to tell the hubs."""

STILL = {"one": Habits(OcppVersion.V16, connectors(3))}
"""Stations that are `fed`."""


def still(**settings: str) -> Plan:
    """Return a plan for stations that are `fed`."""
    return Plan(STILL, fed=True, settings=NEVER_OFFLINE | settings)


async def report(world: World, connector: int, status: str) -> None:
    """Let a connector of the first station report."""
    station = world.stations["one"]
    assert isinstance(station, Fed)
    await feed(world, [(station, (0, connector), status)])


async def settle_in(world: World) -> None:
    """Report everything as charging, and wait until hubs agree."""
    await feed(world, everybody(world, "Charging"))
    await world.agree()
    await asyncio.sleep(300)


@pytest.mark.row("T24")
@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize("fault", [{"kind": "status", "status": 500}, {"kind": "down"}], ids=["500", "down"])
def test_a_hub_that_fails_for_an_hour_is_asked_once_a_minute_and_the_other_one_notices_nothing(
    hub: str, fault: dict[str, object], simulate: Simulate
) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(1800)
        began = now(world)
        world.script(hub, seconds=3600, **fault)
        await asyncio.sleep(3600)
        attempts = left_between(world, hub, began, now(world))
        assert 40 <= len(attempts) <= 70
        assert min(after - before for before, after in pairwise(attempts[8:])) >= 60
        assert longest_lag(world, OTHER[hub], began, now(world) - 60) < 5
        await world.agree()
        assert now(world) - began < 3600 + 120

    simulate.tell(24, Plan(BUSY), story)


@pytest.mark.row("T25")
@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize("status", [429, 503])
def test_a_hub_that_asks_for_two_minutes_gets_them_and_then_everything_at_the_allowed_rate(
    hub: str, status: int, simulate: Simulate
) -> None:
    async def story(world: World) -> None:
        await settle_in(world)
        world.script(hub, kind="status", status=status, retry_after="120", count=1)
        began = now(world)
        for number in range(1, 4):
            await report(world, number, "Faulted")
        await asyncio.sleep(300)
        first, *others = left_between(world, hub, began)
        assert len(others) == 3
        assert all(120 <= time - first <= 125 for time in others)
        assert longest_lag(world, OTHER[hub], began, began + 60) < 5

    simulate.tell(25, still(), story)


def _in_90_s(at: datetime) -> str:
    return format_datetime(at + timedelta(seconds=90), usegmt=True)


@pytest.mark.row("T26")
@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize(
    ("header", "least_s", "most_s"),
    [
        pytest.param(_in_90_s, 88, 92, id="a date in 90 s"),
        pytest.param(lambda _at: "Fri, 20 Nov 2020 08:00:00 GMT", 1, 2, id="a date that has passed"),
        pytest.param(lambda _at: "abc", 1, 2, id="abc"),
        pytest.param(lambda _at: "-5", 1, 2, id="-5"),
        pytest.param(lambda _at: "1000000000", 900, 902, id="32 years"),
    ],
)
def test_a_retry_after_of_any_kind_is_kept_within_its_bounds(
    header: Callable[[datetime], str], least_s: float, most_s: float, hub: str, simulate: Simulate
) -> None:
    async def story(world: World) -> None:
        await settle_in(world)
        began = now(world)
        at = datetime.fromtimestamp(began, UTC)
        world.script(hub, kind="status", status=503, retry_after=header(at), count=1)
        await report(world, 1, "Faulted")
        await asyncio.sleep(1200)
        refused, accepted, *when_the_doubt_ends = left_between(world, hub, began)
        assert least_s <= accepted - refused <= most_s
        assert len(when_the_doubt_ends) <= 1

    simulate.tell(26, still(), story)


@pytest.mark.row("T32")
@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize("kind", ["latency", "late"])
def test_of_ten_changes_during_a_slow_request_only_the_last_is_sent(hub: str, kind: str, simulate: Simulate) -> None:
    async def story(world: World) -> None:
        await settle_in(world)
        world.script(hub, kind=kind, delay_s=30.0, count=1)
        began = now(world)
        await report(world, 1, "Reserved")
        for status in ("Charging", "Faulted") * 4:
            await asyncio.sleep(1)
            await report(world, 1, status)
        await report(world, 1, "Charging")
        await asyncio.sleep(60)
        evse_id = "DE*ABC*EONE*1"
        assert [value.casefold() for _, value in values_sent(world, hub, evse_id, began)] == ["reserved", "occupied"]
        await asyncio.sleep(300)
        (_, slow), (_, last), (again, doubt_over) = values_sent(world, hub, evse_id, began)
        assert slow.casefold() == "reserved"
        assert last == doubt_over
        assert 90 <= again - began <= 120

    simulate.tell(32, still(), story)


@pytest.mark.row("T43")
def test_both_hubs_go_and_return_together(simulate: Simulate) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(1800)
        for hub in HUBS:
            world.script(hub, seconds=7200, kind="down")
        began = now(world)
        await asyncio.sleep(7200)
        for hub in HUBS:
            assert len(left_between(world, hub, began, now(world))) <= 130
        await world.agree()
        assert now(world) - began < 7200 + 120
        for hub in HUBS:
            assert world.hubs[hub].ledger.summary()["overlaps"] == 0

    simulate.tell(43, Plan(BUSY), story)
