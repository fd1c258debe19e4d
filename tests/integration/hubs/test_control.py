"""The mock hubs as others see them: pushes, faults and questions over HTTP."""

import asyncio
import time

import aiohttp
import pytest

from simulators.hubs.mocks import MockOptions, Mocks

COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
BOUND = aiohttp.ClientTimeout(total=5)


def status(value="Available", evse_id="DE*ABC*E1", action="update"):
    record = {"EvseID": evse_id, "EvseStatus": value}
    return {"ActionType": action, "OperatorEvseStatus": {"EvseStatusRecord": [record], "OperatorID": "DE*ABC"}}


class Client:
    def __init__(self, mocks, session):
        self.mocks = mocks
        self.session = session

    async def push(self, value="Available", evse_id="DE*ABC*E1"):
        url = f"{self.mocks.hubject_url}/evsepush/v21/operators/DE*ABC/status-records"
        async with self.session.post(url, json=status(value, evse_id)) as response:
            return response.status, await response.text()

    async def put(self, value="available", key="demo-key"):
        path = f"v1/companies/{COMPANY}/charging_stations/s/charge_points/p/status"
        document = {"data": {"type": "charge_point_status", "attributes": {"status": value}}}
        headers = {"API-KEY": key}
        async with self.session.put(f"{self.mocks.chargeprice_url}/{path}", json=document, headers=headers) as response:
            return response.status, await response.text()

    async def ask(self, path, method="GET", **options):
        async with self.session.request(method, f"{self.mocks.control_url}{path}", **options) as response:
            return response.status, await response.json(content_type=None) if response.status != 204 else None

    async def get(self, path):
        code, answer = await self.ask(path)
        assert code == 200
        return answer

    async def fault(self, hub, **spec):
        code, answer = await self.ask(f"/{hub}/faults", "POST", json=spec)
        assert code == 201
        return answer["id"]


@pytest.fixture
async def client():
    async with Mocks(MockOptions(seed=1)) as mocks, aiohttp.ClientSession(timeout=BOUND) as session:
        yield Client(mocks, session)


async def test_state_is_listed_by_each_hubs_own_key(client):
    assert (await client.push("Occupied"))[0] == 200
    assert await client.put("occupied") == (204, "")
    assert await client.get("/hubject/state") == {"DE*ABC*E1": "Occupied"}
    assert await client.get("/chargeprice/state") == {"s/p": "occupied"}


async def test_hubs_are_listed_with_their_addresses(client):
    assert await client.get("") == {
        "hubject": {"url": client.mocks.hubject_url},
        "chargeprice": {"url": client.mocks.chargeprice_url},
        "spirii": {"url": client.mocks.spirii_url},
    }


async def test_journal_tells_everything_about_a_request(client):
    began = time.time()
    await client.push("Occupied")
    (entry,) = await client.get("/hubject/journal")
    assert began <= entry["received_at"] <= entry["applied_at"] <= entry["answered_at"] <= time.time()
    del entry["received_at"], entry["applied_at"], entry["answered_at"]
    assert entry == {
        "n": 1,
        "operation": "eRoamingPushEvseStatus of DE*ABC",
        "action": "update",
        "records": [["DE*ABC*E1", "Occupied"]],
        "http": 200,
        "code": "000",
        "applied_order": 1,
        "fault": "",
        "overlap": False,
    }
    await client.push()
    assert [entry["n"] for entry in await client.get("/hubject/journal?after=1&limit=5")] == [2]
    assert (await client.ask("/hubject/journal?after=x"))[0] == 400


async def test_violations_and_summary_are_shown(client):
    await client.push("Blocked")
    (violation,) = await client.get("/hubject/violations")
    assert violation["n"] == 1
    assert violation["what"].startswith("operatorEvseStatus.evseStatusRecord[0].evseStatus: must be one of")
    summary = await client.get("/hubject/summary")
    assert (summary["requests"], summary["violations"], summary["held"]) == (1, 1, 0)


async def test_fault_is_switched_on_listed_and_off(client):
    fault = await client.fault("hubject", kind="status", status=503, retry_after="7")
    assert (await client.push())[0] == 503
    assert (await client.get("/hubject/faults"))[fault]["retry_after"] == "7"
    assert (await client.ask(f"/hubject/faults/{fault}", "DELETE"))[0] == 204
    assert (await client.ask(f"/hubject/faults/{fault}", "DELETE"))[0] == 404
    assert (await client.push())[0] == 200
    assert [entry["fault"] for entry in await client.get("/hubject/journal")] == ["status", ""]


async def test_fault_of_one_hub_leaves_the_other_alone(client):
    await client.fault("hubject", kind="hang")
    assert (await client.put())[0] == 204


async def test_all_faults_go_at_once(client):
    for kind in ("hang", "down", "latency"):
        await client.fault("chargeprice", kind=kind)
    assert (await client.ask("/chargeprice/faults", "DELETE"))[0] == 204
    assert (await client.put())[0] == 204


async def test_down_refuses_connections_and_cuts_open_ones(client):
    await client.push()
    fault = await client.fault("hubject", kind="down")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.push()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.push()
    await client.ask(f"/hubject/faults/{fault}", "DELETE")
    assert (await client.push("Occupied"))[0] == 200
    assert await client.get("/hubject/state") == {"DE*ABC*E1": "Occupied"}


async def test_down_for_a_while_ends_by_itself(client):
    await client.fault("hubject", kind="down", seconds=0.2)
    until = time.monotonic() + 5
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.push()
    while time.monotonic() < until:
        try:
            assert (await client.push())[0] == 200
            return
        except aiohttp.ClientConnectorError:
            await asyncio.sleep(0.02)
    pytest.fail("the hub never came back")


@pytest.mark.parametrize(("body", "text"), [("empty", ""), ("not_json", '{"Result": tr')])
async def test_invalid_body_answers_nonsense_though_it_is_applied(client, body, text):
    await client.fault("hubject", kind="invalid_body", body=body)
    assert await client.push() == (200, text)
    assert await client.get("/hubject/state") == {"DE*ABC*E1": "Available"}


async def test_result_false_for_one_evse_is_not_applied(client):
    await client.fault("hubject", kind="result_false", code="604", evse=["DE*ABC*E2"])
    assert '"Result":false' in (await client.push(evse_id="DE*ABC*E2"))[1]
    assert '"Result":true' in (await client.push(evse_id="DE*ABC*E1"))[1]
    assert await client.get("/hubject/state") == {"DE*ABC*E1": "Available"}


async def test_latency_delays_the_answer(client):
    await client.fault("hubject", kind="latency", delay_s=0.2, count=1)
    began = time.monotonic()
    await client.push()
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    ("hub", "spec"),
    [
        ("hubject", {"kind": "explode"}),
        ("hubject", {"kind": "hang", "unknown": 1}),
        ("chargeprice", {"kind": "result_false"}),
    ],
)
async def test_senseless_fault_is_refused_with_the_reason(client, hub, spec):
    code, answer = await client.ask(f"/{hub}/faults", "POST", json=spec)
    assert code == 400
    assert answer["error"]
    assert await client.get(f"/{hub}/faults") == {}


async def test_options_change_while_the_hub_runs(client):
    code, options = await client.ask("/hubject/options", "PATCH", json={"strict_known": True})
    assert (code, options["strict_known"], options["operator_ids"]) == (200, True, ["DE*ABC"])
    assert "603" in (await client.push())[1]
    assert (await client.ask("/hubject/options", "PATCH", json={"colour": 1}))[0] == 400
    assert (await client.ask("/hubject/options", "PATCH", data=b"{"))[0] == 400
    assert (await client.ask("/hubject/options", "PATCH", json=[]))[0] == 400
    assert (await client.get("/chargeprice/options"))["api_keys"] == ["demo-key"]


async def test_reset_forgets_state_journal_and_faults(client):
    await client.push()
    await client.fault("hubject", kind="down")
    assert (await client.ask("/hubject/reset", "POST"))[0] == 204
    for what, nothing in (("state", {}), ("journal", []), ("violations", []), ("faults", {})):
        assert await client.get(f"/hubject/{what}") == nothing
    assert (await client.push())[0] == 200


async def test_unknown_hub_is_not_found(client):
    assert (await client.ask("/ocpi/state"))[0] == 404


async def test_wrong_key_is_forbidden(client):
    assert (await client.put(key="wrong"))[0] == 403


async def test_taken_port_leaves_nothing_listening(client):
    with pytest.raises(OSError, match="in use"):
        await Mocks(MockOptions(control_port=client.mocks.control_port)).start()
