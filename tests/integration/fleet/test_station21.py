"""What OCPP 2.1 adds, over real sockets."""

import ocpp.messages
import pytest

from simulators.fleet.behaviour import ConnectorState as State
from simulators.fleet.behaviour import ReadMeter, Turn
from simulators.fleet.layout import Address

CONNECTOR = Address(1, 1)


@pytest.fixture(autouse=True)
def _validate_in_the_loop():
    ocpp.messages.ASYNC_VALIDATION = False


async def test_a_21_station_boots_and_reports_by_notify_event(central, start, specs):
    start(specs["2.1"])
    calls = await central.received(4)
    assert central.handshakes[0][:2] == ("CP-21", "ocpp2.1")
    assert [action for action, _ in calls] == ["BootNotification"] + ["NotifyEvent"] * 3
    assert calls[0][1]["chargingStation"]["model"] == "Simulated-21"
    assert [payload["eventData"][0]["actualValue"] for _, payload in calls[1:]] == ["Available"] * 3


async def test_its_meter_is_a_transaction_event_and_a_send_that_nobody_answers(central, start, specs):
    station = start(specs["2.1"])
    await central.received(4)
    station.act(Turn(CONNECTOR, State.PREPARING))
    station.act(Turn(CONNECTOR, State.CHARGING))
    station.act(ReadMeter(CONNECTOR))
    await central.until(lambda: len(central.others) >= 2)
    kind, message_id, action, payload = central.others[-1][1]
    assert (kind, action) == (6, "NotifyPeriodicEventStream")
    assert len(message_id) <= 36
    assert set(payload) == {"id", "pending", "basetime", "data"}
    assert int(payload["data"][0]["v"]) > 0
    phases = [payload["eventType"] for _, payload in await central.received(3, "TransactionEvent")]
    assert phases == ["Started", "Updated", "Updated"]


async def test_a_bad_result_is_answered_with_callresulterror_and_the_report_counts_as_unanswered(central, start, specs):
    central.bad_results_on.add("NotifyEvent")
    station = start(specs["2.1"])
    await central.until(lambda: len(central.others) == 3)
    kind, message_id, code, description, details = central.others[0][1]
    assert (kind, code, details) == (5, "FormatViolation", {})
    assert 0 < len(message_id) <= 36
    assert "nonsense" not in description
    assert station.journal.last_answered("CP-21", CONNECTOR) is None
    assert station.connected


async def test_a_callerror_is_not_answered(central, start, specs):
    central.failing_on.add("NotifyEvent")
    start(specs["2.1"])
    await central.received(4)
    central.failing_on.clear()
    assert await central.ask("CP-21", "TriggerMessage", {"requestedMessage": "Heartbeat"}) == {"status": "Accepted"}
    await central.received(1, "Heartbeat")
    assert central.others == []


async def test_it_answers_a_trigger_and_then_reports(central, start, specs):
    start(specs["2.1"])
    await central.received(4)
    asked = {"requestedMessage": "StatusNotification", "evse": {"id": 2, "connectorId": 1}}
    assert await central.ask("CP-21", "TriggerMessage", asked) == {"status": "Accepted"}
    events = await central.received(4, "NotifyEvent")
    assert events[-1][1]["eventData"][0]["component"]["evse"] == {"id": 2, "connectorId": 1}


async def test_a_call_that_it_does_not_serve_is_answered_with_not_implemented(central, start, specs):
    start(specs["2.1"])
    await central.received(4)
    assert await central.ask("CP-21", "ClearCache", {}) == "NotImplemented"
