"""The mock Chargeprice's stations and companies over a real socket: examples and each documented answer."""

import asyncio

import aiohttp
import pytest

from simulators.hubs.mocks import MockOptions, Mocks

STATION = "20006f18-3ed4-4715-92b5-08e37e6dd18c"
COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
STATUS_PATH = f"/v1/companies/{COMPANY}/charging_stations/123/charge_points/456/status"
STATUS = {"data": {"type": "charge_point_status", "attributes": {"status": "occupied", "valid_until": 1582898908000}}}
POINT = {"plug": "ccs", "power": 50.0, "count": 2, "evse_ids": ["AT*ION*E1234"]}
BOUND = aiohttp.ClientTimeout(total=5)


def station(version=1):
    attributes = {
        "name": "Spar",
        "version": version,
        "latitude": 10.0,
        "longitude": 20.0,
        "country": "AT",
        "address": "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring",
        "free_parking": True,
        "free_charging": False,
        "status": "operational",
        "charge_points": [POINT],
    }
    operator = {"operator": {"data": {"type": "company", "id": COMPANY}}}
    data = {"id": STATION, "type": "charging_station", "attributes": attributes, "relationships": operator}
    return {"data": data | {"meta": {"replaces_charging_staton_id": "1a006f18-3ed4-4715-92b5-08e37e6dd183"}}}


def company(version=1):
    attributes = {
        "name": "EnBW",
        "version": version,
        "url": "http://www.energy.com",
        "is_cpo": True,
        "is_emp": True,
        "external_source_mapping": {"going_electric_names": ["EnBW"]},
    }
    emps = {"supported_emps": {"data": [{"type": "company", "id": "2e49b853-36fc-47ed-9826-97828b5b2fdd"}]}}
    return {"data": {"id": COMPANY, "type": "company", "attributes": attributes, "relationships": emps}}


REQUESTS = {
    "status": ("PUT", STATUS_PATH, STATUS),
    "station": ("PUT", f"/v2/charging_stations/{STATION}", station()),
    "company": ("PUT", f"/v1/companies/{COMPANY}", company()),
    "show": ("GET", f"/v1/charging_stations/{STATION}", None),
    "list": ("GET", f"/v1/companies?filter[id]={COMPANY}", None),
    "delete station": ("DELETE", f"/v1/charging_stations/{STATION}", None),
    "delete company": ("DELETE", f"/v1/companies/{COMPANY}", None),
}
ACTIONS = {"show": "read", "list": "read", "delete station": "delete", "delete company": "delete"}


class Client:
    def __init__(self, mocks, session):
        self.mocks = mocks
        self.session = session

    async def ask(self, method, path, document=None, key="demo-key"):
        url = f"{self.mocks.chargeprice_url}{path}"
        async with self.session.request(method, url, json=document, headers={"Api-Key": key}) as response:
            return response.status, None if response.status == 204 else await response.json()

    async def control(self, method, path, document=None):
        url = f"{self.mocks.control_url}/chargeprice/{path}"
        async with self.session.request(method, url, json=document) as response:
            assert response.status < 300
            return await response.json()


@pytest.fixture
async def client():
    async with Mocks(MockOptions(seed=1)) as mocks, aiohttp.ClientSession(timeout=BOUND) as session:
        yield Client(mocks, session)


async def test_examples_of_the_documents_run_from_creation_to_deletion(client):
    statuses = [(await client.ask(*REQUESTS[name]))[0] for name in ("status", "company", "station", "show", "list")]
    assert statuses == [204, 201, 201, 200, 200]
    assert (await client.ask("PUT", f"/v2/charging_stations/{STATION}", station(2)))[0] == 200
    documents = await client.control("GET", "documents/station")
    assert documents[STATION]["attributes"]["version"] == 2
    assert list(await client.control("GET", "documents/company")) == [COMPANY]
    assert [(await client.ask(*REQUESTS[name]))[0] for name in ("delete station", "delete company")] == [204, 204]
    assert await client.control("GET", "documents/station") == {}
    assert await client.control("GET", "violations") == []
    assert await client.control("GET", "state") == {"123/456": "available"}


async def test_version_that_another_wrote_is_a_conflict_until_it_is_read_again(client):
    await client.ask(*REQUESTS["station"])
    await client.control("PATCH", "options", {"versions": {STATION: 4}})
    status, body = await client.ask("PUT", f"/v2/charging_stations/{STATION}", station(2))
    assert (status, body["errors"][0]["code"]) == (409, "VERSION_CONFLICT")
    current = (await client.ask(*REQUESTS["show"]))[1]["data"]["attributes"]["version"]
    assert (await client.ask("PUT", f"/v2/charging_stations/{STATION}", station(current + 1)))[0] == 200
    assert await client.control("GET", "violations") == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "BAD_REQUEST"),
        (403, "FORBIDDEN"),
        (404, "NOT_FOUND"),
        (409, "VERSION_CONFLICT"),
        (500, "INTERNAL_SERVER_ERROR"),
    ],
)
@pytest.mark.parametrize("name", REQUESTS)
async def test_every_documented_answer_can_be_switched_on(client, name, status, code):
    action = ACTIONS.get(name, name)
    fault = {"kind": "status", "status": status, "description": "Some error message...", "action": [action], "count": 1}
    await client.control("POST", "faults", fault)
    error = {"status": str(status), "title": "Some error message..."} | ({} if name == "status" else {"code": code})
    assert await client.ask(*REQUESTS[name]) == (status, {"errors": [error]})
    (entry,) = await client.control("GET", "journal")
    assert (entry["action"], entry["http"], entry["fault"], entry["applied_at"]) == (action, status, "status", None)


async def test_lost_answer_of_a_station_is_a_conflict_when_it_is_sent_again(client):
    # Twice: after a reset, aiohttp sends a PUT once more by itself.
    await client.control("POST", "faults", {"kind": "reset_after", "count": 2})
    with pytest.raises(aiohttp.ClientError):
        await client.ask(*REQUESTS["station"])
    assert (await client.ask(*REQUESTS["station"]))[0] == 409
    assert (await client.ask("PUT", f"/v2/charging_stations/{STATION}", station(2)))[0] == 200


async def test_late_station_is_refused_by_its_lock_version(client):
    await client.control("POST", "faults", {"kind": "late", "delay_s": 0.3, "count": 1})
    lost = asyncio.create_task(client.ask(*REQUESTS["station"]))
    async with asyncio.timeout(5):
        while not await client.control("GET", "journal"):  # noqa: ASYNC110 - the hub is asked over HTTP
            await asyncio.sleep(0.01)
    lost.cancel()
    assert (await client.ask(*REQUESTS["station"]))[0] == 201
    assert (await client.ask("PUT", f"/v2/charging_stations/{STATION}", station(2)))[0] == 200
    async with asyncio.timeout(5):
        while "outdated" not in (await client.control("GET", "summary"))["counts"]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert (await client.control("GET", "documents/station"))[STATION]["attributes"]["version"] == 2
