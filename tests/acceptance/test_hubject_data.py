"""Hubject wants an EVSE's data before its status: both are there, one bad EVSE stops nobody, and off is as before."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import KEY, ScriptedStation, evse_id

DATA, STATUS = "eRoamingPushEvseData", "eRoamingPushEvseStatus"
DEFAULTS = """
[hubject.defaults]
ChargingStationNames = [{ lang = "en", value = "EUREF Campus" }]
GeoCoordinates = { Google = { Coordinates = "52.480495 13.356465" } }
Plugs = ["Type 2 Outlet"]
ChargingFacilities = [{ PowerType = "AC_3_PHASE", Power = 22 }]
RenewableEnergy = true
CalibrationLawDataAvailability = "Local"
AuthenticationModes = ["NFC RFID Classic", "REMOTE"]
PaymentOptions = ["Contract"]
ValueAddedServices = ["None"]
Accessibility = "Free publicly accessible"
HotlinePhoneNumber = "+49305132787"
IsOpen24Hours = true
IsHubjectCompatible = true
DynamicInfoAvailable = "true"
Address = { Country = "DEU", City = "Berlin", Street = "EUREF Campus", PostalCode = "10829", HouseNum = "22" }
"""
UNREGISTERED = "DE*SUB*E1"
"""Of a sub-operator that Hubject does not know: it refuses this EVSE with 018."""


def listing(*ids: str) -> str:
    return DEFAULTS + "".join(f'[[hubject.evse]]\nEvseID = "{id_}"\n' for id_ in ids)


def inventory(stations: list[str]) -> str:
    rows = [f"{station},1.6,{KEY},1,{evse_of(station)},demo\n" for station in stations]
    return "station,version,key,connector,evse_id,operator\n" + "".join(rows)


def evse_of(station: str) -> str:
    return UNREGISTERED if station == "SUB" else evse_id(station)


async def started(make_site: MakeSite, **settings: str) -> Site:
    site = make_site(STATUS__AVAILABLE_HOLD="0 s", **settings)
    await site.start_hubs("--needs-data")
    await site.start_bridge()
    return site


async def report(site: Site, stack: AsyncExitStack, *stations: str) -> None:
    for name in stations:
        station = await stack.enter_async_context(ScriptedStation(site.ocpp_url, name))
        await station.boot()
        await station.report("Available")


async def holds(site: Site, *, data: set[str], statuses: dict[str, str], what: str) -> None:
    hub = site.hubs["hubject"]

    async def agreed() -> bool:
        return set(await hub.documents("evse_data")) == data and await hub.state() == statuses

    await until(agreed, 15, what)


async def accepted(site: Site) -> list[tuple[str, str]]:
    """Return operation and action of every request that Hubject took, oldest first."""
    journal = await site.hubs["hubject"].journal()
    taken = [entry for entry in journal if entry["code"] == "000"]
    return [(entry["operation"].partition(" of ")[0], entry["action"]) for entry in taken]


async def refused(site: Site, evse: str, why: str) -> bool:
    found = (await deliveries(site))[evse]
    return found["state"] == "refused" and str(found["why"]).startswith(why)


async def deliveries(site: Site) -> dict[str, dict[str, Any]]:
    return {evse["evse_id"]: evse["deliveries"]["hubject"] for evse in await site.evses()}


@pytest.mark.timeout(60)
async def test_data_goes_first_a_bad_evse_is_parked_and_what_is_removed_is_withdrawn(make_site: MakeSite) -> None:
    one, two, three = (evse_id(name) for name in ("D1", "D2", "D3"))
    site = await started(make_site, ACCOUNTS__HUBJECT__EVSE_DATA="true", ACCOUNTS__HUBJECT__SUB_OPERATOR_IDS="DE*SUB")
    imported = await site.order("listings", {"toml": listing(one, two)})
    assert imported["listings_added"] == [f"evse_data {one}", f"evse_data {two}"]
    assert f"{one} is not in the inventory: its data is sent once it is" in imported["warnings"]
    await site.import_inventory(inventory(["D1", "D2"]))

    async with AsyncExitStack() as stack:
        await report(site, stack, "D1", "D2")
        available = {one: "Available", two: "Available"}
        await holds(site, data={one, two}, statuses=available, what="two EVSEs with data and status")
        assert await accepted(site) == [(DATA, "fullLoad"), (STATUS, "fullLoad")]

        await site.import_inventory(inventory(["D1", "D2", "D3", "SUB"]))
        await report(site, stack, "D3", "SUB")
        await until(lambda: refused(site, three, "603 "), 10, "the status of an EVSE without data is refused")
        await site.order("listings", {"toml": listing(UNREGISTERED, three)})
        available[three] = "Available"
        await holds(site, data={one, two, three}, statuses=available, what="a new EVSE beside one that is refused")
        assert (await accepted(site))[-2:] == [(DATA, "insert"), (STATUS, "insert")]
        assert (await deliveries(site))[UNREGISTERED]["acked"] is None

        await site.order("inventory", {"csv": inventory(["D1", "D3", "SUB"]), "prune": True, "yes": True})
        del available[two]
        await holds(site, data={one, three}, statuses=available, what="a removed EVSE is gone from both")
        broken = {violation["what"] for violation in await site.hubs["hubject"].violations()}
        assert broken == {f"EVSEs of another operator: ['{UNREGISTERED}']"}


@pytest.mark.timeout(60)
async def test_without_evse_data_only_statuses_are_sent_and_none_of_another_operator(make_site: MakeSite) -> None:
    site = make_site(STATUS__AVAILABLE_HOLD="0 s")
    await site.start_hubs()
    await site.start_bridge()
    await site.order("listings", {"toml": listing(evse_id("D1"))})
    imported = await site.order("inventory", {"csv": inventory(["D1", "SUB"])})
    assert any(UNREGISTERED in warning for warning in imported["warnings"])
    async with AsyncExitStack() as stack:
        await report(site, stack, "D1", "SUB")
        await holds(site, data=set(), statuses={evse_id("D1"): "Available"}, what="the status alone")
        why = "its id does not belong to DE*ABC or a sub-operator: it was not sent"
        await until(lambda: refused(site, UNREGISTERED, why), 5, "the foreign EVSE shows why it is not sent")
    assert await accepted(site) == [(STATUS, "fullLoad")]
    assert await site.hubs["hubject"].violations() == [], "nothing of another operator was sent"
