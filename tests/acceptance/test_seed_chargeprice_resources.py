"""The user's documents on Chargeprice's stations and companies: their example requests and each of their answers.

Source: Chargeprice API, PUT /v2/charging_stations/:charging_station_id and PUT /v1/companies/:company_id. The example
of the company page has a comma too many to be JSON.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.recording import RecordingHub, Scripted
from tests.acceptance.scripted import KEY

STATION = "20006f18-3ed4-4715-92b5-08e37e6dd18c"
COMPANY = "ae62cd2d-f29d-4107-b087-6d4f75261cca"
EMP = "2e49b853-36fc-47ed-9826-97828b5b2fdd"
STATION_PATH = f"/v2/charging_stations/{STATION}"
COMPANY_PATH = f"/v1/companies/{COMPANY}"

CONFIG = f"""
[ocpp]
id_tags = "reject"
[accounts.chargeprice]
kind = "chargeprice"
mode = "live"
base_url = "{{url}}"
company_id = "{COMPANY}"
api_key = "my-secret-key"
[accounts.chargeprice.company]
name = "EnBW"
url = "http://www.energy.com"
is_cpo = true
is_emp = true
supported_emps = ["{EMP}"]
[accounts.chargeprice.company.external_source_mapping]
going_electric_names = ["EnBW"]
[operators.ella]
name = "ELLA"
accounts = ["chargeprice"]
"""
INVENTORY = f"station,version,key,connector,evse_id,operator\nION1,1.6,{KEY},1,AT*ION*E1234,ella\n"
LISTING = """
[[chargeprice.station]]
id = "20006f18-3ed4-4715-92b5-08e37e6dd18c"
name = "Spar"
latitude = 10.0
longitude = 20.0
country = "AT"
address = "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring"
free_parking = true
free_charging = false
status = "operational"
replaces = "1a006f18-3ed4-4715-92b5-08e37e6dd183"
evses = [{ evse_id = "AT*ION*E1234", plug = "ccs", power = 50.0, count = 2 }]
"""

STATION_REQUEST = {
    "data": {
        "id": STATION,
        "type": "charging_station",
        "attributes": {
            "name": "Spar",
            "version": 1,
            "latitude": 10.0,
            "longitude": 20.0,
            "country": "AT",
            "address": "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring",
            "free_parking": True,
            "free_charging": False,
            "status": "operational",
            "charge_points": [{"plug": "ccs", "power": 50.0, "count": 2, "evse_ids": ["AT*ION*E1234"]}],
        },
        "relationships": {"operator": {"data": {"type": "company", "id": COMPANY}}},
        "meta": {"replaces_charging_staton_id": "1a006f18-3ed4-4715-92b5-08e37e6dd183"},
    }
}
STATION_ANSWER = {
    "data": {
        "id": STATION,
        "type": "charging_station",
        "attributes": {
            "name": "Spar",
            "version": 1,
            "latitude": 10.0,
            "longitude": 20.0,
            "country": "AT",
            "address": "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring",
            "free_parking": True,
            "free_charging": False,
            "evse_ids": ["AT*ION*E1234"],
            "charge_points": [{"plug": "ccs", "power": 50.0, "count": 2, "available_count": None}],
        },
        "relationships": {"operator": {"data": {"type": "company", "id": COMPANY}}},
    },
    "included": [{"id": COMPANY, "type": "company", "attributes": {"name": "ELLA"}}],
}
COMPANY_REQUEST = {
    "data": {
        "id": COMPANY,
        "type": "company",
        "attributes": {
            "name": "EnBW",
            "version": 1,
            "url": "http://www.energy.com",
            "is_cpo": True,
            "is_emp": True,
            "external_source_mapping": {"going_electric_names": ["EnBW"]},
        },
        "relationships": {"supported_emps": {"data": [{"type": "company", "id": EMP}]}},
    }
}
COMPANY_ANSWER = {
    "data": {
        "id": COMPANY,
        "type": "company",
        "attributes": {
            "name": "EnBW",
            "created_at": 1546297200000,
            "updated_at": 1546297200000,
            "version": 1,
            "url": "http://www.energy.com",
            "is_cpo": True,
            "is_emp": True,
            "external_source_mapping": {
                "plugsurfing_ids": None,
                "going_electric_names": ["EnBW"],
                "going_electric_charge_card_ids": None,
                "google_sheet_names": None,
                "open_charge_map_operator_ids": None,
            },
        },
        "relationships": {"supported_emps": {"data": [{"type": "company", "id": EMP}]}},
    }
}


def error(status: int, code: str, title: str) -> Scripted:
    return Scripted(status, {"errors": [{"status": str(status), "code": code, "title": title}]})


ANSWERS = [
    pytest.param(error(400, "BAD_REQUEST", "..."), "refused", "BAD_REQUEST", id="400 Bad Request"),
    pytest.param(error(403, "FORBIDDEN", "api_key missing"), "held", "api_key missing", id="403 Forbidden"),
    pytest.param(error(409, "VERSION_CONFLICT", "Version conflict"), "refused", "VERSION_CONFLICT", id="409 Conflict"),
    pytest.param(error(500, "INTERNAL_SERVER_ERROR", "some error"), "deferred", "some error", id="500"),
]


@asynccontextmanager
async def hub_of_the_documents() -> AsyncIterator[RecordingHub]:
    """Answer both pages' success; statuses with 204, and reads as a key does that may not read."""
    async with RecordingHub(Scripted(204)) as hub:
        hub.routes = {
            ("PUT", STATION_PATH): Scripted(201, STATION_ANSWER),
            ("PUT", COMPANY_PATH): Scripted(201, COMPANY_ANSWER),
            ("GET", "/v1/companies"): error(403, "FORBIDDEN", "not for this key"),
            ("GET", f"/v1/charging_stations/{STATION}"): error(403, "FORBIDDEN", "not for this key"),
        }
        yield hub


async def started(make_site: MakeSite, hub: RecordingHub) -> Site:
    site = make_site()
    site.configure(CONFIG.format(url=hub.url))
    await site.start_bridge()
    await site.import_inventory(INVENTORY)
    await site.order("listings", {"toml": LISTING})
    return site


async def standing(site: Site) -> dict[str, Any]:
    """Return what the bridge shows of the account: held or not, and what its documents stand at."""
    return dict(await site.ask("upstreams/chargeprice/sync"))


async def test_the_example_requests_of_both_documents_reach_chargeprice_to_the_letter(make_site: MakeSite) -> None:
    async with hub_of_the_documents() as hub:
        site = await started(make_site, hub)
        await until(lambda: hub.requests_to("PUT", STATION_PATH), 10, "the station's request")
        (station,) = hub.requests_to("PUT", STATION_PATH)
        assert station.body == STATION_REQUEST
        assert (station.headers["content-type"], station.headers["api-key"]) == ("application/json", "my-secret-key")
        (company,) = hub.requests_to("PUT", COMPANY_PATH)
        assert company.body == COMPANY_REQUEST

        async def agreed() -> bool:
            return (await standing(site))["documents_agreed"] == 2

        await until(agreed, 5, "201 Created is an acknowledgement")
        hub.routes["PUT", STATION_PATH] = Scripted(200, STATION_ANSWER)
        await site.order("listings", {"toml": LISTING.replace('"Spar"', '"Spar Lebring"')})
        await until(lambda: len(hub.requests_to("PUT", STATION_PATH)) == 2, 10, "the change")
        changed = hub.requests_to("PUT", STATION_PATH)[1].body["data"]
        assert (changed["attributes"]["name"], changed["attributes"]["version"]) == ("Spar Lebring", 2)
        assert "meta" not in changed  # the other station was replaced once
        await until(agreed, 5, "200 Ok is an acknowledgement")
        assert len(hub.requests_to("PUT", COMPANY_PATH)) == 1


@pytest.mark.parametrize(("answer", "outcome", "named"), ANSWERS)
async def test_each_error_of_the_documents_is_shown_and_healed(
    make_site: MakeSite, answer: Scripted, outcome: str, named: str
) -> None:
    async with hub_of_the_documents() as hub:
        good = dict(hub.routes)
        hub.routes |= {("PUT", STATION_PATH): answer, ("PUT", COMPANY_PATH): answer}
        site = await started(make_site, hub)

        async def shown() -> bool:
            found = await standing(site)
            match outcome:
                case "held":
                    return named in (found["documents_held"] or "")
                case "refused":
                    return all(one["standing"] == "refused" and named in one["why"] for one in found["documents"])
                case _:
                    return any(named in one["why"] for one in found["documents"])

        await until(shown, 15, f"{outcome} for {named}")
        hub.routes = good
        await site.order("upstreams/chargeprice/sync", {})

        async def agreed() -> bool:
            return (await standing(site))["documents_agreed"] == 2

        await until(agreed, 20, "both documents once Chargeprice takes them")
