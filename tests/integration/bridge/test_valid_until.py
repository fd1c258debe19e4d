"""Prove that an end is part of what a hub should have, and that its passing sends what holds then."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests_bridge import CHARGEPRICE, HUBJECT, FakeUpstream, until

from bridge.core.mapping.until import pack
from bridge.core.reachability import ReachabilityOptions
from bridge.intake import Intake
from bridge.store.micros import to_micros
from bridge.ticker import Ticker, TickerOptions

EVSE = "DE*ABC*E1*1"
END = datetime(2020, 2, 28, 14, 8, 28, tzinfo=UTC)
NOW = datetime(2020, 2, 28, 14, 0, tzinfo=UTC)


@pytest.fixture
async def telling(bridge):
    """A bridge whose Chargeprice account is told ends, eight minutes before seed 000's moment."""
    hubject, chargeprice = bridge.options.routes["demo"]
    bridge.options = replace(bridge.options, routes={"demo": (hubject, replace(chargeprice, until=pack))})
    bridge.clock.now = NOW
    bridge.ticker = Ticker(
        bridge.writer,
        clock=bridge.clock,
        options=TickerOptions(reachability=ReachabilityOptions(), derive=bridge.options, node="test"),
        woken=bridge.woken.append,
        prober=bridge.prober,
    )
    bridge.intake = Intake(
        bridge.writer,
        clock=bridge.clock,
        node="test",
        options=bridge.options,
        woken=bridge.woken.append,
        heard=bridge.ticker.heard,
    )
    return bridge


async def maintain(bridge, end: datetime | None) -> None:
    """Put a maintenance that began a minute ago in the place of any other, and derive everything."""

    def write(conn, ends):
        for stop in ends:
            key = conn.exec_driver_sql("SELECT id FROM evse WHERE evse_id = 'DE*ABC*E1*1'").scalar_one()
            conn.exec_driver_sql("DELETE FROM temporary_status")
            conn.exec_driver_sql(
                "INSERT INTO temporary_status (evse, kind, valid_from_w, valid_to_w) "  # noqa: S608 - numbers of our own
                f"VALUES ({key}, 'MAINTENANCE', {to_micros(NOW - timedelta(minutes=1))}, {to_micros(stop) or 'NULL'})"
            )
        return [None for _ in ends]

    await bridge.writer.submit(write, end)
    await bridge.ticker.rederive_all()


async def free(bridge) -> int:
    """Report the EVSE available, and let the hold pass."""
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Available")
    bridge.clock.pass_(seconds=3)
    await bridge.ticker.tick()
    return epoch


async def desired(bridge) -> str:
    return await bridge.desired(EVSE, CHARGEPRICE)


async def test_maintenance_over_a_free_evse_is_told_with_its_end(telling) -> None:
    await free(telling)
    await maintain(telling, END)
    assert await desired(telling) == "maintainance until 1582898908000"
    assert await telling.desired(EVSE, HUBJECT) == "OutOfService"


async def test_account_that_is_not_told_ends_has_the_word_alone(bridge) -> None:
    bridge.clock.now = NOW
    await free(bridge)
    await maintain(bridge, END)
    assert await desired(bridge) == "maintainance"


async def test_fault_below_the_maintenance_takes_the_end_away_at_once(telling) -> None:
    epoch = await free(telling)
    await maintain(telling, END)
    await telling.report("one", epoch, 1, "Faulted")
    assert await telling.effective(EVSE) == "maintenance"
    assert await desired(telling) == "maintainance"


async def test_other_end_is_another_value(telling) -> None:
    await free(telling)
    await maintain(telling, END)
    await maintain(telling, END + timedelta(seconds=1))
    assert await desired(telling) == "maintainance until 1582898909000"
    await maintain(telling, None)
    assert await desired(telling) == "maintainance"


async def test_at_the_end_the_status_is_sent_whatever_was_acknowledged(telling) -> None:
    await free(telling)
    await maintain(telling, END)
    upstream = FakeUpstream(kind="chargeprice", takes_full_load=False)
    lane = telling.lane(upstream, account=CHARGEPRICE)
    task = asyncio.create_task(lane.run())
    await until(lambda: _values(upstream) == ["maintainance until 1582898908000"])
    telling.clock.now = END
    await telling.ticker.tick()
    await until(lambda: _values(upstream) == ["maintainance until 1582898908000", "available"])
    lane.stop()
    await asyncio.wait_for(task, 5)


def _values(upstream: FakeUpstream) -> list[str]:
    return [record.value for record in upstream.pushed if record.evse_id == EVSE]
