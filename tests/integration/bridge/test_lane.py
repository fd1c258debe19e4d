"""Prove that lanes bring the hub to what is desired, one request at a time, whatever the answers, wherever we die."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests_bridge import CHARGEPRICE, HUBJECT, STATIONS, FakeUpstream, LossyWriter, kill, running, until

from bridge.core.full_load import FullLoadOptions, FullLoadPolicy
from bridge.core.model import Accepted, Deferred, Delivery, Held, Refused, WrongAction
from bridge.core.modes import Mode
from bridge.edits import ModeOrder, set_modes
from bridge.lane import LaneLost
from bridge.lane.settling import settle_rows
from bridge.lane.turns import open_lanes, take_turns
from bridge.store import deliveries
from bridge.store.errors import StoreUnavailable


def values(upstream: FakeUpstream, evse_id: str) -> list[str]:
    return [record.value for record in upstream.pushed if record.evse_id == evse_id]


async def settled(bridge) -> None:
    """Wait until no request is in flight: the clock may be moved then."""
    async with asyncio.timeout(20):
        while await bridge.rows("SELECT 1 FROM delivery WHERE in_flight_seq > 0"):  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.005)


async def turned(bridge, turns: int = 3) -> None:
    """Wait until the lane has looked so many times more: it looks every 20 ms here, and has opened by then."""
    goal = bridge.writer.batches_written + turns
    await until(lambda: bridge.writer.batches_written >= goal)


async def agreed(bridge) -> bool:
    rows = await bridge.rows("SELECT count(*) FROM delivery WHERE account = 'hubject' AND acked_seq <> desired_seq")
    return rows == [(0,)]


async def stored(bridge, statement: str, expected: object) -> bool:
    return await bridge.rows(statement) == [(expected,)]


async def reached(claim) -> None:
    """Wait until an awaited claim holds. Raises: TimeoutError."""
    async with asyncio.timeout(20):
        while not await claim():  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.005)


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


@pytest.mark.row("T25")
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


async def test_first_contact_without_full_loads_is_an_insert_and_a_change_then_an_update(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 4)
        await bridge.report("one", await bridge.connect("one"), 1, "Charging")
        await until(lambda: len(upstream.pushed) == 5)
    assert [r.known for r in upstream.pushed] == [False] * 4 + [True]


async def test_insert_that_hubject_refuses_as_existing_becomes_one_update(bridge) -> None:
    upstream = FakeUpstream(answer=lambda r: Accepted() if r.known else WrongAction(True, "exists"))
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 8)
    assert sorted(str(r.known) for r in upstream.pushed) == ["False"] * 4 + ["True"] * 4
    assert await agreed(bridge)


async def test_update_that_hubject_does_not_know_becomes_one_insert(bridge) -> None:
    upstream = FakeUpstream(answer=lambda r: Accepted() if r.known is False else WrongAction(False, "603"))
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await turned(bridge)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.full_loads) == 1)
        await settled(bridge)
        await bridge.report("one", await bridge.connect("one"), 1, "Charging")
        await until(lambda: len(upstream.pushed) == 2)
    assert [r.known for r in upstream.pushed] == [True, False]
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
        async with asyncio.timeout(20):
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
        bridge.clock.pass_(seconds=1)  # rows are counted at most once a second
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


async def test_nothing_goes_out_singly_before_the_first_full_load_however_lately_the_inventory_was_empty(
    bridge,
) -> None:
    upstream = FakeUpstream()
    await bridge.import_(STATIONS.splitlines()[0] + "\n", prune=True)
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await looks(bridge)
        await bridge.import_(STATIONS)
        await looks(bridge)
    assert upstream.pushed == []


async def looks(bridge, turns: int = 3) -> None:
    """Let the lane look so many times more; it looks every 20 ms here."""
    goal = bridge.writer.batches_written + turns
    await until(lambda: bridge.writer.batches_written >= goal)


async def test_full_load_goes_out_after_ten_minutes_even_if_nobody_reported(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await turned(bridge)
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
        await turned(bridge)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.full_loads) == 2)
    assert [len(records) for records in upstream.full_loads] == [4, 3]


async def test_full_load_is_never_sent_empty_because_the_hub_refuses_every_evse(bridge) -> None:
    named = ("DEABCE11", "DEABCE12", "DEABCE21", "DEABCE22")
    upstream = FakeUpstream(full_answer=lambda _records: Refused("018", named=named))
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await looks(bridge)
        bridge.clock.pass_(minutes=10, seconds=1)
        await until(lambda: len(upstream.full_loads) == 1)
        await settled(bridge)
        await looks(bridge)
        bridge.clock.pass_(hours=5)
        await looks(bridge)
    assert [len(records) for records in upstream.full_loads] == [4]
    assert upstream.pushed == []


async def test_full_load_refused_whole_falls_back_to_single_pushes(bridge) -> None:
    upstream = FakeUpstream(full_answer=lambda _: Refused("413"))
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await turned(bridge)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.pushed) == 4)
    assert len(upstream.full_loads) == 1
    assert await agreed(bridge)


async def test_full_load_that_failed_in_an_outage_is_next_once_the_hub_takes_a_push_again(bridge) -> None:
    down = True
    upstream = FakeUpstream(
        answer=lambda _: Deferred("503") if down else Accepted(),
        full_answer=lambda _: Deferred("503") if down else Accepted(),
    )
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await turned(bridge)
        bridge.clock.pass_(minutes=10)
        for _ in range(300):
            bridge.clock.pass_(seconds=1)
            await asyncio.sleep(0.001)
        pushed, loads = len(upstream.pushed), len(upstream.full_loads)
        down = False
        while not await agreed(bridge):
            bridge.clock.pass_(seconds=1)
            await asyncio.sleep(0.001)
    assert pushed >= 2
    assert (len(upstream.pushed), len(upstream.full_loads)) == (pushed + 1, loads + 1)


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


@pytest.mark.row("T09")
async def test_lane_that_another_process_took_over_sends_nothing_more(bridge) -> None:
    first = FakeUpstream(gate=asyncio.Event())
    old = asyncio.create_task(bridge.lane(first).run())
    await until(lambda: len(first.pushed) == 1)
    async with running(bridge.lane(FakeUpstream(), mode=Mode.OFF)):
        await reached(lambda: stored(bridge, "SELECT epoch FROM lane", 2))
        first.gate.set()
        with pytest.raises(LaneLost):
            await asyncio.wait_for(old, 5)
    assert len(first.pushed) == 1, "three more rows were due"
    assert await bridge.rows("SELECT count(*) FROM delivery WHERE account = 'hubject' AND acked_seq > 0") == [(0,)]


@pytest.mark.row("T44")
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


# --- storage that fails under a lane


async def test_lane_that_is_woken_before_it_opens_lets_others_run_while_storage_refuses_it(bridge) -> None:
    failures: list[Exception] = [StoreUnavailable("refused at once") for _ in range(100)]
    lane = bridge.lane(FakeUpstream(), writer=LossyWriter(bridge.writer, open_lanes, failures))
    lane.wake()
    async with running(lane) as task:
        await asyncio.sleep(0)
        assert len(failures) == 99
        failures.clear()
        await reached(lambda: agreed(bridge))
        assert not task.done()


@pytest.mark.parametrize("failing", [1, 2, 3, 5])
@pytest.mark.parametrize("after_commit", [False, True], ids=["nothing was stored", "stored, but nobody was told"])
async def test_turn_whose_transaction_fails_strands_no_row(bridge, failing, after_commit) -> None:
    failures: list[Exception] = []
    writer = LossyWriter(bridge.writer, take_turns, failures, after_commit)
    upstream = FakeUpstream()

    def answer(record) -> Accepted:
        if len(upstream.pushed) == failing - 1:
            failures.append(StoreUnavailable("no answer to COMMIT"))
        return Accepted()

    upstream.answer = answer
    if failing == 1:
        failures.append(StoreUnavailable("no answer to COMMIT"))
    async with running(bridge.lane(upstream, writer=writer)):
        await reached(lambda: agreed(bridge))
    assert {r.evse_id for r in upstream.pushed} == {"DE*ABC*E1*1", "DE*ABC*E1*2", "DE*ABC*E2*1", "DE*ABC*E2*2"}
    assert await bridge.rows("SELECT count(*) FROM delivery WHERE in_flight_seq > 0") == [(0,)]
    assert upstream.most_in_flight == 1


@pytest.mark.parametrize("handler", [take_turns, settle_rows], ids=["the lane's turn", "the rows"])
@pytest.mark.parametrize("after_commit", [False, True], ids=["nothing was stored", "stored, but nobody was told"])
async def test_full_load_whose_settling_fails_in_storage_is_settled_once(bridge, handler, after_commit) -> None:
    failures: list[Exception] = []
    upstream = FakeUpstream()

    def answer(_records) -> Accepted:
        failures.append(StoreUnavailable("no answer to COMMIT"))
        return Accepted()

    upstream.full_answer = answer
    writer = LossyWriter(bridge.writer, handler, failures, after_commit)
    async with running(bridge.lane(upstream, writer=writer, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await turned(bridge)
        bridge.clock.pass_(minutes=10)
        await reached(lambda: agreed(bridge))
        await asyncio.sleep(0.04)
    assert len(upstream.full_loads) == 1
    assert upstream.pushed == []
    full = await bridge.rows("SELECT full_load_in_flight, full_load_tries, full_load_wanted FROM lane")
    assert [(bool(full[0][0]), *full[0][1:])] == [(False, 0, None)]


@pytest.mark.row("T09")
async def test_answer_of_a_full_load_settles_nothing_once_the_lane_is_lost(bridge) -> None:
    gate = asyncio.Event()
    options = FullLoadOptions(policy=FullLoadPolicy.AUTO)

    class Gated(FakeUpstream):
        async def full_load(self, records):
            answer = await super().full_load(records)
            await gate.wait()
            return answer

    first = Gated()
    old = asyncio.create_task(bridge.lane(first, full_load=options).run())
    await turned(bridge)
    bridge.clock.pass_(minutes=10)
    await until(lambda: len(first.full_loads) == 1)
    async with running(bridge.lane(FakeUpstream(), mode=Mode.OFF)):
        await reached(lambda: stored(bridge, "SELECT epoch FROM lane", 2))
        gate.set()
        with pytest.raises(LaneLost):
            await asyncio.wait_for(old, 5)
    assert await bridge.rows("SELECT count(*) FROM delivery WHERE account = 'hubject' AND acked_seq > 0") == [(0,)]


# --- fullLoads: what they leave behind


async def test_value_that_changes_during_a_full_load_is_pushed_after_it(bridge) -> None:
    gate = asyncio.Event()

    class Gated(FakeUpstream):
        async def full_load(self, records):
            answer = await super().full_load(records)
            await gate.wait()
            return answer

    upstream = Gated()
    epoch = await bridge.connect("one")
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await turned(bridge)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.full_loads) == 1)
        await bridge.report("one", epoch, 1, "Charging")
        assert upstream.pushed == []
        gate.set()
        await until(lambda: len(upstream.pushed) == 1)
    assert [(r.evse_id, r.value, r.known) for r in upstream.pushed] == [("DE*ABC*E1*1", "Occupied", True)]
    assert await agreed(bridge)


async def test_lane_rests_while_nothing_is_due_however_long_ago_its_last_full_load_was(bridge) -> None:
    upstream = FakeUpstream()
    lane = bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))
    async with running(lane):
        await turned(bridge)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.full_loads) == 1)
        await settled(bridge)
        bridge.clock.pass_(minutes=16)
        await asyncio.sleep(0.04)
        before = bridge.writer.batches_written
        await asyncio.sleep(0.2)
        turns = bridge.writer.batches_written - before
    assert turns <= 12  # it looks every 20 ms, here


async def test_first_full_load_waits_from_when_the_account_was_enabled(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, mode=None, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))) as _:
        await bridge.writer.submit(set_modes, ModeOrder(HUBJECT, Mode.OFF, "me", False, bridge.clock()))
        await turned(bridge)
        bridge.clock.pass_(hours=3)
        await bridge.writer.submit(set_modes, ModeOrder(HUBJECT, Mode.LIVE, "me", True, bridge.clock()))
        await turned(bridge)
        bridge.clock.pass_(minutes=9)
        await turned(bridge)
        assert upstream.full_loads == []
        bridge.clock.pass_(minutes=1, seconds=1)
        await until(lambda: len(upstream.full_loads) == 1)
    assert upstream.pushed == []


async def test_id_that_names_two_evses_leaves_both_out_and_single_pushes_tell_which_is_bad(bridge) -> None:
    twins = STATIONS + "one,,,,3,DE*ABC*E11,demo,downgrade,s1,p3\n"
    await bridge.import_(twins)
    named = Refused("603", named=("DEABCE11",))
    upstream = FakeUpstream(
        full_answer=lambda records: named if any("E1*1" in r.evse_id for r in records) else Accepted(),
        answer=lambda record: Refused("603") if record.evse_id == "DE*ABC*E11" else Accepted(),
    )
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await turned(bridge)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.pushed) == 2)
        await settled(bridge)
    assert [len(records) for records in upstream.full_loads] == [5, 3]
    assert sorted(record.evse_id for record in upstream.pushed) == ["DE*ABC*E1*1", "DE*ABC*E11"]
    refused = "SELECT e.evse_id FROM delivery d JOIN evse e ON e.id = d.evse WHERE d.refused IS NOT NULL"
    assert await bridge.rows(refused) == [("DE*ABC*E11",)]


async def test_rows_are_asserted_singly_only_where_no_daily_full_load_does_it(
    bridge,
) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await turned(bridge)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.full_loads) == 1)
        await settled(bridge)
    scheduled = "SELECT count(*) FROM delivery WHERE account = 'hubject' AND reassert_at IS NOT NULL"
    assert await bridge.rows(scheduled) == [(0,)]
    async with running(bridge.lane(upstream)):
        await reached(lambda: stored(bridge, scheduled, 4))
    spread = await bridge.rows("SELECT count(DISTINCT due_at) FROM delivery WHERE account = 'hubject'")
    assert spread == [(4,)]


async def test_guarded_full_load_goes_out_once_the_operator_confirms(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))):
        await turned(bridge)
        bridge.clock.pass_(minutes=10)
        await until(lambda: len(upstream.full_loads) == 1)
        await settled(bridge)
        kept = "\n".join(line for line in STATIONS.splitlines() if "E1*" not in line and "E2*2" not in line) + "\n"
        await bridge.import_(kept, prune=True)
        await until(lambda: len(upstream.pushed) == 3)
        bridge.clock.pass_(hours=25)
        await asyncio.sleep(0.05)
        assert len(upstream.full_loads) == 1
        await bridge.writer.submit(set_modes, ModeOrder(HUBJECT, Mode.LIVE, "me", True, bridge.clock()))
        bridge.clock.pass_(seconds=1)
        await until(lambda: len(upstream.full_loads) == 2)
    assert [record.evse_id for record in upstream.full_loads[1]] == ["DE*ABC*E2*1"]


# --- which row is next


async def test_next_row_is_the_least_recently_attempted_of_all_that_are_due(bridge) -> None:
    at = bridge.clock().steady
    minutes = [timedelta(minutes=n) for n in range(60)]
    waited = Delivery("Unknown", 1, attempted_at=at - minutes[50], attempts=9, not_before=at - minutes[1])
    retried = Delivery("Unknown", 1, attempted_at=at - minutes[3], attempts=1, not_before=at - minutes[2])
    changed = Delivery("Unknown", 2, attempted_at=at - minutes[30])
    never = Delivery("Unknown", 1)

    def run(conn, _payloads):
        keys = [row.key for row in deliveries.load_rows(conn, HUBJECT)]
        deliveries.save_rows(conn, HUBJECT, zip(keys, (waited, retried, changed, never), strict=True), at)
        order = []
        while (row := deliveries.next_due(conn, HUBJECT, at)) is not None:
            order.append(row.delivery)
            deliveries.save_rows(conn, HUBJECT, [(row.key, replace(row.delivery, not_before=at + minutes[9]))], at)
        return [order]

    order = await bridge.writer.submit(run, None)
    assert order == [never, waited, changed, retried]
