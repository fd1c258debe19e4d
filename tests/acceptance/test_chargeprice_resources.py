"""Chargeprice's stations, companies and valid_until, with real processes and the strict mock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import KEY, ScriptedStation

SOON_S = 10.0
COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
EMP = "2e49b853-36fc-47ed-9826-97828b5b2fdd"
SPAR = "20006f18-3ed4-4715-92b5-08e37e6dd18c"
BILLA = "30006f18-3ed4-4715-92b5-08e37e6dd18c"
ELSEWHERE = "40006f18-3ed4-4715-92b5-08e37e6dd18c"
"""UUIDs that sort in this order, which is that of the first requests."""

CONFIG = f"""
[ocpp]
host = "127.0.0.1"
id_tags = "accept"
[web]
host = "127.0.0.1"
[accounts.chargeprice]
kind = "chargeprice"
mode = "live"
base_url = "http://127.0.0.1:9"
company_id = "{COMPANY}"
api_key = "demo-key"
valid_until = true
[accounts.chargeprice.company]
name = "EnBW"
url = "http://www.energy.com"
is_cpo = true
is_emp = true
supported_emps = ["{EMP}"]
[accounts.chargeprice.company.external_source_mapping]
going_electric_names = ["EnBW"]
[operators.demo]
name = "Demo"
accounts = ["chargeprice"]
"""
INVENTORY = (
    "station,version,key,connector,evse_id,operator\n"
    f"ONE,1.6,{KEY},1,AT*ION*E1234,demo\n"
    f"TWO,1.6,{KEY},1,AT*ION*E2,demo\n"
    f"THREE,1.6,{KEY},1,AT*ION*E3,demo\n"
)
DEFAULTS = """
[chargeprice.defaults]
country = "AT"
status = "operational"
free_parking = true
free_charging = false
"""


ADDRESS = "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring"


def listed(uuid: str, name: str, evse_id: str, **fields: str) -> str:
    own = {"id": uuid, "name": name, "address": ADDRESS, **fields}
    return f"""
[[chargeprice.station]]
latitude = 10.0
longitude = 20.0
evses = [{{ evse_id = "{evse_id}", plug = "ccs", power = 50.0 }}]
""" + "".join(f"{field} = {json.dumps(value)}\n" for field, value in own.items())


async def started(make_site: MakeSite, **settings: str) -> Site:
    site = make_site(**settings)
    site.configure(CONFIG)
    await site.start_hubs()
    await site.start_bridge()
    await site.import_inventory(INVENTORY)
    return site


async def list_stations(site: Site, *stations: str, prune: bool = False) -> None:
    await site.order("listings", {"toml": DEFAULTS + "".join(stations), "prune": prune, "yes": True})


async def versions(site: Site, kind: str = "station") -> dict[str, int]:
    found = await site.hubs["chargeprice"].documents(kind)
    return {key: document["attributes"]["version"] for key, document in found.items()}


async def agreed(site: Site, wanted: dict[str, int], kind: str = "station") -> None:
    async def look() -> bool:
        return await versions(site, kind) == wanted and (await sync(site))["documents_agreed"] >= len(wanted)

    await until(look, SOON_S, f"{kind} at {wanted}")


async def sync(site: Site) -> Any:
    return await site.ask("upstreams/chargeprice/sync")


async def standings(site: Site) -> dict[str, str]:
    return {document["key"]: document["standing"] for document in (await sync(site))["documents"]}


async def test_stations_and_company_are_created_changed_and_healed(make_site: MakeSite) -> None:
    site = await started(make_site)
    hub = site.hubs["chargeprice"]
    spar = listed(SPAR, "Spar", "AT*ION*E1234")
    await list_stations(site, spar, listed(BILLA, "Billa", "AT*ION*E2"))
    await agreed(site, {SPAR: 1, BILLA: 1})
    await agreed(site, {COMPANY: 1}, "company")
    (company,) = (await hub.documents("company")).values()
    assert company["attributes"]["external_source_mapping"] == {"going_electric_names": ["EnBW"]}
    assert company["relationships"] == {"supported_emps": {"data": [{"type": "company", "id": EMP}]}}

    first = await hub.last()
    await list_stations(site, listed(SPAR, "Spar", "AT*ION*E1234", status="out_of_order"))
    await agreed(site, {SPAR: 2, BILLA: 1})
    changed = [entry for entry in await hub.journal(first) if entry["action"] == "station"]
    assert [(entry["records"], entry["http"]) for entry in changed] == [([[SPAR, "version 2"]], 200)]

    await hub.set(versions={BILLA: 5})
    await list_stations(site, listed(BILLA, "Billa", "AT*ION*E2", address="Lebring"))
    await agreed(site, {SPAR: 2, BILLA: 6})
    await hub.set(versions={BILLA: 7, SPAR: 3}, read_keys=["another-key"])
    await list_stations(site, listed(BILLA, "Billa", "AT*ION*E2"), spar)
    await agreed(site, {SPAR: 4, BILLA: 8})
    assert (await site.ask("upstreams"))["items"][0]["documents_held"] is None

    async def told() -> bool:
        return await hub.state() == {f"{SPAR}/AT*ION*E1234": "unknown", f"{BILLA}/AT*ION*E2": "unknown"}

    await until(told, SOON_S, "statuses of listed EVSEs under their stations")
    assert await hub.violations() == []


async def test_foreign_station_is_refused_and_shown_while_the_others_pass(make_site: MakeSite) -> None:
    site = await started(make_site)
    hub = site.hubs["chargeprice"]
    await hub.set(foreign_stations=[SPAR])
    await list_stations(site, listed(SPAR, "Spar", "AT*ION*E1234"), listed(BILLA, "Billa", "AT*ION*E2"))

    async def held() -> bool:
        return "stations: HTTP 403" in str((await sync(site))["documents_held"])

    await until(held, SOON_S, "the first answer is about the key for all that is known")
    code, said = await site.run("upstream", "sync", "chargeprice", "--yes")
    assert code == 0, said

    async def refused() -> bool:
        return (await standings(site)).get(SPAR) == "refused" and (await versions(site)) == {BILLA: 1}

    await until(refused, SOON_S, "the foreign one is refused, the other is there")
    code, said = await site.run("upstream", "sync", "chargeprice", "--dry-run")
    assert code == 0
    assert f"station {SPAR} (Spar): refused by the hub: stations: HTTP 403: FORBIDDEN api_key not authorized" in said
    assert (await sync(site))["documents_held"] is None


async def test_sync_shows_what_differs_and_deletion_is_on_request_only(make_site: MakeSite) -> None:
    site = await started(make_site)
    hub = site.hubs["chargeprice"]
    await list_stations(site, listed(SPAR, "Spar", "AT*ION*E1234"), listed(BILLA, "Billa", "AT*ION*E2"))
    await agreed(site, {SPAR: 1, BILLA: 1})
    await hub.script(kind="status", status=503, action=["station", "status"])
    await list_stations(site, listed(SPAR, "Spar", "AT*ION*E1234", address="Lebring"), prune=True)
    code, said = await site.run("upstream", "sync", "chargeprice", "--dry-run")
    assert code == 0
    assert f"station {SPAR} (Spar): changed" in said
    assert f'  attributes.address: "{ADDRESS}" → "Lebring"' in said
    assert f"station {BILLA} (Billa): no longer listed; stays at the hub until `upstream delete`" in said
    assert BILLA in await hub.documents("station")
    assert (await site.ask("upstreams/chargeprice/preview"))["documents"] == {"company": 0, "station": 1}

    code, said = await site.run("upstream", "delete", "chargeprice", "station", SPAR, "--yes")
    assert (code, f"station {SPAR} is still listed" in said) == (4, True)
    code, _ = await site.run("upstream", "delete", "chargeprice", "station", ELSEWHERE, "--yes")
    assert code == 3
    code, said = await site.run("upstream", "delete", "chargeprice", "station", BILLA, "--yes")
    assert code == 0, said
    await hub.heal()
    await agreed(site, {SPAR: 2})
    assert await hub.violations() == []


async def test_maintenance_is_told_with_its_end_and_ends_by_itself(make_site: MakeSite) -> None:
    site = await started(make_site)
    hub = site.hubs["chargeprice"]
    point = f"{SPAR}/AT*ION*E1234"
    await list_stations(site, listed(SPAR, "Spar", "AT*ION*E1234"))
    async with ScriptedStation(site.ocpp_url, "ONE") as station:
        await station.boot()
        await station.report("Available")
        await until(lambda: _holds(site, point, "available"), SOON_S, "the free EVSE")
        ends = datetime.now(UTC) + timedelta(seconds=5)
        wish = {"evse_ids": ["AT*ION*E1234"], "status": "MAINTENANCE", "valid_to": ends.isoformat()}
        await site.order("temporary-statuses", wish)
        await until(lambda: _holds(site, point, "maintainance"), SOON_S, "the maintenance")
        shown = next(item for item in await site.evses() if item["evse_id"] == "AT*ION*E1234")
        desired = shown["deliveries"]["chargeprice"]["desired"]
        assert desired == f"maintainance until {ends:%Y-%m-%d %H:%M:%S} UTC"
        site.kill_bridge()
    await until(lambda: _holds(site, point, "available"), SOON_S, "the hub ends it by itself")
    assert datetime.now(UTC) >= ends
    assert await hub.violations() == []


async def _holds(site: Site, point: str, word: str) -> bool:
    return (await site.hubs["chargeprice"].state()).get(point) == word
