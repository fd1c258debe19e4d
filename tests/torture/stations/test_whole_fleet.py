"""A whole fleet drops and returns at once: all are back after one try each, and hubs are told what changed, no more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import KEY, ScriptedStation, evse_id
from tests.acceptance.stored import assert_nothing_lost
from tests.catalogue.recording import Tally
from tests.torture.stations import effort
from tests.torture.stations.intruders import enough_files
from tests.torture.stations.sites import half_a_day_away, nothing_due, only_hubject, until_held

CHANGED = "CHANGED1"
MINUTE_S = 60.0
"""In the stations' own time: long enough that each tells all of its statuses when it is back."""


async def start(make_site: MakeSite, stations: int, within: float) -> Site:
    """Start a fleet that is at rest, beside one scripted station, with everything told to the hub."""
    plan = FleetPlan(stations=stations, seed=51, scenario="calm", speed=1.0)
    site = make_site(
        ACCOUNTS__HUBJECT__FULL_LOAD="auto",
        ACCOUNTS__HUBJECT__FULL_LOAD_AT=half_a_day_away(),
        PUSH__TOTAL_TIMEOUT="15 s",
        OCPP__MAX_HANDSHAKES_PER_ADDRESS="20000",  # every station of the test comes from one address
    )
    only_hubject(site)
    await site.start_hubs()
    await site.start_bridge()
    file = site.folder / "stations.csv"
    file.write_text(plan.inventory + f"{CHANGED},1.6,{KEY},1,,1,{evse_id(CHANGED)},demo,,\n", encoding="utf-8")
    code, said = await site.run("inventory", "import", str(file), "--yes", within=within)
    assert code == 0, said
    await site.start_fleet(plan)

    async def all_came() -> bool:
        return bool((await numbers(site))["connections"] >= stations)

    await until(all_came, within, "every station connected")
    await at_rest(site, within)
    return site


async def at_rest(site: Site, within: float) -> None:
    """Bring the fleet to rest, have everything answered, and the hub told."""
    await site.fleet.rest(min(within, 300))
    await until(lambda: told_of_the_fleet(site), within, "the hub holds what the fleet's journal says", every=0.1)
    await until(lambda: nothing_due(site), within, "everything acknowledged")


async def told_of_the_fleet(site: Site) -> bool:
    state = await site.hubs["hubject"].state()
    return all(state.get(evse) == word for evse, word in (await site.fleet.expected("hubject")).items())


async def numbers(site: Site) -> dict[str, Any]:
    found = await site.fleet.summary()
    return {name: found[name] for name in ("connections", "refusals", "reports", "answered", "errors")}


@pytest.mark.row("T51")
@pytest.mark.parametrize(
    ("stations", "within"),
    [
        pytest.param(120, 40.0, id="120"),
        pytest.param(
            effort.stations(2_000), 600.0, id="thousands", marks=[pytest.mark.long, pytest.mark.timeout(3600)]
        ),
    ],
)
async def test_a_fleet_that_drops_and_returns_at_once_is_back_at_once_and_only_what_changed_is_told(
    make_site: MakeSite, tally: Tally, stations: int, within: float
) -> None:
    enough_files(2 * stations + 1_000)
    site = await start(make_site, stations, within)
    hub = site.hubs["hubject"]
    async with ScriptedStation(site.ocpp_url, CHANGED) as station:
        await station.boot()
        await station.report("Charging")
        await until_held(site, CHANGED, "Occupied")
    await until(lambda: nothing_due(site), within, "everything acknowledged")
    told, before = await hub.last(), await numbers(site)

    assert len(await site.fleet.lose(MINUTE_S)) == stations
    await at_rest(site, within)
    after = await numbers(site)
    assert after["connections"] == before["connections"] + stations, "one connection each"
    assert after["reports"] >= before["reports"] + stations, "each has told its statuses again"
    assert (after["errors"], after["refusals"]) == (before["errors"], before["refusals"])
    assert await hub.journal(told) == [], "nothing has changed"

    await site.fleet.lose(MINUTE_S)
    async with ScriptedStation(site.ocpp_url, CHANGED) as station:
        await station.report("Faulted")
        await at_rest(site, within)
        await until_held(site, CHANGED, "OutOfService")
    new = [record for entry in await hub.journal(told) for record in entry["records"]]
    assert new == [[evse_id(CHANGED), "OutOfService"]]
    assert await site.stop_bridge() == 0
    compared = assert_nothing_lost(site.journal, site.database_url)
    tally.count(faults=2 * stations, statuses_answered=compared, requests=await hub.last())


@pytest.mark.row("T51")
async def test_a_restart_in_the_middle_of_the_storm_loses_nothing_and_tells_nothing(
    make_site: MakeSite, tally: Tally
) -> None:
    stations, within = 80, 40.0
    site = await start(make_site, stations, within)
    hub = site.hubs["hubject"]
    told, before = await hub.last(), await numbers(site)
    await site.fleet.lose(MINUTE_S)

    async def some_are_back() -> bool:
        return bool((await numbers(site))["connections"] >= before["connections"] + stations // 5)

    await until(some_are_back, within, "a fifth of the stations is back", every=0.005)
    site.kill_bridge()
    compared = assert_nothing_lost(site.journal, site.database_url)
    await site.start_bridge()
    await until(site.fleet.all_connected, within, "every station connected again")
    await at_rest(site, within)
    after = await numbers(site)
    assert before["connections"] + stations < after["connections"] <= before["connections"] + 2 * stations
    assert await hub.journal(told) == [], "nothing has changed"
    tally.count(faults=stations, kills=1, statuses_answered=compared, requests=await hub.last())
