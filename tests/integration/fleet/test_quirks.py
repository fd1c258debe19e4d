"""Stations with quirks, over real sockets."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import ocpp.messages
import pytest
from websockets.exceptions import ConnectionClosed

from simulators.fleet.behaviour import ConnectorState as State
from simulators.fleet.behaviour import LoseNetwork, ReadMeter, Turn
from simulators.fleet.layout import STATION_LEVEL, Address

FIRST = Address(0, 1)
TOLD = 4
"""Messages after which a 1.6 station has told everything."""
SHORT = timedelta(milliseconds=50)
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def _validate_in_the_loop():
    ocpp.messages.ASYNC_VALIDATION = False


@pytest.fixture
def begin(start, specs):
    """Start a 1.6 station with quirks: `station = begin("no-boot")`."""
    return lambda *quirks, **more: start(replace(specs["1.6"], quirks=frozenset(quirks)), **more)


async def reached(condition):
    """Wait for what is true at a station, which tells nobody."""
    async with asyncio.timeout(8):
        while not condition():  # noqa: ASYNC110 - nothing to wait for
            await asyncio.sleep(0.01)


def statuses(calls):
    return [(payload["connectorId"], payload["status"]) for action, payload in calls if action == "StatusNotification"]


async def test_a_ping_is_never_answered(central, begin):
    begin("no-pong")
    await central.received(TOLD)
    pong = await central.connections["CP-16"].ping()
    assert await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "Heartbeat"}) == {"status": "Accepted"}
    assert not pong.done()


async def test_without_that_quirk_a_ping_is_answered_before_a_later_request(central, begin):
    begin()
    await central.received(TOLD)
    pong = await central.connections["CP-16"].ping()
    await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "Heartbeat"})
    assert pong.done()


async def test_an_idle_connection_is_closed_with_1001(central, begin):
    begin("idle-close", speed=1000)
    await central.received(TOLD)
    first = central.connections["CP-16"]
    await first.wait_closed()
    assert first.close_code == 1001


async def test_a_loss_of_the_network_lasts_for_minutes_before_the_next_connection(central, begin):
    station = begin("silent-before-redial", speed=1000)
    await central.received(TOLD)
    lost = asyncio.get_running_loop().time()
    station.act(LoseNetwork(SHORT))
    await central.until(lambda: len(central.handshakes) == 2)
    assert 0.36 <= asyncio.get_running_loop().time() - lost < 5


async def test_a_connection_is_closed_after_a_while_for_nothing_and_another_opened(central, begin):
    begin("fast-reconnect", speed=300)
    await central.until(lambda: len(central.handshakes) >= 2)


async def test_requests_of_the_server_are_not_answered_and_heartbeats_go_on(central, begin):
    central.answers_with["BootNotification"] = {"status": "Accepted", "currentTime": NOW, "interval": 1}
    begin("heartbeat-only")
    await central.received(TOLD)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "BootNotification"})
    await central.received(1, "Heartbeat")
    assert len(await central.received(1, "BootNotification")) == 1


async def test_an_answer_is_cut_off_and_what_was_asked_for_is_sent_all_the_same(central, begin):
    begin("truncated-json")
    await central.received(TOLD)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "Heartbeat"})
    await central.received(1, "Heartbeat")
    assert central.unread == [b'[3,"m1",{"status":"Accepted"}']


async def test_invalid_meter_values_are_refused_and_stay_unanswered_in_the_journal(central, begin):
    station = begin("invalid-meter-values")
    await central.received(TOLD)
    station.act(Turn(FIRST, State.PREPARING))
    station.act(Turn(FIRST, State.CHARGING))
    await central.received(1, "StartTransaction")
    station.act(ReadMeter(FIRST))
    station.act(Turn(FIRST, State.SUSPENDED_EV))
    await central.until(lambda: "SuspendedEV" in [payload.get("status") for *_, payload in central.calls])
    assert len(central.unread) == 1
    assert b'"transactionId":}' in central.unread[0]
    updates = [report for report in station.journal.reports("CP-16", [FIRST]) if report.phase == "Updated"]
    assert [report.answered for report in updates] == [False]
    assert station.connected


async def test_message_ids_count_from_one_in_each_connection(central, begin):
    station = begin("repeated-ids")
    await central.received(TOLD)
    assert central.ids == ["1", "2", "3", "4"]
    station.act(LoseNetwork(SHORT))
    station.act(Turn(FIRST, State.FAULTED))
    await central.received(TOLD + 1)
    assert central.ids[-1] == "1"


@pytest.mark.parametrize("quirk", ["binary-frames", "junk-characters", "non-utf8", "unsolicited-results"])
async def test_a_server_that_reads_past_the_junk_hears_everything(central, begin, quirk):
    station = begin(quirk)
    calls = await central.received(TOLD)
    assert statuses(calls) == [(0, "Available"), (1, "Available"), (2, "Available")]
    await reached(lambda: station.caught_up)


@pytest.mark.parametrize("answer", ["error", "silence"])
async def test_a_refused_boot_is_tried_again_and_nothing_ends(central, begin, answer):
    refusing = central.failing_on if answer == "error" else central.silent_on
    refusing.add("BootNotification")
    station = begin("empty-vendor", speed=200, timeout=SHORT)
    boots = await central.received(2, "BootNotification")
    assert boots[0][1]["chargePointVendor"] == ""
    refusing.clear()
    await central.until(lambda: statuses([(a, p) for _, a, p in central.calls]) != [])
    assert station.connected


async def test_statuses_from_a_loss_come_late_in_order_with_their_own_times_and_then_what_is_true(central, begin):
    station = begin("offline-queue")
    await central.received(TOLD)
    station.act(LoseNetwork(SHORT))
    for state in (State.PREPARING, State.FREE, State.FAULTED):
        station.act(Turn(FIRST, state))
    calls = await central.received(TOLD + 3)
    assert statuses(calls)[3:6] == [(1, "Preparing"), (1, "Available"), (1, "Faulted")]
    times = [payload["timestamp"] for action, payload in calls if action == "StatusNotification"]
    assert times == sorted(times)
    await reached(lambda: station.caught_up)
    assert station.journal.last_answered("CP-16", FIRST).status == "Faulted"


async def test_without_an_offline_queue_only_what_is_true_is_told_after_a_loss(central, begin):
    station = begin()
    await central.received(TOLD)
    station.act(LoseNetwork(SHORT))
    for state in (State.PREPARING, State.FREE, State.FAULTED):
        station.act(Turn(FIRST, state))
    assert statuses(await central.received(TOLD + 1))[3:] == [(1, "Faulted")]


async def test_no_status_is_told_after_a_connect_but_when_it_changes_or_is_asked_for(central, begin):
    station = begin("no-status-after-connect")
    await central.received(1, "BootNotification")
    await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 2})
    assert statuses(await central.received(1, "StatusNotification")) == [(2, "Available")]
    assert not station.caught_up
    station.repeat_unanswered()
    station.act(Turn(FIRST, State.PREPARING))
    assert statuses(await central.received(2, "StatusNotification")) == [(2, "Available"), (1, "Preparing")]
    await reached(lambda: station.caught_up)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"requestedMessage": "StatusNotification", "connectorId": 1}, "Rejected"),
        ({"requestedMessage": "StatusNotification"}, "Rejected"),
        ({"requestedMessage": "Heartbeat"}, "Accepted"),
    ],
)
async def test_triggers_for_statuses_are_rejected(central, begin, asked, answer):
    begin("rejects-trigger")
    await central.received(TOLD)
    assert await central.ask("CP-16", "TriggerMessage", asked) == {"status": answer}


async def test_a_slow_answer_to_a_trigger_holds_nothing_else_up(central, begin):
    begin("slow-trigger", speed=200)
    await central.received(TOLD)
    answered = asyncio.create_task(central.ask("CP-16", "TriggerMessage", {"requestedMessage": "Heartbeat"}))
    await central.received(1, "Heartbeat")
    assert not answered.done()
    assert await answered == {"status": "Accepted"}


async def test_a_trigger_without_a_connector_brings_connector_0_only(central, begin):
    begin("trigger-only-connector-0")
    await central.received(TOLD)
    await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "StatusNotification"})
    await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 2})
    assert statuses(await central.received(TOLD + 2))[3:] == [(0, "Available"), (2, "Available")]


async def test_no_boot_is_sent_but_when_it_is_asked_for(central, begin):
    begin("no-boot")
    assert [action for action, _ in await central.received(3)] == ["StatusNotification"] * 3
    await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "BootNotification"})
    assert len(await central.received(1, "BootNotification")) == 1


async def test_a_request_before_its_boot_ends_the_connection(central, begin):
    central.silent_on.add("BootNotification")
    begin("dies-on-early-call", speed=1000)
    await central.received(1, "BootNotification")
    first = central.connections["CP-16"]
    with pytest.raises((TimeoutError, ConnectionClosed)):
        async with asyncio.timeout(0.05):
            await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "Heartbeat"})
    await first.wait_closed()
    assert first.close_code == 1006


async def test_connector_0_says_preparing_while_a_car_is_there(central, begin):
    station = begin("connector-0-disagrees")
    await central.received(TOLD)
    station.act(Turn(FIRST, State.PREPARING))
    assert statuses(await central.received(TOLD + 2))[3:] == [(0, "Preparing"), (1, "Preparing")]
    station.act(Turn(FIRST, State.FREE))
    assert statuses(await central.received(TOLD + 4))[5:] == [(0, "Available"), (1, "Available")]
    station.act(Turn(STATION_LEVEL, State.FAULTED))
    assert statuses(await central.received(TOLD + 5))[7:] == [(0, "Faulted")]


async def test_available_blinks_before_every_other_status(central, begin):
    station = begin("blink-available")
    await central.received(TOLD)
    station.act(Turn(FIRST, State.UNAVAILABLE))
    assert statuses(await central.received(TOLD + 2))[3:] == [(1, "Available"), (1, "Unavailable")]


async def test_a_bad_clock_is_in_the_message_and_in_the_journal(central, begin):
    station = begin("epoch-1970")
    calls = await central.received(TOLD)
    times = {payload["timestamp"] for action, payload in calls if action == "StatusNotification"}
    assert all(time.startswith("1970-01-01T00:0") for time in times)
    assert {report.at for report in station.journal.reports("CP-16", station.spec.reported)} == times


# --- half open --------------------------------------------------------------------------------------------------------


async def test_a_half_open_connection_stays_and_says_nothing_while_the_next_one_opens(central, begin):
    station = begin()
    await central.received(TOLD)
    old = central.connections["CP-16"]
    station.leave_open()
    await central.until(lambda: central.connections["CP-16"] is not old)
    pong = await old.ping()
    station.act(Turn(FIRST, State.FAULTED))
    assert statuses(await central.received(TOLD + 1))[3:] == [(1, "Faulted")]
    assert (old.state.name, pong.done()) == ("OPEN", False)
    assert station.counts.left_open == 1


async def test_with_the_quirk_a_loss_of_the_network_leaves_the_connection_half_open(central, begin):
    station = begin("half-open")
    await central.received(TOLD)
    old = central.connections["CP-16"]
    station.act(LoseNetwork(SHORT))
    await central.until(lambda: central.connections["CP-16"] is not old)
    assert old.state.name == "OPEN"


async def test_of_many_half_open_connections_the_oldest_ends(central, begin):
    station = begin()
    await central.received(TOLD)
    old = central.connections["CP-16"]
    for times in range(1, 6):
        await reached(lambda: station.caught_up)
        station.leave_open()
        await reached(lambda times=times: station.counts.left_open == times)
    await old.wait_closed()
    assert old.close_code == 1006
