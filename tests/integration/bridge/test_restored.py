"""Prove what a bridge makes of a database that is an older copy, and that it leaves every other one alone."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests_bridge import FakeUpstream, until

from bridge.app.database_marks import MARKS_FILE, DatabaseMarks, read_marks_file, write_marks_file
from bridge.core.full_load import FullLoadOptions, FullLoadPolicy
from bridge.core.marks import Marks
from csms.events import StationId, TransactionIdNeeded

PAUSE = timedelta(minutes=3)


@pytest.fixture
def marks(bridge, tmp_path: Path) -> DatabaseMarks:
    folder = tmp_path / "marks"
    folder.mkdir()
    return DatabaseMarks(bridge.writer, folder, bridge.clock)


async def stored_mark(bridge) -> int:
    return (await bridge.rows("SELECT value FROM counter WHERE name = 'mark'"))[0][0]


async def run_until_agreed(bridge, upstream: FakeUpstream, **options) -> None:
    lane = bridge.lane(upstream, **options)
    task = asyncio.create_task(lane.run())
    async with asyncio.timeout(20):
        while await bridge.rows("SELECT 1 FROM delivery WHERE account = 'hubject' AND acked_seq <> desired_seq"):  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.005)
    lane.stop()
    await task


async def test_the_file_is_never_ahead_of_the_database(bridge, marks: DatabaseMarks) -> None:
    assert not await marks.begin(PAUSE)
    await marks.count()
    assert read_marks_file(marks.state_dir) == Marks(2)
    assert await stored_mark(bridge) == 2
    assert not await marks.begin(PAUSE)


async def test_a_restart_forgets_nothing(bridge, marks: DatabaseMarks) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await run_until_agreed(bridge, FakeUpstream())
    await marks.begin(PAUSE)
    assert not await marks.begin(PAUSE)
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    assert await bridge.rows(
        "SELECT count(*) FROM delivery WHERE account = 'hubject' AND acked_seq <> desired_seq"
    ) == [(0,)]


async def test_an_older_copy_sends_nothing_of_then_and_asks_everybody_again(bridge, marks: DatabaseMarks) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await run_until_agreed(bridge, FakeUpstream())
    await marks.begin(PAUSE)
    write_marks_file(marks.state_dir, Marks(9))
    assert await marks.begin(PAUSE)
    await bridge.ticker.start()
    assert await bridge.rows("SELECT count(*) FROM fact") == [(0,)]
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"
    upstream = FakeUpstream()
    lane = bridge.lane(upstream)
    task = asyncio.create_task(lane.run())
    turns = bridge.writer.batches_written + 4
    await until(lambda: bridge.writer.batches_written >= turns)
    assert upstream.pushed == []
    await bridge.report("one", await bridge.connect("one"), 1, "Faulted")
    bridge.clock.pass_(minutes=3)
    await until(lambda: len(upstream.pushed) == 4)
    lane.stop()
    await task
    assert {record.evse_id: record.value for record in upstream.pushed} == {
        "DE*ABC*E1*1": "OutOfService",
        "DE*ABC*E1*2": "Unknown",
        "DE*ABC*E2*1": "Unknown",
        "DE*ABC*E2*2": "Unknown",
    }
    assert not await marks.begin(PAUSE)


async def test_a_value_that_did_not_change_since_is_told_again(bridge, marks: DatabaseMarks) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await run_until_agreed(bridge, FakeUpstream())
    write_marks_file(marks.state_dir, Marks(9))
    await marks.begin(timedelta(0))
    await bridge.report("one", await bridge.connect("one"), 1, "Charging")
    upstream = FakeUpstream()
    await run_until_agreed(bridge, upstream)
    assert {record.evse_id: record.value for record in upstream.pushed}["DE*ABC*E1*1"] == "Occupied"


async def test_the_next_full_load_waits_for_the_stations_as_the_first_did(bridge, marks: DatabaseMarks) -> None:
    always = FullLoadOptions(policy=FullLoadPolicy.AUTO, first_wait=timedelta(0))
    await run_until_agreed(bridge, FakeUpstream(), full_load=always)
    write_marks_file(marks.state_dir, Marks(9))
    await marks.begin(timedelta(0))
    upstream = FakeUpstream()
    lane = bridge.lane(upstream, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))
    task = asyncio.create_task(lane.run())
    turns = bridge.writer.batches_written + 4
    await until(lambda: bridge.writer.batches_written >= turns)
    assert (upstream.pushed, upstream.full_loads) == ([], [])
    bridge.clock.pass_(minutes=10)
    await until(lambda: len(upstream.full_loads) == 1)
    lane.stop()
    await task
    assert upstream.pushed == []


async def test_numbers_that_were_given_since_are_not_given_again(bridge, marks: DatabaseMarks) -> None:
    write_marks_file(marks.state_dir, Marks(9, transaction_id=5_000, temporary_id=70))
    await marks.begin(PAUSE)
    (number,) = await bridge.temporary("DE*ABC*E1*1")
    assert number == 1_000_071
    epoch = await bridge.connect("one")
    receipt = await bridge.intake.record(TransactionIdNeeded(StationId("one"), epoch, 1))
    assert receipt.transaction_id == 1_005_001
    assert read_marks_file(marks.state_dir) == Marks(10, 1_005_000, 1_000_070)


async def test_a_file_that_cannot_be_written_or_read_stops_nothing(bridge, tmp_path: Path) -> None:
    nowhere = DatabaseMarks(bridge.writer, tmp_path / "nowhere", bridge.clock)
    assert not await nowhere.begin(PAUSE)
    (tmp_path / "nowhere").mkdir()
    (tmp_path / "nowhere" / MARKS_FILE).write_text(json.dumps({"mark": "x"}), encoding="ascii")
    assert not await nowhere.begin(PAUSE)
    assert await stored_mark(bridge) == 2
