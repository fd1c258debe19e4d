import asyncio
from datetime import timedelta

import aiohttp
import ocpp.messages
import pytest
from aiohttp import web

from simulators.fleet.control import control_app
from simulators.fleet.fleet import Fleet, FleetOptions
from simulators.fleet.journal import Journal
from simulators.fleet.line import Line
from simulators.fleet.plan import Plan


@pytest.fixture
async def fleet(central):
    ocpp.messages.ASYNC_VALIDATION = False
    options = FleetOptions(Plan(8, 7), "busy", Line(central.url, speed=20, response_timeout=timedelta(seconds=5)))
    fleet = Fleet(options, Journal())
    living = asyncio.create_task(fleet.run())
    yield fleet
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)


@pytest.fixture
async def control(fleet):
    runner = web.AppRunner(control_app(fleet), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as http:
        yield http
    await runner.cleanup()


async def get(control, path):
    async with control.get(path) as response:
        assert response.status == 200
        return await response.json()


async def rest(control, timeout_s):
    async with control.post("/rest", params={"timeout_s": str(timeout_s)}) as response:
        return response.status, await response.json()


async def test_at_rest_the_server_has_heard_and_answered_what_every_connector_is(central, fleet, control):
    await central.received(100)
    assert await rest(control, 10) == (200, {"stations": 8, "restless": []})
    journal = await get(control, "/journal")
    lines = [line for s in journal["stations"] for evse in s["evses"] for line in evse["connectors"]]
    assert len(lines) == sum(len(station.spec.connectors) for station in fleet.stations)
    assert all(line["reported"] == line["answered"] is not None for line in lines)
    assert all(station["connected"] for station in journal["stations"])

    told = {}
    for station, action, payload in central.calls:
        if action == "StatusNotification":
            key = (station, payload.get("evseId", 0), payload["connectorId"])
            told[key] = payload.get("status") or payload["connectorStatus"]
        elif action == "NotifyEvent":
            evse = payload["eventData"][0]["component"].get("evse", {"id": 0, "connectorId": 0})
            told[station, evse["id"], evse["connectorId"]] = payload["eventData"][0]["actualValue"]
    for station in fleet.stations:
        for address in station.spec.reported:
            assert told[station.spec.station, *address] == station.word(address)


async def test_nothing_is_reported_at_rest_and_life_goes_on_after_resume(central, control):
    await central.received(50)
    await rest(control, 10)
    still = len(central.calls)
    await asyncio.sleep(0.05)
    assert len(central.calls) == still
    async with control.post("/resume") as response:
        assert response.status == 200
    await central.received(still + 20)


async def test_a_server_that_does_not_answer_keeps_the_fleet_restless(central, control):
    await central.received(50)
    central.silent_on |= {"StatusNotification", "NotifyEvent"}
    async with control.post("/rest", params={"timeout_s": "0.3"}) as response:
        body = await response.json()
        assert response.status == 504
        assert body["restless"]


async def test_expected_has_one_entry_per_evse_with_each_hubs_word(central, fleet, control):
    await central.received(100)
    await rest(control, 10)
    evses = (await get(control, "/expected"))["evses"]
    assert [evse["evse_id"] for evse in evses] == [evse.evse_id for s in fleet.stations for evse in s.spec.evses]
    assert {evse["hubject"] for evse in evses} <= {"Available", "Occupied", "Reserved", "OutOfService"}
    assert {evse["chargeprice"] for evse in evses} <= {"available", "occupied", "reserved", "maintainance"}
    assert len({evse["effective"] for evse in evses}) >= 2


async def test_summary_counts_connections_reports_and_answer_times(central, control):
    await central.received(100)
    await rest(control, 10)
    summary = await get(control, "/summary")
    assert (summary["stations"], summary["connected"], summary["errors"]) == (8, 8, 0)
    assert summary["connections"] >= 8
    assert summary["answered"] > 50
    assert 0 < summary["answer_ms_p50"] <= summary["answer_ms_p99"]


async def test_a_share_of_the_stations_leaves_its_connections_half_open_and_is_named(central, fleet, control):
    await central.received(100)
    async with control.post("/half-open", params={"share": "1"}) as response:
        assert response.status == 200
        left = (await response.json())["stations"]
    assert 0 < len(left) <= 8
    assert await rest(control, 10) == (200, {"stations": 8, "restless": []})
    assert (await get(control, "/summary"))["left_open"] == len(left)


async def test_all_stations_lose_the_network_at_once_and_tell_everything_when_they_are_back(central, control):
    await central.received(100)
    await rest(control, 10)
    before, told = await get(control, "/summary"), len(central.calls)
    async with control.post("/lose", params={"seconds": "60"}) as response:
        assert response.status == 200
        assert len((await response.json())["stations"]) == 8
    assert await rest(control, 10) == (200, {"stations": 8, "restless": []})
    after = await get(control, "/summary")
    assert (after["connections"], after["connected"]) == (before["connections"] + 8, 8)
    assert len(central.calls) > told + 8


@pytest.mark.parametrize("share", ["half", "-0.1", "1.1", "nan"])
@pytest.mark.parametrize("order", ["/half-open", "/lose"])
async def test_a_share_that_is_none_is_the_askers_mistake(control, order, share):
    async with control.post(order, params={"share": share}) as response:
        assert response.status == 400


@pytest.mark.parametrize("seconds", ["soon", "-1", "86401", "nan"])
async def test_a_loss_that_has_no_length_is_the_askers_mistake(control, seconds):
    async with control.post("/lose", params={"seconds": seconds}) as response:
        assert response.status == 400


async def test_a_timeout_that_is_no_number_is_the_askers_mistake(control):
    async with control.post("/rest", params={"timeout_s": "soon"}) as response:
        assert response.status == 400
