"""Stations that change without end: hubs get what is true at their own pace, and at last what stays."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest
from websockets.exceptions import ConnectionClosed

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation
from tests.acceptance.stored import rows
from tests.catalogue.recording import Tally
from tests.torture.stations.devices import status16
from tests.torture.stations.effort import MINUTES
from tests.torture.stations.sites import (
    WITHIN_S,
    counted,
    held,
    nothing_due,
    shown,
    start_small,
    until_held,
    words_sent,
)

STATION = "RESTLESS1"
LATENCY_S = 0.25


async def pushed_one_after_another(site: Site, after: int) -> int:
    """Check that no push began before the hub had answered the one before it; return how many there were."""
    entries = await site.hubs["hubject"].journal(after)
    for earlier, later in pairwise(entries):
        assert later["received_at"] >= earlier["answered_at"] >= earlier["received_at"] + LATENCY_S
    await site.assert_rules_kept()
    return len(entries)


async def slow_hub(site: Site) -> int:
    """Let Hubject take its time, and return the number of its newest request."""
    await site.hubs["hubject"].script(kind="latency", delay_s=LATENCY_S)
    return await site.hubs["hubject"].last()


def history(site: Site) -> int:
    return int(rows(site.database_url, "SELECT count(*) FROM history")[0][0])


# --- two devices with one id ------------------------------------------------------------------------------------------


class Device:
    """A device that takes the id's connection again whenever it lost it, and says its own status each time."""

    def __init__(self, site: Site, source: str, status: str) -> None:
        self._site, self._source, self._status = site, source, status
        self.visits = 0
        self.task = asyncio.create_task(self._live(), name=f"device {source}")

    async def _live(self) -> None:
        while True:
            async with ScriptedStation(self._site.ocpp_url, STATION, source=self._source) as station:
                self.visits += 1
                telling = asyncio.create_task(station.report(self._status))
                try:
                    await station.closed(3_600)
                finally:
                    telling.cancel()
                    with suppress(asyncio.CancelledError, ConnectionClosed):
                        await telling

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.mark.row("T55")
async def test_two_devices_with_one_id_and_key_are_named_and_cost_hubs_no_more_than_their_pace(
    make_site: MakeSite, tally: Tally
) -> None:
    site = await start_small(make_site, STATION)
    async with ScriptedStation(site.ocpp_url, STATION) as station:
        await station.boot()
    before = await slow_hub(site)
    first, second = Device(site, "127.0.0.2", "Charging"), Device(site, "127.0.0.3", "Faulted")
    try:
        await until(lambda: min(first.visits, second.visits) >= 30, 60, "each came thirty times")
        warnings = [line for line in (await site.ask("status"))["warnings"] if STATION in line]
        takeovers = await counted(site, "connection_taken_over")
        assert await counted(site, "station_flapping") == 1, "said once"
        [warning] = warnings
        assert "127.0.0.2" in warning
        assert "127.0.0.3" in warning
    finally:
        await second.end()
        await until(lambda: held_is(site, "Occupied"), WITHIN_S, "the one that is left is believed")
        await first.end()
    await until(lambda: nothing_due(site), WITHIN_S, "everything acknowledged")
    assert await pushed_one_after_another(site, before) <= takeovers + 3
    assert history(site) <= 2 * (first.visits + second.visits) + 2
    tally.count(faults=takeovers)


async def held_is(site: Site, word: str) -> bool:
    return await held(site, STATION) == word


# --- a status that flaps ----------------------------------------------------------------------------------------------


@pytest.mark.row("T56")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(60, id="six-seconds"),
        pytest.param(
            int(600 * MINUTES), id="minutes", marks=[pytest.mark.long, pytest.mark.timeout(120 * MINUTES + 120)]
        ),
    ],
)
async def test_a_status_that_flaps_ten_times_a_second_is_pushed_at_the_hubs_pace_and_ends_right(
    make_site: MakeSite, tally: Tally, changes: int
) -> None:
    site = await start_small(make_site, STATION)
    async with ScriptedStation(site.ocpp_url, STATION) as station:
        await station.boot()
        await until_held(site, STATION, "Unknown")
        before, rows_before = await slow_hub(site), history(site)
        for number in range(changes):
            await station.report("Faulted" if number % 2 else "Charging")
            await asyncio.sleep(0.1)
        assert history(site) - rows_before <= changes
        await until_held(site, STATION, "OutOfService")
        await until(lambda: nothing_due(site), WITHIN_S, "everything acknowledged")
    pushed = await pushed_one_after_another(site, before)
    words = await words_sent(site, STATION, before)
    assert pushed <= changes
    assert words[-1] == "OutOfService"
    tally.count(faults=changes, statuses_answered=changes, requests=pushed)


@pytest.mark.row("T56", "T57")
async def test_an_available_that_does_not_stand_is_told_no_hub_however_often_it_comes(
    make_site: MakeSite, tally: Tally
) -> None:
    """As stations do that say Available of everything when they boot, and what is true a moment later."""
    site = await start_small(make_site, STATION, STATUS__AVAILABLE_HOLD="5 s")
    async with ScriptedStation(site.ocpp_url, STATION) as station:
        await station.boot()
        await blink(station, "Unavailable")
        await until_held(site, STATION, "OutOfService")
        assert (await station.boot())["status"] == "Accepted"
        for _ in range(20):
            await blink(station, "Unavailable")
        await blink(station, "Charging")
        await until_held(site, STATION, "Occupied")
        await until(lambda: nothing_due(site), WITHIN_S, "everything acknowledged")
        assert "Available" not in await words_sent(site, STATION)
        await station.report("Available")
        assert (await shown(site, STATION))["evses"][0]["effective"] == "charging", "it does not count yet"
        await until_held(site, STATION, "Available")
    assert (await words_sent(site, STATION))[-2:] == ["Occupied", "Available"]
    tally.count(faults=22)


async def blink(station: ScriptedStation, status: str) -> None:
    """Say Available, and this right behind it, without waiting for an answer in between."""
    blinked = await station.begin("StatusNotification", status16(1, "Available"))
    await station.report(status)
    assert await blinked == {}
