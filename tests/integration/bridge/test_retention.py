"""Prove that what is old goes, a little at a time, and that what is still needed stays."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from tests_bridge import START, STATIONS, FakeUpstream, until

from bridge.core.retention import Kept
from bridge.retention import Retention, RetentionOptions
from bridge.store.errors import StoreUnavailable
from bridge.store.tables import history, security_event
from bridge.store.working_copies import drop_copies
from tests.history_chain import TIE

DAY = 86_400_000_000
NOW = int(START.timestamp()) * 1_000_000
YEAR = Kept(timedelta(days=400), 1_000_000)
OPTIONS = RetentionOptions(
    history=YEAR,
    delivery_log=Kept(timedelta(days=30), 1_000_000),
    security_events=YEAR,
    temporary=YEAR,
    pause=timedelta(0),
    every=timedelta(milliseconds=10),
    rows_a_turn=10,
)


def retention(bridge, **changes) -> Retention:
    return Retention(bridge.writer, bridge.clock, replace(OPTIONS, **changes))


async def trim(bridge, **changes) -> int:
    """Trim until nothing is left, and return how many turns that took."""
    trimmer, turns = retention(bridge, **changes), 1
    while await trimmer.turn():
        turns += 1
    return turns


async def write(bridge, table: sa.Table, rows: list[dict]) -> None:
    """Make these the table's rows."""

    def handler(conn, payloads):
        conn.execute(sa.delete(table))
        conn.execute(sa.insert(table), rows)
        return [None] * len(payloads)

    await bridge.writer.submit(handler, None)


async def tie(bridge) -> None:
    def handler(conn, payloads):
        for statement in TIE:
            conn.execute(sa.text(statement))
        drop_copies(conn)
        return [None] * len(payloads)

    await bridge.writer.submit(handler, None)


async def write_history(bridge, rows: list[tuple[int, float]]) -> None:
    """Make these the history, in this order: (EVSE, age in days)."""
    known = {"status": "available", "live": "available", "rule": "r", "seq": 1}
    lines = [
        known | {"id": number, "evse": evse, "at_w": NOW - int(age * DAY)}
        for number, (evse, age) in enumerate(rows, start=1)
    ]
    await write(bridge, history, lines)
    await tie(bridge)


async def ages(bridge, evse: int) -> list[float]:
    rows = await bridge.rows("SELECT at_w FROM history WHERE evse = :e ORDER BY id", e=evse)
    return [round((NOW - at) / DAY, 1) for (at,) in rows]


async def count(bridge, table: str) -> int:
    return (await bridge.rows(f"SELECT count(*) FROM {table}"))[0][0]  # noqa: S608 - the test's own table


async def test_history_keeps_of_each_evse_what_was_before_its_oldest_kept_change(bridge) -> None:
    await write_history(
        bridge, [(1001, 500), (1002, 490), (1001, 480), (1001, 450), (1001, 30), (1002, 20), (1003, 10)]
    )
    await trim(bridge)
    assert await ages(bridge, 1001) == [450, 30]
    assert await ages(bridge, 1002) == [490, 20]
    assert await ages(bridge, 1003) == [10]


async def test_the_beginning_moves_on_in_later_turns_and_after_a_restart(bridge) -> None:
    await write_history(bridge, [(1001, 800 - n) for n in range(35)] + [(1001, 5)])
    trimmer = retention(bridge)
    assert await trimmer.turn()
    assert len(await ages(bridge, 1001)) == 27
    assert await trim(bridge) >= 3
    assert await ages(bridge, 1001) == [766, 5]


async def test_more_rows_than_allowed_go_whatever_their_age(bridge) -> None:
    await write_history(bridge, [(1001, 9 - n / 100) for n in range(60)])
    before = await count(bridge, "history")
    await trim(bridge, history=Kept(timedelta(days=400), 20))
    assert before - await count(bridge, "history") == 60 - 21


async def test_one_transaction_deletes_no_more_than_it_may(bridge) -> None:
    rows = [{"station": "one", "at_w": NOW - 500 * DAY, "kind": "k", "info": "", "reported_at": ""} for _ in range(95)]
    await write(bridge, security_event, rows)
    trimmer = retention(bridge)
    left = [95]
    while await trimmer.turn():
        left.append(await count(bridge, "security_event"))
    left.append(await count(bridge, "security_event"))
    assert all(0 <= before - after <= 10 for before, after in pairwise(left))
    assert left[-1] == 1


async def test_the_newest_line_stays_so_that_numbers_only_grow(bridge) -> None:
    await write(bridge, security_event, [{"station": "one", "at_w": NOW - 500 * DAY, "kind": "k"}])
    await trim(bridge)
    assert await count(bridge, "security_event") == 1


async def test_the_delivery_log_is_kept_for_its_own_time(bridge) -> None:
    upstream = FakeUpstream()
    lane = bridge.lane(upstream)
    task = asyncio.create_task(lane.run())
    await until(lambda: len(upstream.pushed) == 4)
    lane.stop()
    await task
    await trim(bridge)
    assert await count(bridge, "delivery_log") == 4
    bridge.clock.pass_(days=31)
    await trim(bridge)
    assert await count(bridge, "delivery_log") == 1


async def test_a_forgotten_temporary_status_gives_its_number_to_no_other(bridge) -> None:
    (number,) = await bridge.temporary("DE*ABC*E1*1", ends=START + timedelta(hours=1))
    bridge.clock.pass_(hours=2)
    await bridge.remove_temporaries(number)
    bridge.clock.pass_(days=399)
    await trim(bridge)
    assert await count(bridge, "temporary_status") == 1
    bridge.clock.pass_(days=2)
    await trim(bridge)
    assert await count(bridge, "temporary_status") == 0
    (later,) = await bridge.temporary("DE*ABC*E1*1")
    assert later == number + 1
    bridge.clock.pass_(days=1000)
    await trim(bridge)
    assert await count(bridge, "temporary_status") == 1


async def test_one_that_ended_by_itself_goes_too_and_one_whose_clock_was_set_back_stays(bridge) -> None:
    await bridge.temporary("DE*ABC*E1*1", ends=START + timedelta(hours=1))
    bridge.clock.pass_(days=3)
    await bridge.ticker.tick()
    assert await bridge.rows("SELECT over_at_w FROM temporary_status") == [(NOW + 3_600_000_000,)]
    bridge.clock.now = START
    await bridge.ticker.tick()
    assert await bridge.rows("SELECT over_at_w FROM temporary_status") == [(None,)]
    bridge.clock.now = bridge.clock.steady
    await bridge.ticker.tick()
    bridge.clock.pass_(days=401)
    await bridge.ticker.tick()
    await trim(bridge)
    assert await count(bridge, "temporary_status") == 0


async def serve(bridge, account: str, waiting_for: str) -> None:
    """Let the account's lane run until nothing matches this condition on its deliveries."""
    lane = bridge.lane(FakeUpstream(), account=account)
    task = asyncio.create_task(lane.run())
    async with asyncio.timeout(20):
        while await bridge.rows(f"SELECT 1 FROM delivery WHERE account = :a AND {waiting_for}", a=account):  # noqa: ASYNC110, S608 - a database sets no event
            await asyncio.sleep(0.005)
    lane.stop()
    await task


async def test_what_left_the_inventory_is_forgotten_once_every_hub_knows(bridge) -> None:
    for account in ("hubject", "chargeprice"):
        await serve(bridge, account, "acked_seq <> desired_seq")
    await bridge.connect("two")
    await bridge.import_("\n".join(STATIONS.splitlines()[:3]) + "\n", prune=True)
    bridge.clock.pass_(days=401)
    await trim(bridge)
    assert await count(bridge, "evse") == 4
    await serve(bridge, "hubject", "tombstone AND acked_seq <> desired_seq")
    await trim(bridge)
    assert await count(bridge, "evse") == 4
    await serve(bridge, "chargeprice", "tombstone AND acked_seq <> desired_seq")
    await trim(bridge)
    assert await bridge.rows("SELECT evse_id FROM evse ORDER BY id") == [("DE*ABC*E1*1",), ("DE*ABC*E1*2",)]
    assert await bridge.rows("SELECT id FROM station") == [("one",)]
    await bridge.import_(STATIONS)
    assert await count(bridge, "evse") == 4
    assert await bridge.connect("two") == 1


async def test_a_wall_clock_that_jumps_costs_no_history(bridge) -> None:
    await write_history(bridge, [(1001, 9), (1001, 8), (1001, 7)])
    bridge.clock.now += timedelta(days=36_500)
    await trim(bridge)
    assert await ages(bridge, 1001) == [9, 8, 7]


class Counting:
    """Passes on to the writer, and counts the looks at each log."""

    def __init__(self, bridge) -> None:
        self.bridge = bridge
        self.looks: Counter[str] = Counter()

    async def submit(self, handler, payload):
        self.looks[getattr(payload, "log", handler.__name__)] += 1
        return await self.bridge.writer.submit(handler, payload)


async def test_only_where_something_is_left_is_looked_at_again_and_now_and_then_everywhere(bridge) -> None:
    await write_history(bridge, [(1001, 800 - n) for n in range(95)])
    counting = Counting(bridge)
    trimmer = Retention(counting, bridge.clock, replace(OPTIONS, every=timedelta(minutes=10)))
    for _ in range(3):
        assert await trimmer.turn()
    assert counting.looks["history"] == 3
    assert {counting.looks[name] for name in ("delivery_log", "delivery_bodies", "trim_left", "trim_orders")} == {1}
    bridge.clock.pass_(minutes=10)
    assert await trimmer.turn()
    assert counting.looks["history"] == 4
    assert {counting.looks[name] for name in ("delivery_log", "delivery_bodies", "trim_left", "trim_orders")} == {2}


async def test_what_is_beyond_is_passed_a_bounded_number_at_a_time_though_numbers_have_gaps(bridge) -> None:
    kind = {"station": "one", "kind": "k", "info": "", "reported_at": "", "at_w": NOW}
    await write(bridge, security_event, [{"id": number, **kind} for number in range(7, 700, 7)])
    trimmer = retention(bridge, security_events=Kept(timedelta(days=400), 70))
    left = [99]
    while await trimmer.turn():
        left.append(await count(bridge, "security_event"))
    left.append(await count(bridge, "security_event"))
    assert left == [99, 89, 79, 69, 59, 49, 39, 29, 19, 10]
    assert await bridge.rows("SELECT min(id) FROM security_event") == [(630,)]


async def test_a_log_at_its_limit_that_goes_on_growing_is_trimmed_and_then_left_alone(bridge) -> None:
    event = {"station": "one", "kind": "k", "info": "", "reported_at": ""}
    aged = [{"id": number, "at_w": NOW - 500 * DAY, **event} for number in range(1, 31)]
    young = [{"id": number, "at_w": NOW, **event} for number in range(31, 56)]
    await write(bridge, security_event, aged + young)
    trimmer = retention(bridge, security_events=Kept(timedelta(days=400), 50))
    assert await trimmer.turn()
    assert await bridge.rows("SELECT min(id) FROM security_event") == [(11,)]
    while await trimmer.turn():
        pass
    assert await bridge.rows("SELECT min(id) FROM security_event") == [(31,)]
    for more in range(56, 90, 3):
        rows = [{"id": number, "at_w": NOW, **event} for number in range(more, more + 3)]
        await bridge.writer.submit(lambda conn, given, rows=rows: [conn.execute(sa.insert(security_event), rows)], None)
        assert not await trimmer.turn()
    assert await bridge.rows("SELECT min(id), max(id) FROM security_event") == [(42, 91)]


async def test_it_goes_on_after_storage_failed(bridge) -> None:
    await write_history(bridge, [(1001, 800 - n) for n in range(30)])

    class Failing:
        failures = 2

        async def submit(self, handler, payload):
            if self.failures:
                self.failures -= 1
                raise StoreUnavailable("database or disk is full")
            return await bridge.writer.submit(handler, payload)

    failing = Failing()
    task = asyncio.create_task(Retention(failing, bridge.clock, OPTIONS).run())
    try:
        async with asyncio.timeout(20):
            while len(await ages(bridge, 1001)) > 2:  # noqa: ASYNC110 - a database sets no event
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert failing.failures == 0
