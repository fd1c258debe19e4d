from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from csms.events import (
    Epoch,
    OcppVersion,
    ReportedStatus,
    StationBooted,
    StationDisconnected,
    StationEvent,
    StationId,
    StatusReported,
    TransactionIdNeeded,
    TransactionReported,
)
from csms.ports import EventRefused, NotRecorded, Superseded
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import BOOT_16, BOOT_201, PATIENCE_S, STATUS_16, STATUS_201, Station, dial

SiteOf = Callable[..., Awaitable[Site]]
CP1 = StationId("CP1")


class Gate:
    """Holds the recorder at each event until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, event: StationEvent) -> None:
        self.reached.set()
        await self.opened.wait()

    async def wait_reached(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.reached.wait()


def failing(*failures: Exception) -> Callable[[StationEvent], Awaitable[None]]:
    """Raise these at the next events, one each."""
    left = list(failures)

    async def before(event: StationEvent) -> None:
        if left:
            raise left.pop(0)

    return before


async def is_served(station: Station) -> bool:
    return bool((await station.call("Heartbeat", {}))[0] == 3)


# --- answers ------------------------------------------------------------------------------------------------------


async def test_status_is_recorded_and_answered(site: Site) -> None:
    station = await dial(site.port)
    assert await station.call("StatusNotification", {**STATUS_16, "status": "Charging"}) == [3, "m1", {}]
    [event] = site.recorder.of(StatusReported)
    assert (event.station, event.epoch, event.evse, event.connector) == (CP1, Epoch(1), 0, 1)
    assert event.status is ReportedStatus.CHARGING


async def test_status_is_answered_only_after_it_is_durable(site: Site) -> None:
    station = await dial(site.port)
    site.recorder.before = gate = Gate()
    await station.begin("StatusNotification", STATUS_16)
    await gate.wait_reached()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await station.socket.recv()
    gate.opened.set()
    assert await station.receive() == [3, "m1", {}]


async def test_station_that_waits_for_its_commit_holds_up_nobody_else(site: Site) -> None:
    site.registry.add("CP2")
    slow, fast = await dial(site.port), await dial(site.port, "CP2")
    gate = Gate()

    async def before(event: StationEvent) -> None:
        if event.station == "CP1":
            await gate(event)

    site.recorder.before = before
    await slow.begin("StatusNotification", STATUS_16)
    await gate.wait_reached()
    assert (await fast.call("StatusNotification", STATUS_16))[0] == 3
    gate.opened.set()
    assert (await slow.receive())[0] == 3


async def test_all_events_of_one_message_are_durable_and_in_order_before_its_answer(site: Site) -> None:
    station = await dial(site.port, offers=["ocpp2.0.1"])
    data = [
        {
            "eventId": number,
            "timestamp": "2026-11-21T10:00:00Z",
            "trigger": "Delta",
            "actualValue": value,
            "eventNotificationType": "HardWiredNotification",
            "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
            "variable": {"name": "AvailabilityState"},
        }
        for number, value in enumerate(["Occupied", "Available", "Faulted"], start=1)
    ]
    frame = await station.call("NotifyEvent", {"generatedAt": "2026-11-21T10:00:00Z", "seqNo": 0, "eventData": data})
    assert frame == [3, "m1", {}]
    assert [event.status for event in site.recorder.of(StatusReported)] == ["Occupied", "Available", "Faulted"]
    site.recorder.before = failing(EventRefused(), NotRecorded())
    frame = await station.call("NotifyEvent", {"generatedAt": "2026-11-21T10:00:00Z", "seqNo": 0, "eventData": data})
    assert frame[:3] == [4, "m2", "InternalError"]


async def test_start_transaction_gets_the_id_that_the_host_gave(site: Site) -> None:
    station = await dial(site.port)
    start = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": "2026-11-21T10:00:00Z"}
    ids = [(await station.call("StartTransaction", start))[2]["transactionId"] for _ in range(2)]
    assert ids == [1, 2]
    assert len(site.recorder.of(TransactionIdNeeded)) == 2


async def test_transaction_event_of_201_is_recorded(site: Site) -> None:
    station = await dial(site.port, offers=["ocpp2.0.1"])
    frame = await station.call(
        "TransactionEvent",
        {
            "eventType": "Started",
            "timestamp": "2026-11-21T10:00:00Z",
            "triggerReason": "CablePluggedIn",
            "seqNo": 0,
            "transactionInfo": {"transactionId": "t1", "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
        },
    )
    assert frame[0] == 3
    assert [event.transaction for event in site.recorder.of(TransactionReported)] == ["t1"]


@pytest.mark.parametrize(
    ("version", "action", "code"),
    [
        # OCPP-J 1.6 §4.2.3; OCPP 2.0.1 Part 4 §4.3
        pytest.param("ocpp1.6", "MakeCoffee", "NotImplemented", id="1.6-unknown"),
        pytest.param("ocpp1.6", "Reset", "NotSupported", id="1.6-ours"),
        pytest.param("ocpp2.0.1", "MakeCoffee", "NotImplemented", id="2.0.1-unknown"),
        pytest.param("ocpp2.0.1", "Reset", "NotSupported", id="2.0.1-ours"),
        pytest.param("ocpp2.1", "MakeCoffee", "NotImplemented", id="2.1-unknown"),
        pytest.param("ocpp2.1", "Reset", "NotSupported", id="2.1-ours"),
        pytest.param("ocpp2.1", "NotifyPeriodicEventStream", "NotSupported", id="2.1-only-sent"),
    ],
)
async def test_action_that_no_station_may_send_is_refused(site: Site, version: str, action: str, code: str) -> None:
    station = await dial(site.port, offers=[version])
    assert (await station.call(action, {}))[:3] == [4, "m1", code]
    assert await is_served(station)


async def test_every_frame_is_a_sign_of_life(site: Site) -> None:
    station = await dial(site.port)
    await station.call("Heartbeat", {})
    await station.send("nonsense")
    await station.call("Heartbeat", {})
    assert site.recorder.heard_of[CP1] == 3


async def test_ping_of_the_station_is_a_sign_of_life(site: Site) -> None:
    station = await dial(site.port)
    async with asyncio.timeout(PATIENCE_S):
        await (await station.socket.ping())
    assert site.recorder.heard_of[CP1] == 1


async def test_pong_is_a_sign_of_life(site_of: SiteOf) -> None:
    site = await site_of(ping_interval=timedelta(milliseconds=20))
    site.registry.add("CP1")
    heard = asyncio.Event()
    site.recorder.heard = lambda station: heard.set()  # type: ignore[method-assign]
    await dial(site.port)
    async with asyncio.timeout(PATIENCE_S):
        await heard.wait()


# --- acceptance ---------------------------------------------------------------------------------------------------


@pytest.mark.row("T66")
@pytest.mark.parametrize(
    ("version", "status", "boot"),
    [
        # OCPP-J 1.6 errata §3.8; OCPP 2.0.1 Part 2 B01.FR.10
        pytest.param("ocpp1.6", STATUS_16, BOOT_16, id="1.6"),
        pytest.param("ocpp2.0.1", STATUS_201, BOOT_201, id="2.0.1"),
        pytest.param("ocpp2.1", STATUS_201, BOOT_201, id="2.1"),
    ],
)
async def test_before_acceptance_everything_but_boot_is_a_security_error(
    site: Site, version: str, status: dict[str, Any], boot: dict[str, Any]
) -> None:
    site.registry.add("NEW", accepted=False)
    station = await dial(site.port, "NEW", offers=[version])
    assert (await station.call("StatusNotification", status))[:3] == [4, "m1", "SecurityError"]
    assert (await station.call("MakeCoffee", {}))[:3] == [4, "m2", "SecurityError"]
    assert site.recorder.events == []
    frame = await station.call("BootNotification", boot)
    assert (frame[0], frame[2]["status"]) == (3, "Accepted")
    assert (await station.call("StatusNotification", status))[0] == 3
    assert [type(event) for event in site.recorder.events] == [StationBooted, StatusReported]


async def test_boot_that_was_not_recorded_accepts_nobody(site: Site) -> None:
    site.registry.add("NEW", accepted=False)
    station = await dial(site.port, "NEW")
    site.recorder.before = failing(NotRecorded())
    assert (await station.call("BootNotification", BOOT_16))[:3] == [4, "m1", "InternalError"]
    assert (await station.call("StatusNotification", STATUS_16))[:3] == [4, "m2", "SecurityError"]


@pytest.mark.row("T59")
async def test_accepted_station_needs_no_boot_after_our_restart(site: Site) -> None:
    station = await dial(site.port)
    assert (await station.call("StatusNotification", STATUS_16))[0] == 3


# --- failures -----------------------------------------------------------------------------------------------------


async def test_status_that_was_not_recorded_is_an_internal_error(site: Site) -> None:
    station = await dial(site.port)
    site.recorder.before = failing(NotRecorded())
    assert (await station.call("StatusNotification", STATUS_16))[:3] == [4, "m1", "InternalError"]
    assert site.recorder.events == []
    assert (await station.call("StatusNotification", STATUS_16))[0] == 3


async def test_event_that_the_host_refuses_spoils_only_its_own_call(site: Site) -> None:
    station = await dial(site.port)
    site.recorder.before = failing(EventRefused())
    assert (await station.call("StatusNotification", STATUS_16))[:3] == [4, "m1", "PropertyConstraintViolation"]
    assert (await station.call("StatusNotification", STATUS_16))[0] == 3


async def test_error_of_ours_is_answered_counted_and_survived(site: Site) -> None:
    station = await dial(site.port)
    site.recorder.before = failing(ZeroDivisionError())
    assert (await station.call("StatusNotification", STATUS_16))[:3] == [4, "m1", "InternalError"]
    assert site.counter.counts["frame_failed"] == 1
    assert await is_served(station)


async def test_superseded_session_does_not_answer_and_closes(site: Site) -> None:
    station = await dial(site.port)
    site.recorder.before = failing(Superseded())
    await station.begin("StatusNotification", STATUS_16)
    assert await station.closed() == 1008
    assert site.recorder.of(StatusReported) == []


NASTY: list[str | bytes] = [
    "",
    " ",
    "nonsense",
    "null",
    "{}",
    "[]",
    "[2]",
    '["2","x","Heartbeat",{}]',
    '[2,7,"Heartbeat",{}]',
    '[2,"","Heartbeat",{}]',
    '[2,"' + "x" * 37 + '","Heartbeat",{}]',
    '[9,"x","Heartbeat",{}]',
    '[true,"x","Heartbeat",{}]',
    '[2.0,"x","Heartbeat",{}]',
    '[3,"nobody-asked",{}]',
    '[3,"nobody-asked"]',
    '[3,["x"],{}]',
    '[4,"nobody-asked","InternalError","",{}]',
    '[4,"nobody-asked"]',
    "[" * 100_000,
    '[2,"d","Heartbeat",' + '{"a":' * 5000 + "1" + "}" * 5000 + "]",
    b"\xff\xfe\xfd",
    b"\x00" * 64,
    "\x00",
    "\ufeff",
]

ANSWERED: list[tuple[str, str]] = [
    ('[2,"n1",["Heartbeat"],{}]', "n1"),
    ('[2,"n2",{"a":1},{}]', "n2"),
    ('[2,"n3","Heartbeat",[]]', "n3"),
    ('[2,"n4","Heartbeat"]', "n4"),
    ('[2,"n5","Heartbeat",{},{}]', "n5"),
    ('[2,"n6","StatusNotification",{"connectorId":' + "9" * 5000 + "}]", "n6"),
    ('[2,"n7","StatusNotification",{"connectorId":NaN}]', "n7"),
    ('[2,"n8","StatusNotification",{"connectorId":[],"status":{}}]', "n8"),
    ('[2,"n9","MeterValues",{"transactionId":,}]', "n9"),
    ('[2,"n10","__class__",{}]', "n10"),
    ('[2,"n11","BootNotification",{"chargePointVendor":null}]', "n11"),
    ('[2,"n12","StartTransaction",{}]', "n12"),
    ('[2,"n13","Heartbeat",null]', "n13"),
    ('[2,"n14","StatusNotification",{"connectorId":1,"status":"\\ud800","errorCode":"NoError"}]', "n14"),
]


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
async def test_no_frame_ends_the_session_and_no_readable_call_stays_unanswered(site: Site, version: str) -> None:
    station = await dial(site.port, offers=[version])
    for frame in NASTY:
        await station.send(frame)
    await station.socket.send(b'[2,"u","Heartbeat",{"a":"\xff"}]', text=True)  # a text frame that is no UTF-8
    for text, _ in ANSWERED:
        await station.send(text)
    await station.send([2, "last", "Heartbeat", {}])
    answers: list[Any] = []
    while not answers or answers[-1][1] != "last":
        answers.append(await station.receive())
    assert answers[-1][0] == 3
    answered = [frame[1] for frame in answers if frame[1].startswith("n")]
    assert answered == [message_id for _, message_id in ANSWERED]
    assert site.counter.counts["frame_failed"] == 0


async def test_binary_frame_with_json_is_answered_and_strict_closes_it_with_1003(site: Site) -> None:
    station = await dial(site.port)
    await station.send(json.dumps([2, "b", "Heartbeat", {}]).encode())
    assert (await station.receive())[:2] == [3, "b"]
    site.registry.add("STRICT", strict=True)
    station = await dial(site.port, "STRICT")
    assert await is_served(station)
    await station.send(json.dumps([2, "b", "Heartbeat", {}]).encode())
    assert await station.closed() == 1003


async def test_strict_station_is_held_to_the_schema(site: Site) -> None:
    site.registry.add("STRICT", strict=True)
    site.registry.add("LENIENT")
    status = {"connectorId": 1, "status": "Available"}  # errorCode is missing
    strict, lenient = await dial(site.port, "STRICT"), await dial(site.port, "LENIENT")
    assert (await strict.call("StatusNotification", status))[:3] == [4, "m1", "ProtocolError"]
    assert (await lenient.call("StatusNotification", status))[0] == 3


async def test_message_above_the_limit_closes_that_socket_only(site_of: SiteOf) -> None:
    site = await site_of(max_size=1000)
    site.registry.add("CP1")
    site.registry.add("CP2")
    loud, quiet = await dial(site.port), await dial(site.port, "CP2")
    await loud.send("x" * 1001)
    assert await loud.closed() == 1009
    assert await is_served(quiet)


async def flood(station: Station) -> None:
    """Call on and on without reading an answer, until the socket is reset."""
    frame = json.dumps([2, "x" * 36, "Heartbeat", {}])
    while True:
        await station.socket.send(frame)


@pytest.mark.row("T68")
async def test_station_that_reads_nothing_is_cut(site_of: SiteOf) -> None:
    site = await site_of(send_timeout=timedelta(milliseconds=50), messages_per_second=0)
    site.registry.add("CP1")
    station = await dial(site.port)
    station.socket.transport.pause_reading()
    async with asyncio.timeout(30):
        with pytest.raises(ConnectionClosed):
            await flood(station)
    await site.recorder.until(1, StationDisconnected)


# --- duplicates ---------------------------------------------------------------------------------------------------


@pytest.mark.row("T53")
async def test_newest_authenticated_connection_wins_and_the_late_end_of_the_old_one_disturbs_nothing(
    site: Site,
) -> None:
    old = await dial(site.port)
    old.socket.transport.pause_reading()  # half-open: it will not answer our close frame
    new = await dial(site.port)
    assert (await new.call("StatusNotification", STATUS_16))[0] == 3
    assert site.central.connected[CP1].epoch == 2
    assert site.central.connected[CP1].takeovers == 1
    old.socket.transport.resume_reading()
    assert await old.closed() == 1008
    assert (await new.call("StatusNotification", STATUS_16))[0] == 3
    assert site.central.connected[CP1].epoch == 2
    assert site.recorder.of(StationDisconnected) == []
    await new.socket.close()
    assert await site.recorder.until(1, StationDisconnected) == [StationDisconnected(CP1, Epoch(2))]
    assert site.counter.counts["connection_taken_over"] == 1


@pytest.mark.row("T54")
async def test_failed_attempts_never_touch_the_live_session(site: Site) -> None:
    station = await dial(site.port)
    attempts: tuple[dict[str, Any], ...] = (
        {"password": b"wrong"},
        {"password": None},
        {"offers": ["ocpp0.1"]},
        {"origin": "https://x.example"},
    )
    for attempt in attempts:
        with pytest.raises(InvalidStatus):
            await dial(site.port, **attempt)
    assert (await station.call("StatusNotification", STATUS_16))[0] == 3
    assert len(site.recorder.opened) == 1


@pytest.mark.row("T53")
async def test_unauthenticated_duplicate_is_refused_while_the_live_one_answers(site: Site) -> None:
    site.registry.add("OPEN", key=None)
    live = await dial(site.port, "OPEN", password=None)
    with pytest.raises(InvalidStatus) as caught:
        await dial(site.port, "OPEN", password=None)
    assert caught.value.response.status_code == 409
    assert await is_served(live)
    assert len(site.recorder.opened) == 1


@pytest.mark.row("T53")
async def test_unauthenticated_duplicate_wins_over_a_dead_one(site_of: SiteOf) -> None:
    site = await site_of(duplicate_ping=timedelta(milliseconds=50))
    site.registry.add("OPEN", key=None)
    dead = await dial(site.port, "OPEN", password=None)
    dead.socket.transport.pause_reading()
    assert await is_served(await dial(site.port, "OPEN", password=None))
    assert site.central.connected[StationId("OPEN")].epoch == 2


async def test_end_of_a_connection_is_recorded(site: Site) -> None:
    station = await dial(site.port)
    await station.call("Heartbeat", {})
    station.socket.transport.abort()
    assert await site.recorder.until(1, StationDisconnected) == [StationDisconnected(CP1, Epoch(1))]
    assert site.central.connected == {}


async def test_version_belongs_to_the_connection(site: Site) -> None:
    probe = await dial(site.port, offers=["ocpp1.6"])
    await probe.socket.close()
    station = await dial(site.port, offers=["ocpp2.0.1"])
    assert (await station.call("StatusNotification", STATUS_201))[0] == 3
    assert site.recorder.of(StatusReported)[-1].version is OcppVersion.V201


# --- stopping -----------------------------------------------------------------------------------------------------


async def test_stop_answers_what_is_in_work_and_closes_with_1001(site: Site) -> None:
    site.registry.add("CP2")
    busy, idle = await dial(site.port), await dial(site.port, "CP2")
    await idle.call("Heartbeat", {})
    site.recorder.before = gate = Gate()
    await busy.begin("StatusNotification", STATUS_16)
    await gate.wait_reached()
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        group.create_task(site.central.stop())
        assert await idle.closed() == 1001
        gate.opened.set()
        assert await busy.receive() == [3, "m1", {}]
        assert await busy.closed() == 1001
    assert len(site.recorder.of(StatusReported)) == 1
    assert len(site.recorder.of(StationDisconnected)) == 2
    assert site.central.connected == {}
    with pytest.raises(ConnectionRefusedError):
        await dial(site.port)


async def test_stop_is_bounded_when_storage_hangs_and_a_station_is_deaf(site_of: SiteOf) -> None:
    site = await site_of(stop_timeout=timedelta(milliseconds=200))
    site.registry.add("CP1")
    site.registry.add("CP2")
    hung, deaf = await dial(site.port), await dial(site.port, "CP2")
    deaf.socket.transport.pause_reading()
    site.recorder.before = gate = Gate()
    await hung.begin("StatusNotification", STATUS_16)
    await gate.wait_reached()
    async with asyncio.timeout(2):
        await site.central.stop()
    assert await hung.closed() == 1006
    gate.opened.set()
