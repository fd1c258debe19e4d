"""Break what a hub holds, what we know of it, and single EVSEs at it; and keep its rules while a thousand rows wait.

Each world ends as all do: every fault is over, hubs must agree, nothing older was ever sent, no rule of a hub broken.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bridge.core.model import AccountName, TemporaryKind
from bridge.edits import SyncOrder, sync_accounts
from bridge.temporaries import CreateOrder, create_temporaries
from csms.events import OcppVersion
from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.fed import NEVER_OFFLINE, Fed, connectors, everybody, feed
from tests.torture.simulation.journals import busiest, left_between, longest_lag, now, values_sent
from tests.torture.simulation.stations import Habits
from tests.torture.simulation.test_outages import HUBS, report, settle_in, still
from tests.torture.simulation.world import Plan, Point, World

DAY_S = 86_400.0


def many(evses: int, **settings: str) -> Plan:
    """Return a plan for so many EVSEs, ten to a station, that are `fed`."""
    names = ("one", *(f"s{number}" for number in range(1, evses // 10)))
    habits = Habits(OcppVersion.V16, connectors(10))
    stations = dict.fromkeys(names, habits)
    return Plan(stations, fed=True, slack_s=60.0, agree_s=7 * 3600, settings=NEVER_OFFLINE | settings)


# --- single EVSEs that a hub does not take ------------------------------------------------------------------------


@pytest.mark.row("T35")
@pytest.mark.parametrize(
    ("code", "evses"),
    [
        pytest.param("018", 100, id="018"),
        pytest.param("018", 500, id="018 among 500", marks=pytest.mark.long),
        pytest.param("022", 500, id="022 among 500", marks=pytest.mark.long),
        pytest.param("603", 500, id="603, which names it, among 500"),
    ],
)
def test_one_evse_that_hubject_refuses_keeps_nobody_from_a_full_load(code: str, evses: int, simulate: Simulate) -> None:
    bad = "DE*ABC*ES7*3"

    async def story(world: World) -> None:
        world.script("hubject", kind="result_false", code=code, evse=(bad,))
        began = now(world)
        await feed(world, everybody(world, "Charging"))
        await asyncio.sleep(600)
        wrong = world.evidence.disagreements({"hubject": world.hubs["hubject"]}, world.wall())
        assert wrong == [f"hubject {bad}: should be Occupied, is None"]
        full_loads = [entry for entry in world.hubs["hubject"].journal(began) if entry.action == "fullLoad"]
        assert len(full_loads) <= 10
        assert {len(entry.records) for entry in full_loads} <= {evses - 1, evses}
        assert len(values_sent(world, "hubject", bad, began)) <= len(full_loads) + 2
        shown = world.evidence.rows(
            "SELECT evse_id FROM delivery JOIN evse ON evse.id = delivery.evse WHERE refused IS NOT NULL"
        )
        assert shown == [(bad,)]
        world.hubs["hubject"].faults.clear()
        station = world.stations["s7"]
        assert isinstance(station, Fed)
        await feed(world, [(station, (0, 3), "Faulted")])
        await world.agree()

    simulate.tell(35, many(evses), story)


@pytest.mark.row("T36")
@pytest.mark.parametrize("status", [400, 404])
def test_one_evse_that_chargeprice_refuses_blocks_nobody_and_is_tried_again_slowly(
    status: int, simulate: Simulate
) -> None:
    async def story(world: World) -> None:
        await settle_in(world)
        world.script("chargeprice", kind="status", status=status, evse=("one/de-abc-eone-2",))
        began = now(world)
        for turn in range(24):
            await report(world, 1, ("Faulted", "Charging")[turn % 2])
            if not turn:
                await report(world, 2, "Faulted")
            await asyncio.sleep(3600)
        assert len(values_sent(world, "chargeprice", "DE*ABC*EONE*1", began)) >= 24
        assert 4 <= len(values_sent(world, "chargeprice", "DE*ABC*EONE*2", began)) <= 6
        refused = "SELECT evse_id, refused IS NOT NULL FROM delivery JOIN evse ON evse.id = delivery.evse"
        where = " WHERE account = 'chargeprice' AND evse_id LIKE '%EONE*_' ORDER BY evse_id LIMIT 2"
        assert world.evidence.rows(refused + where) == [("DE*ABC*EONE*1", 0), ("DE*ABC*EONE*2", 1)]
        world.hubs["chargeprice"].faults.clear()
        await report(world, 2, "Reserved")
        await world.agree()

    simulate.tell(36, many(10), story)


# --- what a hub holds ---------------------------------------------------------------------------------------------


async def restored(world: World, hub: str) -> float:
    """Let a hub take back its backup of hours ago, of which nobody is told; return when it did."""
    await settle_in(world)
    backup = world.hubs[hub].backup()
    await asyncio.sleep(3600)
    await feed(world, everybody(world, "Faulted"))
    await world.agree()
    await asyncio.sleep(3600)
    del backup[min(backup)]
    world.hubs[hub].restore(backup)
    return now(world)


@pytest.mark.row("T44")
@pytest.mark.parametrize("hub", HUBS)
def test_a_hub_that_was_restored_from_a_backup_is_right_within_a_day(hub: str, simulate: Simulate) -> None:
    async def story(world: World) -> None:
        began = await restored(world, hub)
        assert len(world.evidence.disagreements(world.hubs, world.wall())) == 3
        while world.evidence.disagreements(world.hubs, world.wall()):
            await asyncio.sleep(300)
            assert now(world) - began <= DAY_S

    simulate.tell(44, still(), story)


@pytest.mark.row("T44")
@pytest.mark.parametrize("hub", HUBS)
def test_a_hub_that_was_restored_from_a_backup_is_right_soon_after_an_order(hub: str, simulate: Simulate) -> None:
    async def story(world: World) -> None:
        began = await restored(world, hub)
        assert world.process is not None
        await world.submit(sync_accounts, SyncOrder(AccountName(hub), forget=True, at=world.process.clock()))
        world.process.wakes.account(AccountName(hub))
        await world.agree()
        assert now(world) - began <= 300

    simulate.tell(44, still(), story)


@pytest.mark.row("T49")
def test_what_chargeprice_turned_available_by_itself_while_we_were_down_is_put_right(simulate: Simulate) -> None:
    async def story(world: World) -> None:
        await feed(world, everybody(world, "Available"))
        await world.agree()
        assert world.process is not None
        ends = world.wall() + timedelta(hours=1)
        order = CreateOrder(
            evse_ids=("DE*ABC*EONE*1",),
            kind=TemporaryKind.MAINTENANCE,
            valid_from=world.wall(),
            valid_to=ends,
            enforce=False,
            by="test",
            at=world.process.clock(),
            options=world.process.options,
        )
        await world.submit(create_temporaries, order)
        await world.agree()
        world.starts = False
        world.armed[Point.AFTER_COMMIT] = 1
        station = world.stations["one"]
        reporting = asyncio.create_task(report(world, 1, "Charging"))
        await asyncio.sleep(7200)
        assert world.hubs["chargeprice"].state()["one/de-abc-eone-1"] == "available"
        assert station.actual[0, 1] == "Charging"
        world.starts = True
        await world.start_process()
        await reporting
        await world.agree()
        assert world.hubs["chargeprice"].state()["one/de-abc-eone-1"] == "occupied"

    simulate.tell(49, still(ACCOUNTS__CHARGEPRICE__VALID_UNTIL="true"), story)


# --- a hub's rules ------------------------------------------------------------------------------------------------


@pytest.mark.row("T48")
def test_no_sliding_minute_has_more_requests_than_we_allow_ourselves(simulate: Simulate) -> None:
    settings = {
        "ACCOUNTS__HUBJECT__FULL_LOAD": "never",
        "ACCOUNTS__HUBJECT__PER_MINUTE": "60",
        "ACCOUNTS__CHARGEPRICE__PER_MINUTE": "40",
    }
    keep_the_rate(simulate, many(200, **settings), {"hubject": 60, "chargeprice": 40})


@pytest.mark.row("T48")
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_ten_thousand_rows_leave_at_the_rates_that_we_allow_ourselves_by_default(simulate: Simulate) -> None:
    plan = many(10_000, ACCOUNTS__HUBJECT__FULL_LOAD="never")
    keep_the_rate(simulate, plan, {"hubject": 1500, "chargeprice": 900})


def keep_the_rate(simulate: Simulate, plan: Plan, rates: dict[str, int]) -> None:
    """Let everything change twice, and see the full rate used and never exceeded."""

    async def story(world: World) -> None:
        for status in ("Charging", "Faulted"):
            await feed(world, everybody(world, status))
            await world.agree()
        for hub, rate in rates.items():
            assert 0.95 * rate <= busiest(left_between(world, hub, 0.0), 60) <= rate

    simulate.tell(48, plan, story)


@pytest.mark.row("T56")
@pytest.mark.parametrize("minutes", [1, pytest.param(60, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_an_evse_that_flaps_ten_times_a_second_is_pushed_one_after_the_other_and_ends_right(
    minutes: int, simulate: Simulate
) -> None:
    async def story(world: World) -> None:
        await settle_in(world)
        before, began = _counts(world), now(world)
        changes = await flap(world, minutes, "Faulted", "Charging")
        assert _counts(world) == before | {"history": before["history"] + changes}
        await report(world, 1, "Reserved")
        await asyncio.sleep(30)
        for hub, per_minute in (("hubject", 1500), ("chargeprice", 900)):
            sent = values_sent(world, hub, "DE*ABC*EONE*1", began)
            assert sent[-1][1].casefold() == "reserved"
            assert len(sent) <= changes + 1
            assert busiest(left_between(world, hub, began), 60) <= per_minute
            assert world.hubs[hub].ledger.summary()["overlaps"] == 0

    simulate.tell(56, still(), story)


@pytest.mark.row("T56")
def test_an_evse_that_flaps_between_free_and_taken_counts_as_taken(simulate: Simulate) -> None:
    async def story(world: World) -> None:
        await settle_in(world)
        before, began = _counts(world), now(world)
        await flap(world, 2, "Available", "Charging")
        assert _counts(world) == before
        assert [left_between(world, hub, began) for hub in HUBS] == [[], []]

    simulate.tell(56, still(), story)


async def flap(world: World, minutes: int, first: str, second: str) -> int:
    """Let a connector change ten times a second; return how often it did."""
    for number in range(minutes * 600):
        began = now(world)
        await report(world, 1, second if number % 2 else first)
        await asyncio.sleep(max(0.0, 0.1 - (now(world) - began)))
    return minutes * 600


def _counts(world: World) -> dict[str, int]:
    tables = ("fact", "evse_state", "delivery", "history", "connection")
    return {table: world.evidence.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables}  # noqa: S608


# --- kills --------------------------------------------------------------------------------------------------------


@pytest.mark.row("T02")
@pytest.mark.parametrize("point", [Point.BEFORE_COMMIT, Point.AFTER_COMMIT, Point.PUSH_SENT, Point.PUSH_ANSWERED])
def test_a_value_is_sent_again_after_a_kill_and_once_more_when_the_doubt_ends(point: Point, simulate: Simulate) -> None:
    async def story(world: World) -> None:
        await settle_in(world)
        began = now(world)
        world.armed[point] = 1
        await report(world, 1, "Faulted")
        await asyncio.sleep(7200)
        pushed = point in (Point.PUSH_SENT, Point.PUSH_ANSWERED)
        for hub in HUBS:
            sent = [time for time, _ in values_sent(world, hub, "DE*ABC*EONE*1", began)]
            assert 1 <= len(sent) <= (3 if pushed else 1)
            assert len(sent) < 3 or sent[2] - sent[1] < 120

    world = simulate.tell(2, still(), story)
    assert world.tally["kills"] == 1


# --- accounts -----------------------------------------------------------------------------------------------------


@pytest.mark.row("T24")
@pytest.mark.parametrize("hub", ["hubject", "second"])
def test_two_accounts_at_hubject_do_not_touch_each_other(hub: str, simulate: Simulate) -> None:
    habits = Habits(OcppVersion.V16, connectors(2), change_s=120, drop_s=1e6)

    async def story(world: World) -> None:
        await asyncio.sleep(1800)
        began = now(world)
        world.script(hub, seconds=1800, kind="hang")
        await asyncio.sleep(1800)
        other = "second" if hub == "hubject" else "hubject"
        assert longest_lag(world, other, began, now(world) - 30) < 5
        assert longest_lag(world, "chargeprice", began, now(world) - 30) < 5
        assert len(left_between(world, hub, began)) <= 40

    simulate.tell(24, Plan({"one": habits, "xyz": habits}), story)
