"""Enforced temporary statuses: what stations are asked, and what they are never asked, whatever crashes when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from tests_bridge import PEPPER, START, STATIONS, FakeProber, LossyWriter, until

from bridge.app.registry import StoreRegistry
from bridge.enforcer import Enforcer, EnforcerOptions, begin, settle
from bridge.store.errors import StoreUnavailable
from csms.events import ChangeAnswer, ChangeOutcome, ConnectorAddress, OcppVersion, StationId
from csms.replies import LocalReplies, ReplyOptions
from csms.server import CentralSystem, ServerOptions
from tests.integration.csms.fakes import KEY, FakeCounter, dial

ONE, TWO, SHARED, OTHER = "DE*ABC*E1*1", "DE*ABC*E1*2", "DE*ABC*E2*1", "DE*ABC*E2*2"
HOUR = timedelta(hours=1)
ACCEPTED, REJECTED = ChangeAnswer(ChangeOutcome.ACCEPTED), ChangeAnswer(ChangeOutcome.REJECTED)
QUICK = EnforcerOptions(period=timedelta(milliseconds=10), idle=timedelta(milliseconds=10))
Asked = tuple[str, tuple[int, int], bool]


@dataclass
class FakeStations(FakeProber):
    """Stations that answer as the test says; `calls` is what they were asked: station, address, operative."""

    calls: list[Asked] = field(default_factory=list)
    answer: Callable[[Asked], Awaitable[ChangeAnswer]] | ChangeAnswer = ACCEPTED

    async def change_availability(
        self, station: StationId, address: ConnectorAddress, *, operative: bool
    ) -> ChangeAnswer:
        asked = (station, (address.evse, address.connector), operative)
        self.calls.append(asked)
        return self.answer if isinstance(self.answer, ChangeAnswer) else await self.answer(asked)


@pytest.fixture
def stations() -> FakeStations:
    return FakeStations(open={StationId("one"), StationId("two")})


@asynccontextmanager
async def enforcing(bridge, stations: Any, writer: Any = None) -> AsyncIterator[None]:
    """Run an enforcer; leaving ends it as a kill does, wherever it is."""
    enforcer = Enforcer(writer or bridge.writer, stations, clock=bridge.clock, jitter=lambda: 0.0, options=QUICK)
    running = asyncio.create_task(enforcer.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running})


async def orders(bridge) -> list[tuple[str, bool]]:
    """Return (wanted, settled) of every row."""
    rows = await bridge.rows("SELECT wanted, done_seq = wanted_seq FROM availability_order ORDER BY evse")
    return [(wanted, bool(done)) for wanted, done in rows]


async def until_orders(bridge, expected: list[tuple[str, bool]]) -> None:
    async with asyncio.timeout(20):
        while await orders(bridge) != expected:  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.005)


async def until_rows(bridge, statement: str, expected: list[tuple[Any, ...]]) -> None:
    async with asyncio.timeout(20):
        while await bridge.rows(statement) != expected:  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.005)


async def test_nothing_is_asked_of_stations_where_nothing_is_enforced(bridge, stations: FakeStations) -> None:
    await bridge.temporary(ONE)
    assert await orders(bridge) == []
    assert bridge.woken[-1].orders == 0


async def test_station_is_asked_while_it_is_in_force_and_asked_back_when_it_ends(
    bridge, stations: FakeStations
) -> None:
    await bridge.temporary(ONE, begins=START + HOUR, ends=START + 2 * HOUR, enforce=True)
    async with enforcing(bridge, stations):
        assert await orders(bridge) == []
        bridge.clock.pass_(hours=1)
        await bridge.ticker.tick()
        await until_orders(bridge, [("Inoperative", True)])
        bridge.clock.pass_(hours=1)
        await bridge.ticker.tick()
        await until_orders(bridge, [])
    assert stations.calls == [("one", (0, 1), False), ("one", (0, 1), True)]


async def test_removing_it_undoes_it_and_two_that_overlap_are_undone_once(bridge, stations: FakeStations) -> None:
    first = await bridge.temporary(ONE, enforce=True)
    second = await bridge.temporary(ONE, kind="BLOCKED", enforce=True)
    async with enforcing(bridge, stations):
        await until_orders(bridge, [("Inoperative", True)])
        await bridge.remove_temporaries(*first)
        assert await orders(bridge) == [("Inoperative", True)]
        await bridge.remove_temporaries(*second)
        await until_orders(bridge, [])
    assert stations.calls == [("one", (0, 1), False), ("one", (0, 1), True)]


async def test_evse_of_2_0_1_is_named_as_a_whole(bridge, stations: FakeStations) -> None:
    await bridge.temporary(SHARED, OTHER, enforce=True)
    async with enforcing(bridge, stations):
        await until_orders(bridge, [("Inoperative", True), ("Inoperative", True)])
    assert sorted(stations.calls) == [("two", (1, 0), False), ("two", (2, 0), False)]


async def test_withdrawn_before_the_station_was_connected_nothing_is_ever_sent(bridge, stations: FakeStations) -> None:
    stations.open.clear()
    (number,) = await bridge.temporary(ONE, enforce=True)
    async with enforcing(bridge, stations):
        await asyncio.sleep(0.03)
        await bridge.remove_temporaries(number)
        assert await orders(bridge) == []
        stations.open.add(StationId("one"))
        await asyncio.sleep(0.03)
    assert stations.calls == []


async def test_station_that_was_away_is_asked_once_it_is_connected(bridge, stations: FakeStations) -> None:
    stations.open.clear()
    await bridge.temporary(ONE, enforce=True)
    async with enforcing(bridge, stations):
        await asyncio.sleep(0.03)
        assert stations.calls == []
        stations.open.add(StationId("one"))
        await until_orders(bridge, [("Inoperative", True)])


async def test_refusing_station_is_asked_again_only_after_its_wait_and_never_asked_back(
    bridge, stations: FakeStations
) -> None:
    stations.answer = REJECTED
    (number,) = await bridge.temporary(ONE, enforce=True)
    async with enforcing(bridge, stations):
        await until(lambda: len(stations.calls) == 1)
        await asyncio.sleep(0.04)
        assert len(stations.calls) == 1
        bridge.clock.pass_(seconds=30)
        await until(lambda: len(stations.calls) == 2)
        await until_rows(bridge, "SELECT attempts, made FROM availability_order", [(2, False)])
        assert await bridge.rows("SELECT last FROM availability_order") == [("Inoperative: rejected",)]
        await bridge.remove_temporaries(number)
        assert await orders(bridge) == []
        await asyncio.sleep(0.03)
    assert [operative for _, _, operative in stations.calls] == [False, False]


async def test_killed_with_a_request_in_flight_it_is_undone_by_the_next_process(bridge, stations: FakeStations) -> None:
    async def never(_asked: Asked) -> ChangeAnswer:
        await asyncio.Event().wait()
        raise AssertionError

    stations.answer = never
    (number,) = await bridge.temporary(ONE, enforce=True)
    async with enforcing(bridge, stations):
        await until(lambda: len(stations.calls) == 1)
    await bridge.remove_temporaries(number)
    stations.answer = ACCEPTED
    async with enforcing(bridge, stations):
        await until_orders(bridge, [])
    assert stations.calls == [("one", (0, 1), False), ("one", (0, 1), True)]


async def test_request_goes_out_only_after_its_row_was_marked(bridge, stations: FakeStations) -> None:
    await bridge.temporary(ONE, enforce=True)
    lossy = LossyWriter(bridge.writer, begin, [StoreUnavailable("disk full")] * 3)
    async with enforcing(bridge, stations, lossy):
        await until(lambda: not lossy.failures)
        assert stations.calls == []
        await until_orders(bridge, [("Inoperative", True)])


async def test_answer_that_could_not_be_stored_is_asked_for_again(bridge, stations: FakeStations) -> None:
    await bridge.temporary(ONE, enforce=True)
    lossy = LossyWriter(bridge.writer, settle, [StoreUnavailable("disk full")])
    async with enforcing(bridge, stations, lossy):
        await until_orders(bridge, [("Inoperative", True)])
    assert [operative for _, _, operative in stations.calls] == [False, False]


async def test_moved_evse_is_taken_out_at_its_new_station_and_put_back_only_there(
    bridge, stations: FakeStations
) -> None:
    (number,) = await bridge.temporary(TWO, enforce=True)
    async with enforcing(bridge, stations):
        await until_orders(bridge, [("Inoperative", True)])
        await bridge.import_(STATIONS.replace("one,,,,2,", "three,1.6,0123456789abcdef,,7,"))
        assert await orders(bridge) == [("Inoperative", False)]
        await bridge.remove_temporaries(number)
        assert await orders(bridge) == []
        await bridge.temporary(TWO, enforce=True)
        stations.open.add(StationId("three"))
        await until_orders(bridge, [("Inoperative", True)])
    assert stations.calls == [("one", (0, 2), False), ("three", (0, 7), False)]


async def test_one_station_that_does_not_answer_delays_no_other(bridge, stations: FakeStations) -> None:
    async def answer(asked: Asked) -> ChangeAnswer:
        if asked[0] == "one":
            await asyncio.Event().wait()
        return ACCEPTED

    stations.answer = answer
    await bridge.temporary(ONE, SHARED, enforce=True)
    async with enforcing(bridge, stations):
        await until_orders(bridge, [("Inoperative", False), ("Inoperative", True)])


async def test_real_station_goes_out_of_service_and_comes_back(bridge) -> None:
    """Through real sockets: the shipped server asks, and the station's own reports are published after it."""
    central = CentralSystem(
        ServerOptions(port=0, settle=HOUR, settle_after_boot=HOUR),
        StoreRegistry(bridge.store),
        bridge.intake,
        LocalReplies(lambda: bridge.clock.now, ReplyOptions()),
        FakeCounter(),
        PEPPER,
    )
    port = await central.start()
    try:
        station = await dial(port, "one", password=KEY)
        await station.call("BootNotification", {"chargePointVendor": "v", "chargePointModel": "m"})
        (number,) = await bridge.temporary(ONE, enforce=True)
        async with enforcing(bridge, central):
            for word, reported in (("Inoperative", "Unavailable"), ("Operative", "Available")):
                frame = await station.receive()
                assert frame[2:] == ["ChangeAvailability", {"connectorId": 1, "type": word}]
                await station.send([3, frame[1], {"status": "Accepted"}])
                await until_orders(bridge, [("Inoperative", True)] if word == "Inoperative" else [])
                await station.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": reported})
                if word == "Inoperative":
                    assert await bridge.effective(ONE) == "maintenance"
                    await bridge.remove_temporaries(number)
                    assert await bridge.effective(ONE) == "unavailable"
        bridge.clock.pass_(seconds=2)
        await bridge.ticker.tick()
        assert await bridge.effective(ONE) == "available"
        assert (await bridge.rows("SELECT version FROM connection WHERE station = 'one'")) == [(OcppVersion.V16.value,)]
    finally:
        await central.stop()
