"""A database of a year does not slow the answer: the work of a status, a push and a trim is counted, never timed.

Work is counted in steps of SQLite's virtual machine, by its own progress handler, on the shipped intake and lane. So
the same run gives the same numbers on every machine.
"""

# ruff: noqa: S608 - the statements are made of this file's own literals

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests_bridge import START, FakeUpstream

from bridge.core.full_load import FullLoadOptions
from bridge.core.reachability import ReachabilityOptions
from bridge.core.retention import Kept
from bridge.intake import Intake
from bridge.retention import Retention, RetentionOptions
from bridge.store.working_copies import drop_copies
from bridge.ticker import Ticker, TickerOptions
from csms.events import OcppVersion, ReportedStatus, StationId, StatusReported
from tests.catalogue.recording import Tally
from tests.history_chain import TIE

NOW = int(START.timestamp()) * 1_000_000
YEAR = 365 * 86_400_000_000
KEPT = Kept(timedelta(days=400), 100_000_000)

_COUNT = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
FILLS = {
    "history": (
        f"INSERT INTO history (evse, at_w, status, live, rule, seq) {_COUNT} SELECT 1 + i % 4, "
        ":now - :year + i * (:year / :last), 'available', 'available', 'connectors', i FROM n"
    ),
    "delivery_log": (
        "INSERT INTO delivery_log (account, epoch, number, kind, evse, records, value, seq, sent_at_w, outcome) "
        f"{_COUNT} SELECT 'hubject', 0, i, 'status', 1 + i % 4, 1, 'Available', i, "
        ":now - :year + i * (:year / :last), 'accepted' FROM n"
    ),
    "temporary_status": (
        "INSERT INTO temporary_status (id, evse, kind, valid_from_w, valid_to_w, over, over_at_w) "
        f"{_COUNT} SELECT 1 + i, 1 + i % 4, 'MAINTENANCE', :now - :year, :now - :year + i, true, "
        ":now - :year + i FROM n"
    ),
    "security_event": (
        f"INSERT INTO security_event (station, at_w, kind) {_COUNT} SELECT 'two', "
        ":now - :year + i * (:year / :last), 'InvalidMessages' FROM n"
    ),
}


async def write(bridge, statement: str, **arguments: int) -> None:
    def handler(conn, payloads):
        conn.execute(sa.text(statement), arguments)
        drop_copies(conn)
        return [None] * len(payloads)

    await bridge.writer.submit(handler, None)


async def fill(bridge, rows: int) -> None:
    """Add so many rows to each table that grows with time, spread over the year before now."""
    for statement in FILLS.values():
        await write(bridge, statement, last=rows - 1, now=NOW, year=YEAR)
    for statement in TIE:
        await write(bridge, statement)


class Counting:
    """Counts the steps of what is submitted through it, by handler."""

    def __init__(self, writer) -> None:
        self.steps: dict[str, list[int]] = defaultdict(list)
        self._writer = writer
        self._total = 0

    async def begin(self) -> None:
        await self._listen(self._step)

    async def end(self) -> None:
        await self._listen(None)

    async def _listen(self, step) -> None:
        def handler(conn, payloads):
            drop_copies(conn)
            conn.connection.driver_connection.set_progress_handler(step, 1)
            return [None] * len(payloads)

        await self._writer.submit(handler, None)

    def _step(self) -> int:
        self._total += 1
        return 0

    async def submit(self, handler, payload):
        before = self._total
        try:
            return await self._writer.submit(handler, payload)
        finally:
            self.steps[getattr(handler, "__name__", "")].append(self._total - before)


async def work(bridge) -> dict[str, int]:
    """Return the steps of one status that changes what hubs are told, of the dearest turns that push it, and of a tick.

    Nothing of the station is in memory, as after a restart: what decides its EVSEs is read.
    """
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await settled(bridge, bridge.writer)
    counting = Counting(bridge.writer)
    await counting.begin()
    intake = Intake(
        counting,
        clock=bridge.clock,
        node="test",
        options=bridge.options,
        woken=bridge.woken.append,
        heard=lambda _: None,
    )
    faulted = StatusReported(StationId("one"), epoch, OcppVersion.V16, 0, 1, ReportedStatus.FAULTED)
    await intake.record(faulted)
    await settled(bridge, counting)
    await ticker(bridge, counting).tick()
    await counting.end()
    return {name: max(steps) for name, steps in counting.steps.items()}


def ticker(bridge, writer) -> Ticker:
    """Return a ticker as it begins after a restart: it looks at everything in its first tick."""
    options = TickerOptions(reachability=ReachabilityOptions(), derive=bridge.options, node="test")
    return Ticker(writer, clock=bridge.clock, options=options, woken=bridge.woken.append, prober=bridge.prober)


async def settled(bridge, writer) -> None:
    """Run the account's lane, without fullLoads, until nothing is due."""
    lane = bridge.lane(FakeUpstream(), writer=writer, full_load=FullLoadOptions())
    task = asyncio.create_task(lane.run())
    async with asyncio.timeout(60):
        while await bridge.rows("SELECT 1 FROM delivery WHERE account = 'hubject' AND acked_seq <> desired_seq"):  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.01)
    lane.stop()
    await task


async def trim_steps(bridge, turns: int) -> dict[str, int]:
    """Return the steps of the dearest transaction of so many turns, by handler."""
    counting = Counting(bridge.writer)
    await counting.begin()
    options = RetentionOptions(history=KEPT, delivery_log=KEPT, security_events=KEPT, temporary=KEPT)
    retention = Retention(counting, bridge.clock, options)
    for _ in range(turns):
        await retention.turn()
    await counting.end()
    return {name: max(steps) for name, steps in counting.steps.items()}


@pytest.mark.row("T22")
@pytest.mark.parametrize("rows", [200_000, pytest.param(5_000_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_year_of_rows_makes_no_answer_no_push_and_no_trim_more_work(bridge, rows: int, tally: Tally) -> None:
    await work(bridge)
    few = await work(bridge)
    assert {"_record", "take_turns", "tick", "close_temporaries", "follow_step", "note"} <= few.keys()
    await fill(bridge, rows)
    many = await work(bridge)
    assert many == pytest.approx(few, rel=0.02, abs=20), (few, many)

    bridge.clock.pass_(days=100)
    first = await trim_steps(bridge, turns=2)
    bridge.clock.pass_(days=3_000)
    later = await trim_steps(bridge, turns=12)
    assert 0 < first["trim_logs"] <= 60_000
    assert later["trim_logs"] <= first["trim_logs"] * 1.5, (first, later)
    assert later["trim_left"] <= first["trim_left"] * 1.5, (first, later)
    left = (await bridge.rows("SELECT count(*) FROM delivery_log"))[0][0]
    assert rows - left >= 12 * 500 - 10
    tally.count(requests=0)
