"""A station that nobody announced: refused and visible, then in quarantine, then mapped by one command."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import READY_S, FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id

STATION = "NEW1"
POLICY_VIOLATION = 1008
WITHIN_S = 20.0


async def refused(site: Site) -> int:
    with pytest.raises(InvalidStatus) as caught:
        async with ScriptedStation(site.ocpp_url, STATION):
            pass
    return caught.value.response.status_code


async def test_an_unknown_station_is_visible_and_one_command_lets_its_status_reach_a_hub(
    make_site: MakeSite, database_url: str | None
) -> None:
    site = make_site(database_url)
    await site.start_hubs()
    await site.start_bridge()
    assert await refused(site) == 404
    [attempt] = (await site.document("station", "attempts"))["items"]
    assert (attempt["station"], attempt["status"], attempt["reason"]) == (STATION, 404, "unknown charging station")
    assert "quarantine" in attempt["what_to_do"]
    assert (await site.document("status"))["refused_stations"] == 1

    assert await site.stop_bridge() == 0
    site.set(OCPP__UNKNOWN_STATIONS="quarantine")
    await site.start_bridge()
    async with ScriptedStation(site.ocpp_url, STATION) as guest:
        assert (await guest.boot())["status"] == "Pending"
        [item] = (await site.document("quarantine", "list"))["items"]
        assert (item["station"], item["vendor"], item["connected"]) == (STATION, "scripted", True)
        order = ("--evse", evse_id(STATION), "--operator", "demo", "--generate-key")
        key = (await site.document("quarantine", "map", STATION, *order))["key"]
        assert await guest.closed(WITHIN_S) == POLICY_VIOLATION

    assert await refused(site) == 401
    async with ScriptedStation(site.ocpp_url, STATION, key) as station:
        assert (await station.boot())["status"] == "Accepted"
        await station.report("Charging")

        async def told() -> bool:
            return (await site.hubs["hubject"].state()).get(evse_id(STATION)) == "Occupied"

        await until(told, WITHIN_S, "Hubject has the station's status")
    await site.assert_rules_kept()
    assert (await site.document("quarantine", "list"))["items"] == []
    assert key not in site.bridge.log.read_text(encoding="utf-8")


async def test_quarantine_survives_a_restart(make_site: MakeSite) -> None:
    site = make_site(OCPP__UNKNOWN_STATIONS="quarantine")
    await site.start_hubs()
    await site.start_bridge()
    async with ScriptedStation(site.ocpp_url, STATION) as guest:
        await guest.boot()
    assert await site.stop_bridge() == 0
    [item] = (await site.document("quarantine", "list"))["items"]
    assert (item["station"], item["vendor"], item["connected"]) == (STATION, "scripted", False)


async def test_what_a_bench_s_stations_reported_before_their_import_reaches_both_hubs(make_site: MakeSite) -> None:
    site, plan = make_site(OCPP__UNKNOWN_STATIONS="accept"), FleetPlan(stations=12)
    await site.start_hubs()
    await site.start_bridge()
    await site.start_fleet(plan)
    await until(site.fleet.all_connected, READY_S, "every station connected")
    await site.fleet.rest()
    status = await site.document("status")
    assert (status["stations"], status["evses"]) == (12, 0)
    await site.import_inventory(plan.inventory)
    await site.assert_hubs_agree()
