import asyncio
from datetime import timedelta

import ocpp.messages
import pytest

from simulators.fleet.behaviour import ConnectorState as State
from simulators.fleet.behaviour import LoseNetwork, PowerCycle, ReadMeter, Turn
from simulators.fleet.layout import STATION_LEVEL, Address

SHORT = timedelta(milliseconds=50)


def statuses_16(calls):
    return [(payload["connectorId"], payload["status"]) for action, payload in calls if action == "StatusNotification"]


def act(station, *actions):
    for action in actions:
        station.act(action)


async def settled(station):
    async with asyncio.timeout(8):
        while not station.settled:  # noqa: ASYNC110 - a property, nothing to wait for
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _validate_in_the_loop():
    ocpp.messages.ASYNC_VALIDATION = False


async def test_a_16_station_boots_and_reports_connector_0_and_every_connector(central, start, specs, basic):
    start(specs["1.6"])
    calls = await central.received(4)
    assert central.handshakes == [("CP-16", "ocpp1.6", basic(specs["1.6"]))]
    assert [action for action, _ in calls] == ["BootNotification"] + ["StatusNotification"] * 3
    assert statuses_16(calls) == [(0, "Available"), (1, "Available"), (2, "Available")]


async def test_a_201_station_boots_and_reports_every_connector_of_each_evse(central, start, specs):
    start(specs["2.0.1"])
    calls = await central.received(3)
    assert central.handshakes[0][:2] == ("CP-201", "ocpp2.0.1")
    assert [(p["evseId"], p["connectorId"], p["connectorStatus"]) for a, p in calls if a == "StatusNotification"] == [
        (1, 1, "Available"),
        (2, 1, "Available"),
    ]


async def test_some_201_stations_report_by_notify_event_instead(central, start, specs):
    start(specs["events"])
    calls = await central.received(2, "NotifyEvent")
    events = [payload["eventData"][0] for _, payload in calls]
    assert [(e["component"], e["variable"], e["actualValue"]) for e in events] == [
        ({"name": "ChargingStation"}, {"name": "AvailabilityState"}, "Available"),
        ({"name": "Connector", "evse": {"id": 1, "connectorId": 1}}, {"name": "AvailabilityState"}, "Available"),
    ]
    assert not [action for _, action, _ in central.calls if action == "StatusNotification"]


async def test_a_visit_at_a_16_station_is_a_transaction_between_its_statuses(central, start, specs):
    station, one = start(specs["1.6"]), Address(0, 1)
    await central.received(4)
    for state in (State.PREPARING, State.CHARGING, State.SUSPENDED_EV, State.FINISHING, State.FREE):
        act(station, Turn(one, state))
    act(station, ReadMeter(one))  # nobody charges any more: nothing to say
    calls = (await central.received(11))[4:]
    assert [(action, payload.get("status")) for action, payload in calls] == [
        ("StatusNotification", "Preparing"),
        ("StartTransaction", None),
        ("StatusNotification", "Charging"),
        ("StatusNotification", "SuspendedEV"),
        ("StopTransaction", None),
        ("StatusNotification", "Finishing"),
        ("StatusNotification", "Available"),
    ]
    assert calls[4][1]["transactionId"] == 41


async def test_a_visit_at_a_201_station_counts_its_events_and_names_the_charging_state(central, start, specs):
    station, one = start(specs["2.0.1"]), Address(1, 1)
    await central.received(3)
    for state in (State.PREPARING, State.CHARGING, State.SUSPENDED_EVSE, State.FINISHING, State.FREE):
        act(station, Turn(one, state))
    calls = (await central.received(9))[3:]
    assert [
        (p.get("connectorStatus") or (p["eventType"], p["seqNo"], p["transactionInfo"]["chargingState"]))
        for _, p in calls
    ] == [
        "Occupied",
        ("Started", 0, "EVConnected"),
        ("Updated", 1, "Charging"),
        ("Updated", 2, "SuspendedEVSE"),
        ("Ended", 3, "EVConnected"),
        "Available",
    ]
    assert {p["evse"]["id"] for a, p in calls if a == "TransactionEvent"} == {1}
    assert len({p["transactionInfo"]["transactionId"] for a, p in calls if a == "TransactionEvent"}) == 1


async def test_meter_values_of_a_16_transaction_name_it(central, start, specs):
    station, one = start(specs["1.6"]), Address(0, 1)
    await central.received(4)
    act(station, Turn(one, State.PREPARING), Turn(one, State.CHARGING), ReadMeter(one))
    ((_, payload),) = await central.received(1, "MeterValues")
    assert (payload["connectorId"], payload["transactionId"]) == (1, 41)


@pytest.mark.parametrize(
    ("asked", "answer", "reported"),
    [
        pytest.param({"connectorId": 2}, "Accepted", [(2, "Available")], id="one connector"),
        pytest.param({"connectorId": 0}, "Accepted", [(0, "Available")], id="the station"),
        pytest.param({}, "Accepted", [(0, "Available"), (1, "Available"), (2, "Available")], id="all"),
        pytest.param({"connectorId": 3}, "Rejected", [], id="no such connector"),
    ],
)
async def test_a_16_station_answers_a_trigger_and_then_reports(central, start, specs, asked, answer, reported):
    start(specs["1.6"])
    await central.received(4)
    request = {"requestedMessage": "StatusNotification", **asked}
    assert await central.ask("CP-16", "TriggerMessage", request) == {"status": answer}
    await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "Heartbeat"})
    await central.received(1, "Heartbeat")
    assert statuses_16((await central.received(4))[4:]) == reported


@pytest.mark.parametrize(
    ("asked", "answer", "reported"),
    [
        pytest.param({"evse": {"id": 2, "connectorId": 1}}, "Accepted", [(2, 1)], id="one connector"),
        pytest.param({"evse": {"id": 2}}, "Rejected", [], id="no connector named"),
        pytest.param({}, "Rejected", [], id="nothing named"),
        pytest.param({"evse": {"id": 9, "connectorId": 1}}, "Rejected", [], id="no such EVSE"),
    ],
)
async def test_a_201_station_answers_a_trigger_and_then_reports(central, start, specs, asked, answer, reported):
    start(specs["2.0.1"])
    await central.received(3)
    request = {"requestedMessage": "StatusNotification", **asked}
    assert await central.ask("CP-201", "TriggerMessage", request) == {"status": answer}
    await central.ask("CP-201", "TriggerMessage", {"requestedMessage": "Heartbeat"})
    await central.received(1, "Heartbeat")
    calls = (await central.received(3))[3:]
    assert [(p["evseId"], p["connectorId"]) for a, p in calls if a == "StatusNotification"] == reported


async def test_a_trigger_for_something_else_is_not_implemented(central, start, specs):
    start(specs["1.6"])
    await central.received(4)
    request = {"requestedMessage": "DiagnosticsStatusNotification"}
    assert await central.ask("CP-16", "TriggerMessage", request) == {"status": "NotImplemented"}


@pytest.mark.parametrize(
    ("asked", "reported"),
    [
        pytest.param(2, [(2, "Unavailable")], id="one connector"),
        pytest.param(0, [(0, "Unavailable"), (1, "Unavailable"), (2, "Unavailable")], id="the whole station"),
    ],
)
async def test_a_16_station_made_inoperative_answers_and_then_reports_it(central, start, specs, asked, reported):
    start(specs["1.6"])
    await central.received(4)
    request = {"connectorId": asked, "type": "Inoperative"}
    assert await central.ask("CP-16", "ChangeAvailability", request) == {"status": "Accepted"}
    assert statuses_16((await central.received(4 + len(reported)))[4:]) == reported
    assert await central.ask("CP-16", "ChangeAvailability", {"connectorId": asked, "type": "Operative"}) == {
        "status": "Accepted"
    }
    again = statuses_16((await central.received(4 + 2 * len(reported)))[4 + len(reported) :])
    assert again == [(connector, "Available") for connector, _ in reported]


async def test_availability_of_a_connector_that_there_is_not_is_rejected(central, start, specs):
    start(specs["1.6"])
    start(specs["2.0.1"])
    await central.received(7)
    request_16 = {"connectorId": 3, "type": "Inoperative"}
    assert await central.ask("CP-16", "ChangeAvailability", request_16) == {"status": "Rejected"}
    request_201 = {"operationalStatus": "Inoperative", "evse": {"id": 9}}
    assert await central.ask("CP-201", "ChangeAvailability", request_201) == {"status": "Rejected"}


@pytest.mark.parametrize(
    ("asked", "reported"),
    [
        pytest.param({"evse": {"id": 2}}, [(2, 1)], id="an EVSE"),
        pytest.param({"evse": {"id": 1, "connectorId": 1}}, [(1, 1)], id="a connector"),
        pytest.param({}, [(1, 1), (2, 1)], id="the whole station"),
    ],
)
async def test_a_201_station_made_inoperative_answers_and_then_reports_it(central, start, specs, asked, reported):
    start(specs["2.0.1"])
    await central.received(3)
    request = {"operationalStatus": "Inoperative", **asked}
    assert await central.ask("CP-201", "ChangeAvailability", request) == {"status": "Accepted"}
    calls = (await central.received(3 + len(reported)))[3:]
    assert [(p["evseId"], p["connectorId"], p["connectorStatus"]) for _, p in calls] == [
        (*address, "Unavailable") for address in reported
    ]


async def test_a_car_that_charges_is_left_alone_and_the_connector_is_out_of_service_when_it_leaves(
    central, start, specs
):
    station, one = start(specs["1.6"]), Address(0, 1)
    await central.received(4)
    act(station, Turn(one, State.PREPARING), Turn(one, State.CHARGING))
    await central.received(7)
    request = {"connectorId": 1, "type": "Inoperative"}
    assert await central.ask("CP-16", "ChangeAvailability", request) == {"status": "Scheduled"}
    act(station, Turn(one, State.FINISHING), Turn(one, State.FREE), Turn(one, State.PREPARING), Turn(one, State.FREE))
    assert await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "Heartbeat"}) == {"status": "Accepted"}
    await central.received(1, "Heartbeat")
    assert statuses_16((await central.received(7))[7:]) == [(1, "Finishing"), (1, "Unavailable")]


async def test_what_was_made_inoperative_stays_so_over_a_power_cycle(central, start, specs):
    station = start(specs["1.6"])
    await central.received(4)
    await central.ask("CP-16", "ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})
    await central.received(5)
    act(station, PowerCycle(SHORT))
    calls = (await central.received(9))[5:]
    assert statuses_16(calls) == [(0, "Available"), (1, "Available"), (2, "Unavailable")]


async def test_after_a_short_loss_only_what_changed_is_reported_and_nothing_boots(central, start, specs):
    station = start(specs["1.6"])
    await central.received(4)
    await caught_up(station)
    act(station, LoseNetwork(SHORT), Turn(Address(0, 2), State.FAULTED))
    await central.until(lambda: len(central.handshakes) == 2)
    await central.received(5)
    await caught_up(station)
    assert [(action, payload.get("status")) for action, payload in (await central.received(5))[4:]] == [
        ("StatusNotification", "Faulted")
    ]


async def test_after_a_power_cycle_the_station_boots_and_reports_everything(central, start, specs):
    station = start(specs["1.6"])
    await central.received(4)
    await caught_up(station)
    act(station, PowerCycle(SHORT))
    calls = (await central.received(8))[4:]
    assert [action for action, _ in calls] == ["BootNotification"] + ["StatusNotification"] * 3


async def test_a_report_that_was_not_answered_is_made_again_after_the_reconnect(central, start, specs):
    station = start(specs["1.6"])
    await central.received(4)
    await caught_up(station)
    central.silent_on.add("StatusNotification")
    act(station, Turn(Address(0, 1), State.FAULTED))
    await central.received(5)
    last = station.journal.last("CP-16", Address(0, 1))
    assert (last.status, last.answered) == ("Faulted", False)
    assert station.journal.last_answered("CP-16", Address(0, 1)).status == "Available"
    central.silent_on.clear()
    central.connections["CP-16"].transport.abort()
    assert statuses_16((await central.received(6))[4:]) == [(1, "Faulted"), (1, "Faulted")]
    await caught_up(station)
    assert station.journal.last_answered("CP-16", Address(0, 1)).n > last.n


async def test_no_answer_in_time_ends_the_connection_and_the_report_is_made_again(central, start, specs):
    station = start(specs["1.6"], timeout=timedelta(milliseconds=100))
    await central.received(4)
    await caught_up(station)
    central.silent_on.add("StatusNotification")
    act(station, Turn(Address(0, 1), State.FAULTED))
    await central.received(5)
    central.silent_on.clear()
    await central.until(lambda: len(central.handshakes) >= 2)
    await caught_up(station)
    assert station.journal.last_answered("CP-16", Address(0, 1)).status == "Faulted"
    assert station.counts.errors["TimeoutError"] >= 1


async def test_a_callerror_leaves_the_report_unanswered_and_the_connection_open(central, start, specs):
    station = start(specs["1.6"])
    await central.received(4)
    await caught_up(station)
    central.failing_on.add("StatusNotification")
    act(station, Turn(Address(0, 1), State.FAULTED))
    await central.received(5)
    central.failing_on.clear()
    assert not station.journal.last("CP-16", Address(0, 1)).answered
    await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1})
    await caught_up(station)
    assert len(central.handshakes) == 1
    assert station.journal.last_answered("CP-16", Address(0, 1)).status == "Faulted"


async def test_events_from_the_time_without_network_come_late_in_order_and_before_the_statuses(central, start, specs):
    station, one = start(specs["2.0.1"]), Address(1, 1)
    await central.received(3)
    await caught_up(station)
    act(station, LoseNetwork(SHORT), Turn(one, State.PREPARING), Turn(one, State.CHARGING), Turn(one, State.FINISHING))
    calls = (await central.received(7))[3:]
    assert [(a, p.get("seqNo"), p.get("offline")) for a, p in calls] == [
        ("TransactionEvent", 0, True),
        ("TransactionEvent", 1, True),
        ("TransactionEvent", 2, True),
        ("StatusNotification", None, None),
    ]


async def test_a_station_comes_back_when_the_server_does(central, start, specs):
    station = start(specs["1.6"])
    await central.received(4)
    await central.close()
    act(station, Turn(STATION_LEVEL, State.UNAVAILABLE))
    await central.open()
    calls = await central.received(5)
    assert statuses_16(calls[4:]) == [(0, "Unavailable")]


async def test_refused_credentials_are_noted_and_tried_again(central, start, specs):
    central.refuse_with = 401
    station = start(specs["1.6"])
    await central.until(lambda: len(central.handshakes) >= 2)
    assert (station.refused, station.ever_connected) == (401, False)
    central.refuse_with = None
    await central.received(4)
    assert (station.refused, station.ever_connected) == (None, True)


async def test_a_station_at_rest_is_caught_up_its_last_changes_are_answered(central, start, specs):
    station = start(specs["1.6"], rest=(Turn(Address(0, 1), State.UNAVAILABLE),))
    await central.received(4)
    assert not station.settled
    station.rest()
    await settled(station)
    assert statuses_16((await central.received(5))[4:]) == [(1, "Unavailable")]
    station.resume()
    assert not station.settled


async def test_timestamps_of_a_station_only_ever_grow(central, start, specs):
    station = start(specs["1.6"])
    for state in (State.PREPARING, State.FREE) * 5:
        act(station, Turn(Address(0, 1), state))
    calls = await central.received(4)
    stamps = [payload["timestamp"] for action, payload in calls if action == "StatusNotification"]
    assert stamps == sorted(set(stamps))


async def caught_up(station):
    """Wait until everything that is true now was answered, at rest or not."""
    async with asyncio.timeout(8):
        while not station.caught_up:  # noqa: ASYNC110 - a property, nothing to wait for
            await asyncio.sleep(0.01)
