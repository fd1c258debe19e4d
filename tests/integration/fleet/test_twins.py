"""A second device with a station's id, over real sockets."""

import asyncio
from datetime import timedelta

import ocpp.messages
import pytest

from simulators.fleet.fleet import Fleet, FleetOptions
from simulators.fleet.journal import Journal
from simulators.fleet.line import Line
from simulators.fleet.plan import Plan


@pytest.fixture
async def fleet(central):
    ocpp.messages.ASYNC_VALIDATION = False
    line = Line(central.url, speed=500, response_timeout=timedelta(seconds=5))
    fleet = Fleet(FleetOptions(Plan(2, 7), "calm", line, twins=1), Journal())
    living = asyncio.create_task(fleet.run())
    yield fleet
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)


def boots(central, station):
    calls = [payload for name, action, payload in central.calls if (name, action) == (station, "BootNotification")]
    return [payload["chargingStation"]["serialNumber"] for payload in calls]


async def test_it_comes_again_and_again_with_a_serial_number_of_its_own_and_tells_no_status(central, fleet):
    await central.until(lambda: boots(central, "SIM-00001").count("SIM-00001-TWIN") >= 2)
    assert "SIM-00001" in boots(central, "SIM-00001")
    spoken = [action for name, action, _ in central.calls if name == "SIM-00001"]
    of_the_journal = fleet.journal.reports("SIM-00001", fleet.stations[0].spec.reported)
    assert len(spoken) - spoken.count("BootNotification") == len(of_the_journal) > 0


async def test_the_other_stations_have_none(central, fleet):
    await central.until(lambda: fleet.counts.twin_visits >= 2)
    assert {payload.get("chargePointSerialNumber") for name, _, payload in central.calls if name == "SIM-00002"} <= {
        "SIM-00002",
        None,
    }


async def test_at_rest_it_stays_away_until_life_goes_on(central, fleet):
    await central.until(lambda: fleet.counts.twin_visits >= 1)
    assert await fleet.rest(timedelta(seconds=8)) == ()
    visits = fleet.counts.twin_visits
    await asyncio.sleep(0.05)
    assert fleet.counts.twin_visits == visits
    fleet.resume()
    await central.until(lambda: fleet.counts.twin_visits > visits)
