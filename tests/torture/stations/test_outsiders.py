"""Stations that are not accepted yet, and stations that are removed: nothing that they say reaches a hub."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id, inventory
from tests.acceptance.stored import rows
from tests.catalogue.recording import Tally
from tests.torture.stations.devices import status16
from tests.torture.stations.sites import WITHIN_S, counted, nothing_due, start_small, until_held, words_sent

GUEST, NEVER_BOOTED, REMOVED, STAYS = "GUEST1", "NEVERBOOTED1", "REMOVED1", "STAYS1"
POLICY_VIOLATION = 1008


@pytest.mark.row("T66")
async def test_what_a_station_says_before_it_is_accepted_is_refused_and_pushed_nowhere(
    make_site: MakeSite, tally: Tally
) -> None:
    settings = {"OCPP__UNKNOWN_STATIONS": "quarantine", "OCPP__SETTLE": "10 min", "OCPP__SETTLE_AFTER_BOOT": "10 min"}
    site = await start_small(make_site, NEVER_BOOTED, **settings)
    await until(lambda: nothing_due(site), WITHIN_S, "everything acknowledged")
    told = await site.hubs["hubject"].last()
    async with (
        ScriptedStation(site.ocpp_url, GUEST) as guest,
        ScriptedStation(site.ocpp_url, NEVER_BOOTED) as station,
    ):
        assert (await guest.boot())["status"] == "Pending"
        for one in (guest, station):
            for status in ("Charging", "Faulted", "Available"):
                with pytest.raises(AssertionError, match="CALLERROR SecurityError"):
                    await one.call("StatusNotification", status16(1, status))
        assert rows(site.database_url, "SELECT count(*) FROM fact") == [(0,)]
        assert await site.hubs["hubject"].last() == told
        assert (await station.boot())["status"] == "Accepted"
        await station.report("Charging")
        await until_held(site, NEVER_BOOTED, "Occupied")
        assert (await guest.boot())["status"] == "Pending"
    tally.count(faults=6, statuses_answered=1)


@pytest.mark.row("T67")
async def test_a_station_that_is_removed_while_it_talks_is_closed_and_every_hub_is_told_farewell(
    make_site: MakeSite, tally: Tally
) -> None:
    site = await start_small(make_site, REMOVED, STAYS)
    async with (
        ScriptedStation(site.ocpp_url, REMOVED) as removed,
        ScriptedStation(site.ocpp_url, STAYS) as stays,
    ):
        for station in (removed, stays):
            await station.boot()
            await station.report("Charging")
        await until_held(site, REMOVED, "Occupied")
        await until(lambda: nothing_due(site), WITHIN_S, "everything acknowledged")
        before = {name: await hub.last() for name, hub in site.hubs.items()}
        await site.order("inventory", {"csv": inventory(STAYS), "prune": True, "yes": True})
        assert await removed.closed(WITHIN_S) == POLICY_VIOLATION
        with pytest.raises(InvalidStatus) as refused:
            async with ScriptedStation(site.ocpp_url, REMOVED):
                pass
        assert refused.value.response.status_code == 404
        await until(lambda: nothing_due(site), WITHIN_S, "everything acknowledged")
        await stays.report("Faulted")
        await until_held(site, STAYS, "OutOfService")
    assert evse_id(REMOVED) not in await site.hubs["hubject"].state()
    assert await farewells(site, before) == {"hubject": ["delete"], "chargeprice": ["unknown"]}
    assert await words_sent(site, STAYS, before["hubject"]) == ["OutOfService"]
    assert await counted(site, "handshake_refused_404") == 1
    tally.count(faults=1)


async def farewells(site: Site, before: dict[str, int]) -> dict[str, list[str]]:
    """Return what each hub was told of the removed EVSE: Hubject by its action, Chargeprice by its word."""
    hubject = await site.hubs["hubject"].journal(before["hubject"])
    chargeprice = await site.hubs["chargeprice"].journal(before["chargeprice"])
    point = f"{REMOVED}-site/{REMOVED}-point"
    return {
        "hubject": [entry["action"] for entry in hubject if evse_id(REMOVED) in dict(entry["records"])],
        "chargeprice": [word for entry in chargeprice for key, word in entry["records"] if key == point],
    }
