"""Stations that come back and say nothing: they are asked, a bounded number of times, and what they last said stays."""

from __future__ import annotations

import asyncio

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation
from tests.catalogue.recording import Tally
from tests.torture.stations.devices import inventory_of, row, status16
from tests.torture.stations.sites import WITHIN_S, held, nothing_due, shown, start_small, triggers, until_held

RETURNS = "RETURNS1"


def resyncs(site: Site, station: str) -> int:
    """Return how often the bridge has finished asking a station since the test's begin."""
    lines = site.bridge.log.read_text(encoding="utf-8").splitlines()
    return sum('"resync_finished"' in line and f'"{station}"' in line for line in lines)


async def finished(site: Site, station: str, times: int) -> None:
    await until(lambda: resyncs(site, station) >= times, WITHIN_S, f"{station} was asked for everything")


@pytest.mark.row("T59")
async def test_after_our_restart_statuses_count_without_a_boot_and_only_what_is_missing_is_asked_for(
    make_site: MakeSite, tally: Tally
) -> None:
    site = await start_small(make_site, "UNUSED")
    await site.import_inventory(inventory_of(row(RETURNS, "1.6", None, 1), row(RETURNS, "1.6", None, 2, "*2")))
    async with ScriptedStation(site.ocpp_url, RETURNS) as station:
        await station.boot()
        for connector in (1, 2):
            await station.report("Charging", connector)
        await until_held(site, RETURNS, "Occupied")
        await until(lambda: nothing_due(site), WITHIN_S, "everything acknowledged")
        site.kill_bridge()
        await station.closed(WITHIN_S)
    told, before = await site.hubs["hubject"].last(), resyncs(site, RETURNS)
    await site.start_bridge()
    async with ScriptedStation(site.ocpp_url, RETURNS, answers={"TriggerMessage": {"status": "Accepted"}}) as station:
        await station.report("Faulted")
        await until_held(site, RETURNS, "OutOfService")
        action, asked = await asyncio.wait_for(station.received.get(), WITHIN_S)
        assert (action, asked) == ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 2})
        await station.report("Charging", 2)
        await finished(site, RETURNS, before + 1)
        assert triggers(station) == []
    await until(lambda: nothing_due(site), WITHIN_S, "everything acknowledged")
    new = [entry["records"] for entry in await site.hubs["hubject"].journal(told)]
    assert new == [[["DE*ABC*ERETURNS1", "OutOfService"]]], "of the other connector nothing was told"
    tally.count(faults=1, kills=1)


@pytest.mark.row("T60")
async def test_a_station_that_says_nothing_after_a_reconnect_is_asked_and_its_last_word_stays(
    make_site: MakeSite, tally: Tally
) -> None:
    settings = {"STATUS__OFFLINE_AFTER": "6 s", "STATUS__RESTART_GRACE": "0 s", "OCPP__PING_INTERVAL": "1 s"}
    site = await start_small(make_site, RETURNS, **settings)
    async with ScriptedStation(site.ocpp_url, RETURNS) as station:
        await station.boot()
        await station.report("Charging")
        await until_held(site, RETURNS, "Occupied")
    told, before = await site.hubs["hubject"].last(), resyncs(site, RETURNS)
    silent = {"TriggerMessage": None}
    async with ScriptedStation(site.ocpp_url, RETURNS, answers=silent) as station:
        await station.call("Heartbeat", {})
        await finished(site, RETURNS, before + 1)
        assert len(triggers(station)) == 1
        assert await site.hubs["hubject"].last() == told, "a short absence is no news"
    await until_held(site, RETURNS, "Unknown")
    async with ScriptedStation(site.ocpp_url, RETURNS, answers=silent) as station:
        await station.call("Heartbeat", {})
        action, _ = await asyncio.wait_for(station.received.get(), WITHIN_S)
        assert action == "TriggerMessage"
        assert await held(site, RETURNS) == "Unknown", "a heartbeat revives nothing"
        await until_held(site, RETURNS, "Occupied")
        [report] = (await shown(site, RETURNS))["reports"]
        assert (report["status"], report["stale"]) == ("Charging", True)
    tally.count(faults=2)


# --- four ways to answer no -------------------------------------------------------------------------------------------

REFUSES, CANNOT, DEAF, ONLY_0 = "REFUSES1", "CANNOT1", "DEAF1", "ONLYZERO1"
ANSWERS = {
    REFUSES: {"TriggerMessage": {"status": "Rejected"}},
    CANNOT: {},
    DEAF: {"TriggerMessage": None},
    ONLY_0: {"TriggerMessage": {"status": "Accepted"}},
}
"""CANNOT answers with CALLERROR NotImplemented, as a scripted station does by itself."""


@pytest.mark.row("T61")
async def test_a_station_that_cannot_be_asked_is_asked_once_for_each_connector_and_never_in_a_loop(
    make_site: MakeSite, tally: Tally
) -> None:
    site = await start_small(
        make_site, "UNUSED", OCPP__TRIGGER_TIMEOUT="0.5 s", OCPP__SETTLE="0.1 s", OCPP__SETTLE_AFTER_BOOT="0.1 s"
    )
    rows = [row(name, "1.6", None, n, f"*{n}") for name in ANSWERS for n in (1, 2)]
    await site.import_inventory(inventory_of(*rows))
    first = await asyncio.gather(*(asked_for(site, name, boots=True) for name in ANSWERS))
    assert dict(zip(ANSWERS, first, strict=True)) == {REFUSES: 1, CANNOT: 1, DEAF: 2, ONLY_0: 2}
    again = await asyncio.gather(*(asked_for(site, name, boots=False) for name in ANSWERS))
    assert dict(zip(ANSWERS, again, strict=True)) == {REFUSES: 0, CANNOT: 0, DEAF: 2, ONLY_0: 2}
    tally.count(faults=8)


async def asked_for(site: Site, name: str, *, boots: bool) -> int:
    """Connect, be asked, go on for much longer than that took, and return how many questions came."""
    before = resyncs(site, name)
    async with ScriptedStation(site.ocpp_url, name, answers=ANSWERS[name]) as station:
        if boots:
            await station.boot()
            await station.call("StatusNotification", status16(0, "Available"))
        for _ in range(30):
            await station.call("Heartbeat", {})
            await asyncio.sleep(0.1)
        await finished(site, name, before + 1)
        questions = len(triggers(station))
        if name == ONLY_0:
            await station.call("StatusNotification", status16(0, "Available"))
        await station.call("Heartbeat", {})
        return questions + len(triggers(station))
