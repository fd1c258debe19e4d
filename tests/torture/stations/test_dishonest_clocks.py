"""Stations with every wrong clock: what came last is true, whatever time it says it has."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.scripted import ScriptedStation
from tests.catalogue.recording import Tally
from tests.torture.stations.devices import BOOT_201, inventory_of, row, status16, status201
from tests.torture.stations.sites import start_small, until_held, words_sent

OLD, NEW = "CLOCK16", "CLOCK201"
CLOCKS = {
    "1970": "1970-01-01T00:00:00Z",
    "year 1": "0001-01-01T00:00:00Z",
    "far future": "9999-12-31T23:59:59Z",
    "a day ago": "2026-11-25T12:00:00Z",
    "an hour before that": "2026-11-25T11:00:00Z",
    "two hours ahead, as local time labelled Z": "2026-11-26T14:00:00Z",
    "right again": "2026-11-26T12:00:00Z",
    "nonsense": "222222017-10-27T18:00:00Z",
    "none": "",
}
"""In this order, so that nearly every one is older than the one before it."""
WORDS = ["Occupied", "OutOfService"]


async def start(make_site: MakeSite) -> Site:
    site = await start_small(make_site, "UNUSED")
    await site.import_inventory(inventory_of(row(OLD, "1.6", None, 1), row(NEW, "2.0.1", 1, 1)))
    return site


def messages(version: str) -> list[dict[str, object]]:
    """Return one status for each clock, of which each is another one than that before it."""
    if version == "ocpp1.6":
        return [
            status16(1, "Faulted" if n % 2 else "Charging", **({"timestamp": clock} if clock else {}))
            for n, clock in enumerate(CLOCKS.values())
        ]
    return [status201(1, 1, "Faulted" if n % 2 else "Occupied", clock) for n, clock in enumerate(CLOCKS.values())]


@pytest.mark.row("T58")
async def test_each_status_counts_when_it_is_received_whatever_its_time_says(make_site: MakeSite, tally: Tally) -> None:
    site = await start(make_site)
    expected = [WORDS[n % 2] for n in range(len(CLOCKS))]
    for name, version in ((OLD, "ocpp1.6"), (NEW, "ocpp2.0.1")):
        async with ScriptedStation(site.ocpp_url, name, subprotocol=version) as station:
            await boot(station, version)
            for message, word in zip(messages(version), expected, strict=True):
                await station.call("StatusNotification", message)
                await until_held(site, name, word)
        assert await words_sent(site, name) == ["Unknown", *expected]
    tally.count(faults=2 * len(CLOCKS), statuses_answered=2 * len(CLOCKS), requests=2 * len(CLOCKS) + 2)


@pytest.mark.row("T58")
async def test_of_statuses_in_one_breath_the_last_one_stays_though_it_is_the_oldest_by_its_own_time(
    make_site: MakeSite, tally: Tally
) -> None:
    site = await start(make_site)
    async with ScriptedStation(site.ocpp_url, OLD) as station:
        await station.boot()
        for year in range(2035, 2025, -1):
            status = status16(1, "Faulted" if year % 2 else "Charging", timestamp=f"{year}-01-01T00:00:00Z")
            await station.begin("StatusNotification", status)
        await station.call("StatusNotification", status16(1, "Reserved", timestamp="1970-01-01T00:00:00Z"))
        await until_held(site, OLD, "Reserved")
    assert (await words_sent(site, OLD))[-1] == "Reserved"
    tally.count(faults=11)


async def boot(station: ScriptedStation, version: str) -> None:
    answer = await station.boot() if version == "ocpp1.6" else await station.call("BootNotification", BOOT_201)
    assert answer["status"] == "Accepted"
