"""Prove what Chargeprice is wished to have: listed stations of the account's operators, and the configured company."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests_bridge import CHARGEPRICE

from bridge.documents import CompanyOptions, chargeprice_plan
from bridge.edits import ListingOrder, import_listings
from bridge.listing_file import parse_listing

COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
EMP = "2e49b853-36fc-47ed-9826-97828b5b2fdd"
GROUP = "3e49b853-36fc-47ed-9826-97828b5b2fdd"
SPAR = "20006f18-3ed4-4715-92b5-08e37e6dd18c"
REPLACED = "1a006f18-3ed4-4715-92b5-08e37e6dd183"
ENBW = CompanyOptions(
    "EnBW",
    is_cpo=True,
    is_emp=True,
    url="http://www.energy.com",
    external_source_mapping={"going_electric_names": ["EnBW"]},
    supported_emps=(EMP,),
)


def listed(evse_id: str, **fields: object) -> str:
    own = {"id": SPAR, "name": "Spar", "free_parking": True, "free_charging": False, **fields}
    return f"""
[[chargeprice.station]]
latitude = 10.0
longitude = 20.0
country = "AT"
status = "operational"
address = "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring"
evses = [{{ evse_id = "{evse_id}", plug = "ccs", power = 50.0, count = 2 }}]
""" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in own.items())


async def import_(bridge, toml: str, *, prune: bool = False, company: CompanyOptions | None = None) -> Any:
    order = ListingOrder(
        listing=parse_listing(toml),
        prune=prune,
        yes=True,
        dry_run=False,
        at=bridge.clock(),
        documents=(chargeprice_plan(CHARGEPRICE, ["demo"], COMPANY, company),),
        options=bridge.options,
    )
    return await bridge.writer.submit(import_listings, order)


async def desired(bridge) -> dict[tuple[str, str], Any]:
    rows = await bridge.rows("SELECT kind, key, desired FROM document WHERE NOT tombstone ORDER BY kind")
    return {(kind, key): json.loads(text) for kind, key, text in rows}


async def test_listed_station_is_wished_as_chargeprice_writes_it(bridge) -> None:
    await import_(bridge, listed("DE*ABC*E1*1", replaces=REPLACED))
    assert await desired(bridge) == {
        ("station", SPAR): {
            "id": SPAR,
            "type": "charging_station",
            "attributes": {
                "name": "Spar",
                "latitude": 10.0,
                "longitude": 20.0,
                "country": "AT",
                "address": "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring",
                "free_parking": True,
                "free_charging": False,
                "status": "operational",
                "charge_points": [{"plug": "ccs", "power": 50.0, "count": 2, "evse_ids": ["DE*ABC*E1*1"]}],
            },
            "relationships": {"operator": {"data": {"type": "company", "id": COMPANY}}},
            "meta": {"replaces_charging_staton_id": REPLACED},
        }
    }


async def test_replacement_is_never_asked_for_by_itself(bridge) -> None:
    await import_(bridge, listed("DE*ABC*E1*1"))
    assert "meta" not in (await desired(bridge))["station", SPAR]


@pytest.mark.parametrize("evse_id", ["AT*ION*E9", "DE*ABC*E2*1"], ids=["not in the inventory", "of another operator"])
async def test_station_of_nobody_of_the_account_is_not_sent(bridge, evse_id: str) -> None:
    await bridge.import_(
        "station,version,key,evse,connector,evse_id,operator\ntwo,2.0.1,0123456789abcdef,1,1,DE*ABC*E2*1,other\n"
        "two,,,1,2,DE*ABC*E2*1,other\n"
    )
    await import_(bridge, listed(evse_id))
    assert await desired(bridge) == {}


async def test_company_is_said_where_it_is_configured(bridge) -> None:
    groups = {"cpo_group": GROUP}
    await import_(bridge, "", company=replace(ENBW, groups=groups))
    assert await desired(bridge) == {
        ("company", COMPANY): {
            "id": COMPANY,
            "type": "company",
            "attributes": {
                "name": "EnBW",
                "url": "http://www.energy.com",
                "is_cpo": True,
                "is_emp": True,
                "external_source_mapping": {"going_electric_names": ["EnBW"]},
            },
            "relationships": {
                "supported_emps": {"data": [{"type": "company", "id": EMP}]},
                "cpo_group": {"data": {"type": "cpo_group", "id": GROUP}},
            },
        }
    }


async def test_importing_the_same_again_changes_nothing(bridge) -> None:
    await import_(bridge, listed("DE*ABC*E1*1"), company=ENBW)
    before = await bridge.rows("SELECT kind, key, desired_seq FROM document ORDER BY kind")
    again = await import_(bridge, listed("DE*ABC*E1*1"), company=ENBW)
    assert again.derived.accounts == set()
    assert await bridge.rows("SELECT kind, key, desired_seq FROM document ORDER BY kind") == before


async def test_listed_evse_that_had_no_point_gets_its_status_under_the_station(bridge) -> None:
    bare = "station,version,key,evse,connector,evse_id,operator\none,1.6,0123456789abcdef,,1,DE*ABC*E1*1,demo\n"
    await bridge.import_(bare, prune=True)
    assert await _points(bridge) == []
    imported = await import_(bridge, listed("DE*ABC*E1*1"))
    assert CHARGEPRICE in imported.derived.accounts
    assert await _points(bridge) == [(SPAR, "DE*ABC*E1*1")]
    await import_(bridge, "", prune=True)
    assert await _points(bridge) == []


async def test_evse_that_is_imported_after_its_station_was_listed_is_found(bridge) -> None:
    await import_(bridge, listed("AT*ION*E1234"))
    await bridge.import_(
        "station,version,key,connector,evse_id,operator\nnine,1.6,0123456789abcdef,1,AT*ION*E1234,demo\n"
    )
    assert (SPAR, "AT*ION*E1234") in await _points(bridge)


async def _points(bridge) -> list[tuple[str, str]]:
    return await bridge.rows(
        "SELECT station_reference, point_reference FROM delivery WHERE account = 'chargeprice' AND NOT tombstone"
    )
