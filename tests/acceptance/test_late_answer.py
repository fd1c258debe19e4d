"""A hub applies a request long after we gave up on it, over a newer value: the truth wins when the doubt ends.

Whether we gave up because no answer came in time, or because the bridge was killed while it waited, is the same doubt.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.controls import HUBS
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id, inventory

STATION = "LATE1"
KEYS = {"hubject": evse_id(STATION), "chargeprice": f"{STATION}-site/{STATION}-point"}
AVAILABLE = {"hubject": "Available", "chargeprice": "available"}
CHARGING = {"hubject": "Occupied", "chargeprice": "occupied"}
FAULTED = {"hubject": "OutOfService", "chargeprice": "maintainance"}


@pytest.mark.row("T29", "T32")
async def test_a_late_application_of_an_older_value_is_healed_once_the_doubt_ends(make_site: MakeSite) -> None:
    late_s, doubt_s = 2.0, 3.0  # the late request lands after the newer value was acknowledged, and within the doubt
    site = make_site(PUSH__TOTAL_TIMEOUT="0.4 s", PUSH__DOUBT=f"{doubt_s} s", ACCOUNTS__HUBJECT__FULL_LOAD="never")
    await start(site)
    async with ScriptedStation(site.ocpp_url, STATION) as station:
        before = await charge_while_the_hubs_are_late(site, station, late_s)
        await station.report("Faulted")
        await both_hold(site, FAULTED, late_s)
        await both_hold(site, CHARGING, late_s + 2)
        await both_hold(site, FAULTED, doubt_s + 5)
    await assert_healed(site, before)


@pytest.mark.kill
async def test_what_a_killed_bridge_had_in_flight_is_healed_as_well_when_a_hub_applies_it_late(
    make_site: MakeSite,
) -> None:
    late_s, doubt_s = 15.0, 20.0  # in between the bridge starts again, which takes long on a busy machine
    site = make_site(PUSH__TOTAL_TIMEOUT="15 s", PUSH__DOUBT=f"{doubt_s} s", ACCOUNTS__HUBJECT__FULL_LOAD="never")
    await start(site)
    async with ScriptedStation(site.ocpp_url, STATION) as station:
        before = await charge_while_the_hubs_are_late(site, station, late_s)
        site.kill_bridge()
    await site.start_bridge()
    async with ScriptedStation(site.ocpp_url, STATION) as station:
        await station.report("Faulted")
        await both_hold(site, FAULTED, late_s)
        await both_hold(site, CHARGING, late_s + 2)
        await both_hold(site, FAULTED, doubt_s + 5)
    await assert_healed(site, before)


async def start(site: Site) -> None:
    await site.start_hubs()
    await site.start_bridge()
    await site.import_inventory(inventory(STATION))


async def charge_while_the_hubs_are_late(site: Site, station: ScriptedStation, late_s: float) -> dict[str, int]:
    """Let both hubs receive Charging without an answer, and return the number of each one's request before it."""
    assert (await station.boot())["status"] == "Accepted"
    await station.report("Available")
    await both_hold(site, AVAILABLE, 10)
    before = {name: await site.hubs[name].last() for name in HUBS}
    for hub in site.hubs.values():
        await hub.script(kind="late", count=1, delay_s=late_s)
    await station.report("Charging")
    for name in HUBS:
        await until(lambda name=name: site.hubs[name].journal(before[name]), 5, f"the late request at {name}")
    return before


async def assert_healed(site: Site, before: Mapping[str, int]) -> None:
    """Check in each hub's journal that the late request overwrote a newer value, and was overwritten in turn."""
    for name in HUBS:
        late, *newer = await site.hubs[name].journal(before[name])
        assert late["records"] == [[KEYS[name], CHARGING[name]]]
        assert late["http"] is None
        truth = [[KEYS[name], FAULTED[name]]]
        assert truth in [entry["records"] for entry in newer if entry["applied_order"] < late["applied_order"]]
        assert newer[-1]["records"] == truth
        assert newer[-1]["applied_order"] > late["applied_order"]
    await site.assert_rules_kept()


async def both_hold(site: Site, words: Mapping[str, str], within: float) -> None:
    """Wait until both hubs hold their word at the same moment."""

    async def look() -> bool:
        return all([(await site.hubs[name].state()).get(KEYS[name]) == words[name] for name in HUBS])

    await until(look, within, f"{words} at the hubs")
