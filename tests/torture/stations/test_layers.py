"""What a station says on more than one level, in more than one way, and in more than one OCPP version."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id
from tests.acceptance.stored import rows
from tests.catalogue.recording import Tally
from tests.torture.stations.devices import BOOT_201, event201, inventory_of, row, status16, status201
from tests.torture.stations.sites import WITHIN_S, nothing_due, start_small, until_held, words_sent

OLD, NEW, MOVES = "LAYERS16", "LAYERS201", "MOVES1"


async def start(make_site: MakeSite, *lines: str) -> Site:
    site = await start_small(make_site, "UNUSED")
    await site.import_inventory(inventory_of(*lines))
    return site


async def hubs_hold(site: Site, station: str, *words: str) -> None:
    """Wait until Hubject holds these words of a station's EVSEs, *1, *2 and so on, at the same moment."""
    keys = [f"{evse_id(station)}*{number}" for number in range(1, len(words) + 1)]

    async def look() -> bool:
        state = await site.hubs["hubject"].state()
        return [state.get(key) for key in keys] == list(words)

    await until(look, WITHIN_S, f"Hubject holds {words} of {station}")


@pytest.mark.row("T62")
@pytest.mark.parametrize("word", ["Unavailable", "Faulted"])
async def test_connector_0_takes_every_evse_along_and_gives_it_back_without_a_word_of_the_connectors(
    make_site: MakeSite, tally: Tally, word: str
) -> None:
    site = await start(make_site, *(row(OLD, "1.6", None, n, f"*{n}") for n in (1, 2, 3)))
    async with ScriptedStation(site.ocpp_url, OLD) as station:
        await station.boot()
        for connector, status in enumerate(("Preparing", "Available", "Reserved"), start=1):
            await station.report(status, connector)
        await hubs_hold(site, OLD, "Occupied", "Available", "Reserved")
        await station.call("StatusNotification", status16(0, word))
        await hubs_hold(site, OLD, "OutOfService", "OutOfService", "OutOfService")
        await station.call("StatusNotification", status16(0, "Available"))
        await hubs_hold(site, OLD, "Occupied", "Available", "Reserved")
    tally.count(faults=1, statuses_answered=5)


def evse_of_two(station: str) -> list[str]:
    return [row(station, "2.0.1", 1, connector) for connector in (1, 2)]


@pytest.mark.row("T63")
async def test_an_evse_is_occupied_while_one_of_its_connectors_is(make_site: MakeSite, tally: Tally) -> None:
    site = await start(make_site, *evse_of_two(NEW))
    async with ScriptedStation(site.ocpp_url, NEW, subprotocol="ocpp2.0.1") as station:
        await station.call("BootNotification", BOOT_201)
        for connector in (1, 2):
            await station.call("StatusNotification", status201(1, connector, "Available"))
        await until_held(site, NEW, "Available")
        for connector in (1, 2):
            await station.call("StatusNotification", status201(1, connector, "Occupied"))
            await until_held(site, NEW, "Occupied")
            await station.call("StatusNotification", status201(1, connector, "Available"))
            await until_held(site, NEW, "Available")
    assert await words_sent(site, NEW) == ["Unknown", *["Available", "Occupied"] * 2, "Available"]
    tally.count(faults=2, statuses_answered=6)


@pytest.mark.row("T64")
async def test_events_alone_and_mixed_with_status_notifications_mean_the_same(
    make_site: MakeSite, tally: Tally
) -> None:
    site = await start(make_site, row(NEW, "2.0.1", 1, 1))
    steps = ["Occupied", "Faulted", "Reserved", "Unavailable", "Occupied"]
    words = ["Occupied", "OutOfService", "Reserved", "OutOfService", "Occupied"]
    ways = {"NotifyEvent": event201, "StatusNotification": status201}
    async with ScriptedStation(site.ocpp_url, NEW, subprotocol="ocpp2.0.1") as station:
        await station.call("BootNotification", BOOT_201)
        for status, word in zip(steps, words, strict=True):
            await station.call("NotifyEvent", event201(1, 1, status))
            await until_held(site, NEW, word)
        for number, (status, word) in enumerate(zip(steps[1:], words[1:], strict=True)):
            action = list(ways)[number % 2]
            await station.call(action, ways[action](1, 1, status))
            await until_held(site, NEW, word)
            other = list(ways)[(number + 1) % 2]
            await station.call(other, ways[other](1, 1, status))
        await until(lambda: nothing_due(site), WITHIN_S, "everything acknowledged")
    assert await words_sent(site, NEW) == ["Unknown", *words, *words[1:]], "said twice, told once"
    tally.count(faults=4, statuses_answered=13)


@pytest.mark.row("T65")
async def test_a_firmware_that_moves_to_another_version_leaves_no_ghost_of_the_old_one(
    make_site: MakeSite, tally: Tally
) -> None:
    """Connector 0 was faulted under 1.6, connector 2 reserved: under 2.0.1 nobody would ever take that back."""
    site = await start(make_site, *(row(MOVES, "1.6", None, n, f"*{n}") for n in (1, 2)))
    async with ScriptedStation(site.ocpp_url, MOVES) as station:
        await station.boot()
        await station.report("Charging", 1)
        await station.report("Reserved", 2)
        await station.call("StatusNotification", status16(0, "Faulted"))
        await hubs_hold(site, MOVES, "OutOfService", "OutOfService")
    async with ScriptedStation(site.ocpp_url, MOVES, subprotocol="ocpp2.0.1") as station:
        await station.call("BootNotification", BOOT_201)
        assert facts(site) == [(0, 0), (0, 1), (0, 2)], "a boot alone retires nothing"
        await station.call("StatusNotification", status201(1, 1, "Occupied"))
        await hubs_hold(site, MOVES, "Unknown", "Unknown")
        await site.import_inventory(inventory_of(*(row(MOVES, "2.0.1", n, 1, f"*{n}") for n in (1, 2))))
        await hubs_hold(site, MOVES, "Occupied", "Unknown")
    async with ScriptedStation(site.ocpp_url, MOVES, subprotocol="ocpp2.0.1") as station:
        await station.call("StatusNotification", status201(2, 1, "Available"))
        await hubs_hold(site, MOVES, "Occupied", "Available")
    assert facts(site) == [(1, 1), (2, 1)]
    tally.count(faults=1, statuses_answered=5)


def facts(site: Site) -> list[tuple[object, ...]]:
    return rows(site.database_url, "SELECT ocpp_evse, ocpp_connector FROM fact ORDER BY ocpp_evse, ocpp_connector")
