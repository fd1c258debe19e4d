"""Chargeprice takes our key no more: the account is held and says so, and goes on once the key's file has a new one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import ROOT, Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id, inventory

STATIONS = ("KEY1", "KEY2")
EVSES = tuple(f"{station}-site/{station}-point" for station in STATIONS)
OLD, NEW = "demo-key", "the-key-of-2027"


async def site_of(make_site: MakeSite) -> tuple[Site, Path]:
    """Start a bridge whose key for Chargeprice is in a file."""
    site = make_site(STATUS__AVAILABLE_HOLD="0 s")
    key = site.folder / "chargeprice.key"
    key.write_text(OLD, encoding="utf-8")
    demo = (ROOT / "config" / "demo" / "bridge.toml").read_text(encoding="utf-8")
    lines = [f'api_key_file = "{key}"' if line.startswith("api_key =") else line for line in demo.splitlines()]
    site.configure("\n".join(lines))
    await site.start_hubs()
    await site.start_bridge()
    for station in STATIONS:
        await site.import_inventory(inventory(station))
    return site, key


async def holds(site: Site, hub: str, words: dict[str, str]) -> None:
    async def look() -> bool:
        return await site.hubs[hub].state() == words

    await until(look, 15, f"{words} at {hub}")


@pytest.mark.row("T37")
async def test_a_revoked_key_holds_its_account_alone_and_its_successor_is_used_without_a_restart(
    make_site: MakeSite,
) -> None:
    site, key = await site_of(make_site)
    async with ScriptedStation(site.ocpp_url, STATIONS[0]) as one, ScriptedStation(site.ocpp_url, STATIONS[1]) as two:
        for station in (one, two):
            await station.boot()
            await station.report("Available")
        await holds(site, "chargeprice", dict.fromkeys(EVSES, "available"))
        before, pid = await site.hubs["chargeprice"].last(), site.bridge.pid
        await site.hubs["chargeprice"].configure(api_keys=[NEW])
        # The first refusal may be one EVSE's own (ADR 7): only a second one's holds the account.
        await one.report("Charging")
        await two.report("Charging")
        await until(lambda: held(site), 10, "an account that is held, on every surface")
        assert "HTTP 403" in (await site.run("status"))[1]
        for status in ("Reserved", "Faulted", "Charging", "Faulted"):
            await one.report(status)
            await two.report(status)
        await holds(site, "hubject", {evse_id(station): "OutOfService" for station in STATIONS})
        refused = await site.hubs["chargeprice"].journal(before)
        assert 2 <= len(refused) <= 3
        assert {entry["http"] for entry in refused} == {403}
        key.write_text(NEW, encoding="utf-8")
        await holds(site, "chargeprice", dict.fromkeys(EVSES, "maintainance"))
    assert site.bridge.pid == pid
    site.bridge.check()
    accepted = (await site.hubs["chargeprice"].journal(before))[len(refused) :]
    assert sorted((entry["http"], *entry["records"]) for entry in accepted) == [
        (204, [evse, "maintainance"]) for evse in EVSES
    ]
    said = site.bridge.log.read_text(encoding="utf-8")
    assert OLD not in said
    assert NEW not in said


async def held(site: Site) -> bool:
    (account,) = [item for item in (await site.ask("upstreams"))["items"] if item["name"] == "chargeprice"]
    component = json.loads(await site.page("/healthz"))["components"]["account chargeprice"]
    return (
        account["state"] == "held"
        and "HTTP 403" in account["held"]
        and component["status"] == "degraded"
        and "HTTP 403" in component["why"]
    )
