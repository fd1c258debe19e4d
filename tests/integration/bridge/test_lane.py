"""Prove that lanes bring the hub to what is desired, one request at a time, whatever the answers, wherever we die."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from tests_bridge import CHARGEPRICE, HUBJECT, STATIONS, FakeUpstream, until

from bridge.core.full_load import FullLoadOptions, FullLoadPolicy
from bridge.core.model import Accepted, Deferred, Held, Refused, WrongAction
from bridge.core.modes import Mode
from bridge.edits import ModeOrder, set_modes
from bridge.lane import LaneLost


@asynccontextmanager
async def running(lane):
    task = asyncio.create_task(lane.run())
    try:
        yield task
    finally:
        lane.stop()
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(task, 5)


async def kill(task: asyncio.Task[None]) -> None:
    """End a lane as a crash would: nothing after this instant is settled."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def values(upstream: FakeUpstream, evse_id: str) -> list[str]:
    return [record.value for record in upstream.pushed if record.evse_id == evse_id]


async def settled(bridge) -> None:
    """Wait until no request is in flight: the clock may be moved then."""
    async with asyncio.timeout(5):
        while await bridge.rows("SELECT 1 FROM delivery WHERE in_flight_seq > 0"):  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.005)


async def agreed(bridge) -> bool:
    rows = await bridge.rows("SELECT count(*) FROM delivery WHERE account = 'hubject' AND acked_seq <> desired_seq")
    return rows == [(0,)]


async def test_every_evse_reaches_the_hub_one_request_at_a_time(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 4)
    assert {(r.evse_id, r.value) for r in upstream.pushed} == {
        ("DE*ABC*E1*1", "Unknown"),
        ("DE*ABC*E1*2", "Unknown"),
        ("DE*ABC*E2*1", "Unknown"),
        ("DE*ABC*E2*2", "Unknown"),
    }
    assert upstream.most_in_flight == 1
    assert await agreed(bridge)


async def test_ten_changes_during_one_request_are_one_more_push_with_the_last_value(bridge) -> None:
    upstream = FakeUpstream()
    epoch = await bridge.connect("one")
    async with running(bridge.lane(upstream)) as _:
        await until(lambda: len(upstream.pushed) == 4)
        upstream.gate = asyncio.Event()
        upstream.pushed.clear()
        await bridge.report("one", epoch, 1, "Faulted")
        await until(lambda: len(upstream.pushed) == 1)
        for word in ["Preparing", "Reserved"] * 5:
            await bridge.report("one", epoch, 1, word)
        upstream.gate.set()
        await until(lambda: len(upstream.pushed) == 2)
    assert values(upstream, "DE*ABC*E1*1") == ["OutOfService", "Reserved"]


async def test_lost_wake_ups_only_cost_time(bridge) -> None:
    upstream = FakeUpstream()
    epoch = await bridge.connect("one")
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 4)
        await bridge.report("one", epoch, 1, "Faulted")  # nobody calls wake() in this test
        await until(lambda: len(upstream.pushed) == 5)


async def test_request_whose_answer_is_lost_is_sent_again_and_once_more_when_the_doubt_ends(bridge) -> None:
    answers = iter([Deferred("timeout", in_doubt=True)])
    upstream = FakeUpstream(answer=lambda record: next(answers, Accepted()))
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 1)
        doubted = upstream.pushed[0].evse_id
        await settled(bridge)
        bridge.clock.pass_(seconds=5)
        await until(lambda: values(upstream, doubted) == ["Unknown", "Unknown"])
        await settled(bridge)
        bridge.clock.pass_(seconds=89)
        await until(lambda: values(upstream, doubted) == ["Unknown"] * 3)
        bridge.clock.pass_(seconds=600)
        await asyncio.sleep(0.04)
    assert values(upstream, doubted) == ["Unknown"] * 3


async def test_kill_in_mid_request_leaves_doubt_that_the_next_process_asserts_twice(bridge) -> None:
    upstream = FakeUpstream(gate=asyncio.Event())
    epoch = await bridge.connect("one")
    first = asyncio.create_task(bridge.lane(upstream).run())
    await until(lambda: len(upstream.pushed) == 1)
    doubted = upstream.pushed[0].evse_id
    await kill(first)
    assert epoch
    after = FakeUpstream()
    async with running(bridge.lane(after)):
        await until(lambda: len(after.pushed) == 4)
        await settled(bridge)
        bridge.clock.pass_(seconds=91)
        await until(lambda: len(after.pushed) == 5)
    assert after.pushed[4].evse_id == doubted


async def test_failing_hub_sees_ever_fewer_attempts_and_then_agrees(bridge) -> None:
    down = True
    upstream = FakeUpstream(answer=lambda _: Deferred("503") if down else Accepted())
    async with running(bridge.lane(upstream)):
        for _ in range(600):
            bridge.clock.pass_(seconds=1)
            await asyncio.sleep(0.001)
        attempts = len(upstream.pushed)
        down = False
        while not await agreed(bridge):
            bridge.clock.pass_(seconds=5)
            await asyncio.sleep(0.001)
    assert attempts <= 16  # 1, 2, 4, … 32 s apart, then one a minute for ten minutes
    assert await agreed(bridge)


async def test_retry_after_is_obeyed(bridge) -> None:
    answers = iter([Deferred("429", retry_after_s=120)])
    upstream = FakeUpstream(answer=lambda _: next(answers, Accepted()))
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 1)
        await settled(bridge)
        for _ in range(119):
            bridge.clock.pass_(seconds=1)
            await asyncio.sleep(0.001)
        assert len(upstream.pushed) == 1
        bridge.clock.pass_(seconds=2)
        await until(lambda: len(upstream.pushed) == 5)


async def test_one_refused_evse_blocks_nobody_and_its_next_value_is_tried_at_once(bridge) -> None:
    bad = "DE*ABC*E1*1"
    upstream = FakeUpstream(answer=lambda r: Refused("604") if r.evse_id == bad else Accepted())
    epoch = await bridge.connect("one")
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 4)
        await asyncio.sleep(0.04)
        assert len(upstream.pushed) == 4
        assert await bridge.rows("SELECT refused FROM delivery WHERE refused IS NOT NULL") == [("604",)]
        await bridge.report("one", epoch, 1, "Faulted")
        await until(lambda: values(upstream, bad) == ["Unknown", "OutOfService"])


async def test_update_that_hubject_does_not_know_becomes_one_insert(bridge) -> None:
    upstream = FakeUpstream(answer=lambda r: Accepted() if r.known is False else WrongAction(False, "603"))
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 8)
    assert sorted(str(r.known) for r in upstream.pushed) == ["False"] * 4 + ["None"] * 4
    assert await agreed(bridge)


async def test_held_account_is_probed_once_a_minute_and_recovers_by_itself(bridge) -> None:
    broken = True
    upstream = FakeUpstream(answer=lambda _: Held("017") if broken else Accepted())
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 1)
        for minute in range(2, 7):
            await settled(bridge)
            bridge.clock.pass_(seconds=59)
            await asyncio.sleep(0.05)
            assert len(upstream.pushed) == minute - 1
            bridge.clock.pass_(seconds=1)
            await until(lambda: len(upstream.pushed) >= minute)  # noqa: B023 - awaited within the turn of the loop
        attempts = [record.evse_id for record in upstream.pushed]
        broken = False
        while not await agreed(bridge):
            bridge.clock.pass_(seconds=5)
            await asyncio.sleep(0.001)
    assert len(set(attempts[:4])) == 4  # another row each time
    assert await agreed(bridge)


async def test_row_of_one_foreign_station_does_not_hold_the_account(bridge) -> None:
    foreign = "DE*ABC*E2*2"
    refused = (
        "SELECT e.evse_id, d.refused FROM delivery d JOIN evse e ON e.id = d.evse "
        "WHERE d.account = 'hubject' AND d.refused IS NOT NULL"
    )
    upstream = FakeUpstream(answer=lambda r: Held("403") if r.evse_id == foreign else Accepted())
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 4)
        await settled(bridge)
        assert await bridge.rows("SELECT held FROM lane") == [("403",)]
        await bridge.report("one", await bridge.connect("one"), 1, "Charging")
        async with asyncio.timeout(5):
            while await bridge.rows(refused) != [(foreign, "403")]:
                bridge.clock.pass_(seconds=5)
                await asyncio.sleep(0.02)
    unsettled = "SELECT count(*) FROM delivery WHERE account = 'hubject' AND acked_seq <> desired_seq"
    assert await bridge.rows(unsettled) == [(1,)]
    assert await bridge.rows("SELECT held FROM lane") == [(None,)]


@pytest.mark.parametrize(("mode", "sends"), [(Mode.OFF, 0), (Mode.DRY_RUN, 0), (Mode.LIVE, 4), (None, 0)])
async def test_nothing_leaves_unless_the_account_is_live(bridge, mode, sends) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, mode=mode)):
        await asyncio.sleep(0.15 if sends == 0 else 0)
        await until(lambda: len(upstream.pushed) == sends)


async def test_mode_that_an_operator_stored_wins_over_the_file_but_off_in_the_file_wins_over_all(bridge) -> None:
    await bridge.writer.submit(set_modes, ModeOrder(HUBJECT, Mode.LIVE, "me", False, bridge.clock()))
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, mode=None)):
        await until(lambda: len(upstream.pushed) == 4)
    forced = FakeUpstream()
    async with running(bridge.lane(forced, mode=Mode.OFF)):
        await asyncio.sleep(0.05)
    assert forced.pushed == []


async def test_first_full_load_waits_for_the_fleet_and_holds_single_pushes_back(bridge) -> None:
    upstream = FakeUpstream()
    options = FullLoadOptions(policy=FullLoadPolicy.AUTO)
    async with running(bridge.lane(upstream, full_load=options)):
        await asyncio.sleep(0.05)
        assert upstream.full_loads == []
        one, two = await bridge.connect("one"), await bridge.connect("two")
        for connector in (1, 2):
            await bridge.report("one", one, connector, "Charging")
        await bridge.report("two", two, 1, "Occupied", evse=1)
        await bridge.report("two", two, 1, "Reserved", evse=2)
        await until(lambda: len(upstream.full_loads) == 1)
        await until(lambda: bridge.writer.items_written > 0)
        await asyncio.sleep(0.05)
    assert {(r.evse_id, r.value) for r in upstream.full_loads[0]} == {
        ("DE*ABC*E1*1", "Occupied"),
        ("DE*ABC*E1*2", "Occupied"),
        ("DE*ABC*E2*1", "Occupied"),
        ("DE*ABC*E2*2", "Reserved"),
    }
    assert upstream.pushed == []
    assert await agreed(bridge)


async def test_full_load_goes_out_after_ten_minutes_even_if_nobody_reported(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await asyncio.sleep(0.03)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.full_loads) == 1)


async def test_full_load_needs_the_operators_yes(bridge) -> None:
    upstream = FakeUpstream()
    options = FullLoadOptions(policy=FullLoadPolicy.CONFIRMED)
    async with running(bridge.lane(upstream, full_load=options)):
        await until(lambda: len(upstream.pushed) == 4)
        bridge.clock.pass_(minutes=11)
        await asyncio.sleep(0.05)
        assert upstream.full_loads == []
        await bridge.writer.submit(set_modes, ModeOrder(HUBJECT, Mode.LIVE, "me", True, bridge.clock()))
        bridge.clock.pass_(minutes=11)
        await until(lambda: len(upstream.full_loads) == 1)


async def test_full_load_that_names_bad_ids_is_sent_again_without_them(bridge) -> None:
    named = Refused("603", named=("DEABCE11",))
    upstream = FakeUpstream(
        full_answer=lambda records: named if any(r.evse_id == "DE*ABC*E1*1" for r in records) else Accepted(),
        answer=lambda _: Refused("603"),
    )
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await asyncio.sleep(0.03)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.full_loads) == 2)
    assert [len(records) for records in upstream.full_loads] == [4, 3]


async def test_full_load_refused_whole_falls_back_to_single_pushes(bridge) -> None:
    upstream = FakeUpstream(full_answer=lambda _: Refused("413"))
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await asyncio.sleep(0.03)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.pushed) == 4)
    assert len(upstream.full_loads) == 1
    assert await agreed(bridge)


async def test_removed_evse_is_deleted_at_the_hub_and_then_forgotten(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 4)
        without = "\n".join(line for line in STATIONS.splitlines() if "E1*2" not in line) + "\n"
        await bridge.import_(without, prune=True)
        await until(lambda: len(upstream.pushed) == 5)
    assert (upstream.pushed[4].evse_id, upstream.pushed[4].delete) == ("DE*ABC*E1*2", True)
    remaining = "SELECT count(*) FROM delivery d JOIN evse e ON e.id = d.evse WHERE e.evse_id = 'DE*ABC*E1*2'"
    assert await bridge.rows(remaining + " AND d.account = 'hubject'") == [(0,)]
    assert await bridge.rows(remaining + f" AND d.account = '{CHARGEPRICE}'") == [(0,)]


async def test_lane_that_another_process_took_over_sends_nothing_more(bridge) -> None:
    first, second = FakeUpstream(), FakeUpstream()
    old = asyncio.create_task(bridge.lane(first).run())
    await until(lambda: len(first.pushed) == 4)
    async with running(bridge.lane(second)):
        with pytest.raises(LaneLost):
            await asyncio.wait_for(old, 5)


async def test_rows_are_asserted_again_within_a_day(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 4)
        await settled(bridge)
        bridge.clock.pass_(hours=17)
        await asyncio.sleep(0.04)
        assert len(upstream.pushed) == 4
        bridge.clock.pass_(hours=7, seconds=1)
        await until(lambda: len(upstream.pushed) == 8)


async def test_stop_settles_the_request_in_flight_and_sends_no_other(bridge) -> None:
    upstream = FakeUpstream(gate=asyncio.Event())
    lane = bridge.lane(upstream)
    task = asyncio.create_task(lane.run())
    await until(lambda: len(upstream.pushed) == 1)
    lane.stop()
    upstream.gate.set()
    await asyncio.wait_for(task, 5)
    assert len(upstream.pushed) == 1
    rows = await bridge.rows("SELECT count(*) FROM delivery WHERE in_flight_seq > 0")
    assert rows == [(0,)]
