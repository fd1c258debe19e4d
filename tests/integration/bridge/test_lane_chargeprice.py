"""Prove with the shipped adapter and the strict mock: who is refused, who is held, and that the others pass."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from test_lane_documents import AT_ONCE, looks, running
from tests_bridge import CHARGEPRICE, STATIONS, until

from bridge.core.documents import DocumentKind, canonical_json
from bridge.documents import CompanyOptions
from bridge.documents.chargeprice import company_content, station_content
from bridge.edits import CredentialOrder, credentials_changed
from bridge.lane import DocumentOptions
from bridge.store.listings import ListingRow
from bridge.upstreams.chargeprice import Chargeprice, ChargepriceOptions
from simulators.hubs.faults import FaultSpec
from simulators.hubs.mocks import MockOptions, Mocks

COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
KINDS = frozenset({DocumentKind.STATION, DocumentKind.COMPANY})
RESOURCES = DocumentOptions(KINDS, per_minute=AT_ONCE)
FORBIDDEN = "HTTP 403: FORBIDDEN api_key not authorized to perform action"


def uuid(number: int) -> str:
    return f"{number:08d}-3ed4-4715-92b5-08e37e6dd18c"


def station(number: int) -> str:
    content = {
        "name": f"Spar {number}",
        "latitude": 10.0,
        "longitude": 20.0,
        "country": "AT",
        "address": "Lebring",
        "status": "operational",
        "free_parking": True,
        "free_charging": None,
        "charge_points": [{"plug": "ccs", "power": 50.0, "count": 1, "evse_ids": [f"AT*ION*E{number}"]}],
    }
    return canonical_json(station_content(ListingRow(DocumentKind.STATION, "Spar", uuid(number), ""), content, COMPANY))


async def wish_stations(bridge, count: int) -> None:
    wishes = {uuid(number): station(number) for number in range(1, count + 1)}
    await bridge.wish(wishes, DocumentKind.STATION, CHARGEPRICE)


@pytest.fixture
async def hub() -> AsyncIterator[object]:
    async with Mocks(MockOptions()) as mocks:
        yield mocks.chargeprice
        broken = {violation["what"] for violation in mocks.chargeprice.ledger.violations()}
        assert broken <= {"api_key invalid"}, "a wrong key is what one test is about"


@asynccontextmanager
async def serving(bridge, hub) -> AsyncIterator[Chargeprice]:
    upstream = Chargeprice(ChargepriceOptions(hub.url, COMPANY, "demo-key"))
    upstream.per_minute = AT_ONCE
    async with running(bridge.lane(upstream, account=CHARGEPRICE, documents=RESOURCES)):
        yield upstream
    await upstream.close()


def asked(hub, *actions: str) -> int:
    return sum(entry["action"] in actions for entry in hub.ledger.journal())


async def test_one_foreign_station_among_many_is_refused_and_the_others_pass(bridge, hub) -> None:
    hub.hub.configure({"foreign_stations": [uuid(3)]})
    await wish_stations(bridge, 30)
    async with serving(bridge, hub):  # no clock is moved: nobody waits for the one
        await until(lambda: len(hub.ledger.documents("station")) == 29)
        await looks(bridge)
    assert await bridge.rows("SELECT held FROM document_lane") == [(None,)]
    refused = await bridge.rows("SELECT key, refused FROM document WHERE refused IS NOT NULL")
    assert refused == [(uuid(3), f"stations: {FORBIDDEN}")]
    assert asked(hub, "station") == 31


async def test_key_that_may_write_companies_and_no_stations_holds_documents_alone(bridge, hub) -> None:
    await hub.script(FaultSpec(kind="status", status=403, action=("station",), description="no"))
    await wish_stations(bridge, 5)
    company = canonical_json(company_content(COMPANY, CompanyOptions("EnBW", is_cpo=True, is_emp=False)))
    await bridge.wish({COMPANY: company}, DocumentKind.COMPANY, CHARGEPRICE)
    async with serving(bridge, hub):
        await until(lambda: asked(hub, "company") == 1 and asked(hub, "status") == 4)
        await looks(bridge)
        assert asked(hub, "station") == 2
        for probes in (3, 4):
            bridge.clock.pass_(seconds=61)
            await until(lambda: asked(hub, "station") == probes)  # noqa: B023 - awaited in its turn
            await looks(bridge)
    assert await bridge.rows("SELECT held FROM document_lane") == [("stations: HTTP 403: FORBIDDEN no",)]
    assert await bridge.rows("SELECT held FROM lane WHERE account = 'chargeprice'") == [(None,)]
    tried = {entry["records"][0][0] for entry in hub.ledger.journal() if entry["action"] == "station"}
    assert len(tried) == 4


async def test_bad_key_holds_everything_and_says_so_until_it_is_good_again(bridge, hub) -> None:
    hub.hub.configure({"api_keys": ["another-key"]})
    await wish_stations(bridge, 3)
    async with serving(bridge, hub):
        await until(lambda: asked(hub, "station", "status") == 4)
        await looks(bridge)
        assert (asked(hub, "station"), asked(hub, "status")) == (2, 2)
        wrong = "HTTP 403: FORBIDDEN api_key invalid"
        assert await bridge.rows("SELECT held FROM document_lane") == [(f"stations: {wrong}",)]
        assert await bridge.rows("SELECT held FROM lane WHERE account = 'chargeprice'") == [
            ("HTTP 403: api_key invalid",)
        ]
        hub.hub.configure({"api_keys": ["demo-key"]})
        bridge.clock.pass_(seconds=61)
        await until(lambda: len(hub.ledger.documents("station")) == 3 and len(hub.ledger.state(0)) == 4)
    assert await bridge.rows("SELECT count(*) FROM document WHERE refused IS NOT NULL") == [(0,)]


async def test_status_of_a_foreign_station_is_refused_and_the_others_pass(bridge, hub) -> None:
    hub.hub.configure({"foreign_stations": ["s1"]})
    async with serving(bridge, hub):
        await until(lambda: asked(hub, "status") == 2)
        await looks(bridge)
        assert asked(hub, "status") == 2  # both of its EVSEs were refused in a row: that may be the account
        bridge.clock.pass_(seconds=61)
        await until(lambda: hub.ledger.state(0).keys() == {"s2/p1", "s2/p2"})
        await looks(bridge)
    refused = await bridge.rows(
        "SELECT point_reference FROM delivery WHERE account = 'chargeprice' AND refused IS NOT NULL ORDER BY 1"
    )
    assert refused == [("p1",), ("p2",)]
    assert await bridge.rows("SELECT held FROM lane WHERE account = 'chargeprice'") == [(None,)]


async def test_a_foreign_station_that_was_the_only_one_due_keeps_none_waiting_that_comes_later(bridge, hub) -> None:
    hub.hub.configure({"foreign_stations": [uuid(1)]})
    await wish_stations(bridge, 1)
    async with serving(bridge, hub):
        await until(lambda: asked(hub, "station") == 1)
        await looks(bridge)
        assert asked(hub, "station") == 1
        await wish_stations(bridge, 2)  # no clock is moved: the second one waits for nobody
        await until(lambda: len(hub.ledger.documents("station")) == 1)
        await looks(bridge)
    assert await bridge.rows("SELECT held FROM document_lane") == [(None,)]
    assert await bridge.rows("SELECT key FROM document WHERE refused IS NOT NULL") == [(uuid(1),)]


async def test_a_suspect_is_tried_at_once_with_a_new_key(bridge, hub) -> None:
    hub.hub.configure({"foreign_stations": [uuid(1)]})
    await wish_stations(bridge, 1)
    async with serving(bridge, hub):
        await until(lambda: asked(hub, "station") == 1)
        await looks(bridge)
        hub.hub.configure({"foreign_stations": []})
        await bridge.writer.submit(credentials_changed, CredentialOrder(CHARGEPRICE, bridge.clock()))
        await until(lambda: len(hub.ledger.documents("station")) == 1)


async def test_statuses_refused_for_want_of_their_station_are_tried_again_once_it_is_there(bridge, hub) -> None:
    await bridge.import_(STATIONS.replace(",s1,", f",{uuid(1)},"))
    hub.hub.configure({"points": ["s2/p1", "s2/p2"]})
    async with serving(bridge, hub):
        await until(lambda: asked(hub, "status") == 4)
        await looks(bridge)
        hub.hub.configure({"points": None})
        await wish_stations(bridge, 2)  # no clock is moved: a refused row would wait for hours
        await until(lambda: len(hub.ledger.state(0)) == 4)
    assert await bridge.rows("SELECT count(*) FROM delivery WHERE refused IS NOT NULL") == [(0,)]
