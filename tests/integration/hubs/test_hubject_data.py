"""EVSE data as others see it: pushed, asked for, faulty and counted by itself."""

import asyncio

import aiohttp
import pytest

from simulators.hubs.mocks import MockOptions, Mocks
from tests.unit.simulators.hubs.evse_data import data_body, record

BOUND = aiohttp.ClientTimeout(total=5)


class Client:
    def __init__(self, mocks, session):
        self.mocks = mocks
        self.session = session

    async def push(self, action="insert", *records):
        url = f"{self.mocks.hubject_url}/evsepush/v23/operators/DE*ABC/data-records"
        return await self._post(url, data_body(action, *records))

    async def push_status(self, evse_id="DE*ABC*E1"):
        url = f"{self.mocks.hubject_url}/evsepush/v21/operators/DE*ABC/status-records"
        rows = [{"EvseID": evse_id, "EvseStatus": "Available"}]
        return await self._post(
            url, {"ActionType": "update", "OperatorEvseStatus": {"OperatorID": "DE*ABC", "EvseStatusRecord": rows}}
        )

    async def _post(self, url, document):
        async with self.session.post(url, json=document) as response:
            return (await response.json())["StatusCode"]["Code"] if response.status < 500 else response.status

    async def ask(self, path, method="GET", **options):
        async with self.session.request(method, f"{self.mocks.control_url}/hubject{path}", **options) as response:
            return await response.json()


@pytest.fixture
async def client():
    async with Mocks(MockOptions(seed=1)) as mocks, aiohttp.ClientSession(timeout=BOUND) as session:
        yield Client(mocks, session)


async def test_data_is_held_apart_from_statuses(client):
    assert await client.push("fullLoad", record("DE*ABC*E1"), record("DE*ABC*E2")) == "000"
    assert await client.ask("/documents/evse_data") == {
        "DE*ABC*E1": record("DE*ABC*E1"),
        "DE*ABC*E2": record("DE*ABC*E2"),
    }
    assert await client.ask("/state") == {}


async def test_status_waits_for_data_where_the_options_say_so(client):
    await client.ask("/options", "PATCH", json={"needs_data": True})
    assert await client.push_status() == "603"
    await client.push("insert", record())
    assert await client.push_status() == "000"


async def test_data_pushes_overlap_each_other_but_no_status(client):
    await client.ask("/faults", "POST", json={"kind": "latency", "delay_s": 0.2, "count": 2})
    await asyncio.gather(client.push("insert", record()), client.push_status())
    assert await client.ask("/violations") == []
    await client.ask("/faults", "POST", json={"kind": "latency", "delay_s": 0.2, "count": 2})
    await asyncio.gather(client.push("update", record()), client.push("update", record()))
    (violation,) = await client.ask("/violations")
    assert violation["what"].startswith("parallel push")


async def test_fault_can_be_kept_to_data(client):
    await client.ask("/faults", "POST", json={"kind": "status", "operation": ["eRoamingPushEvseData"]})
    assert await client.push_status() == "000"
    assert await client.push("insert", record()) == 503


async def test_data_pushes_have_a_limit_of_their_own():
    ledger = Mocks(MockOptions()).hubject.ledger
    for _ in range(375):
        ledger.answer(ledger.begin(0, "eRoamingPushEvseData of DE*ABC", "update", ()), 200, "000", 0)
    assert ledger.violations() == []
    ledger.begin(0, "eRoamingPushEvseStatus of DE*ABC", "update", ())
    assert ledger.violations() == []
    ledger.begin(0, "eRoamingPushEvseData of DE*ABC", "update", ())
    assert [violation["what"] for violation in ledger.violations()] == ["more than 375 requests in 60 s"]
