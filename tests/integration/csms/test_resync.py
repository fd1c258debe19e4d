from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from csms.events import (
    ConnectorAddress,
    ResyncEnded,
    ResyncFinished,
    StationEvent,
    StationId,
    StatusReported,
)
from csms.ports import NotRecorded
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import BOOT_16, PATIENCE_S, STATUS_16, STATUS_201, Station, dial

SiteOf = Callable[..., Awaitable[Site]]
MS = timedelta(milliseconds=1)
CP1 = StationId("CP1")
ONE, TWO = ConnectorAddress(0, 1), ConnectorAddress(0, 2)
ENDS = (ResyncEnded, ResyncFinished)


async def site_with_cp1(site_of: SiteOf, first_call_wait: timedelta, settle: timedelta) -> Site:
    site = await site_of(
        first_call_wait=first_call_wait,
        settle=settle,
        settle_after_boot=10 * MS,
        trigger_timeout=60_000 * MS,
        storage_retry=20 * MS,
    )
    site.registry.add("CP1", connectors=(ONE, TWO))
    return site


@pytest.fixture
async def asking(site_of: SiteOf) -> Site:
    """Give a site that asks soon, and its 1.6 station CP1 with connectors 1 and 2."""
    return await site_with_cp1(site_of, 30 * MS, 10 * MS)


@pytest.fixture
async def patient(site_of: SiteOf) -> Site:
    """As `asking`, but it leaves the station time to report by itself, on a busy machine too."""
    return await site_with_cp1(site_of, 5_000 * MS, 400 * MS)


def outcomes(site: Site) -> list[tuple[int, int, str] | str]:
    return [
        (event.evse, event.connector, event.outcome.value) if isinstance(event, ResyncEnded) else "finished"
        for event in site.recorder.of(*ENDS)
    ]


async def accept(station: Station, expected: dict[str, Any]) -> None:
    """Answer the next TriggerMessage, which must carry this payload, with Accepted."""
    frame = await station.receive()
    assert (frame[0], frame[2], frame[3]) == (2, "TriggerMessage", expected)
    await station.send([3, frame[1], {"status": "Accepted"}])


def about(connector: int) -> dict[str, Any]:
    return {"requestedMessage": "StatusNotification", "connectorId": connector}


@pytest.mark.row("T60")
async def test_silent_16_station_is_asked_for_each_connector_one_at_a_time(asking: Site) -> None:
    station = await dial(asking.port)
    await accept(station, about(1))
    await station.call("StatusNotification", STATUS_16)
    await accept(station, about(2))
    await station.call("StatusNotification", {**STATUS_16, "connectorId": 2})
    await asking.recorder.until(1, ResyncFinished)
    assert outcomes(asking) == [(0, 1, "answered"), (0, 2, "answered"), "finished"]
    kinds = [type(event) for event in asking.recorder.events]
    assert kinds == [StatusReported, ResyncEnded, StatusReported, ResyncEnded, ResyncFinished]


async def test_201_station_is_asked_by_evse_and_connector(asking: Site) -> None:
    asking.registry.add("CP2", connectors=(ConnectorAddress(1, 1),))
    station = await dial(asking.port, "CP2", offers=["ocpp2.0.1"])
    await accept(station, {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}})
    await station.call("StatusNotification", STATUS_201)
    await asking.recorder.until(1, ResyncFinished)
    assert outcomes(asking) == [(1, 1, "answered"), "finished"]


@pytest.mark.row("T59")
async def test_connector_that_reported_by_itself_is_not_asked(patient: Site) -> None:
    station = await dial(patient.port)
    await station.call("StatusNotification", STATUS_16)
    await accept(station, about(2))
    await station.call("StatusNotification", {**STATUS_16, "connectorId": 2})
    await patient.recorder.until(1, ResyncFinished)
    assert outcomes(patient) == [(0, 2, "answered"), "finished"]


async def test_station_without_connectors_finishes_without_a_question(asking: Site) -> None:
    asking.registry.add("EMPTY")
    await dial(asking.port, "EMPTY")
    await asking.recorder.until(1, ResyncFinished)
    assert outcomes(asking) == ["finished"]


@pytest.mark.row("T61")
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([3, {"status": "Rejected"}], id="rejected"),
        pytest.param([3, {"status": "NotImplemented"}], id="not-implemented"),
        pytest.param([4, "NotSupported", "", {}], id="call-error"),
    ],
)
async def test_station_that_refuses_is_asked_once_only(asking: Site, answer: list[Any]) -> None:
    station = await dial(asking.port)
    frame = await station.receive()
    await station.send([answer[0], frame[1], *answer[1:]])
    await asking.recorder.until(1, ResyncFinished)
    assert outcomes(asking) == [(0, 1, "refused"), (0, 2, "refused"), "finished"]
    assert (await station.call("Heartbeat", {}))[0] == 3  # and no second question came before this answer


@pytest.mark.row("T61")
async def test_station_known_to_refuse_is_not_asked(asking: Site) -> None:
    asking.registry.add("CP1", connectors=(ONE, TWO), refuses_trigger=True)
    station = await dial(asking.port)
    await asking.recorder.until(1, ResyncFinished)
    assert outcomes(asking) == [(0, 1, "refused"), (0, 2, "refused"), "finished"]
    assert (await station.call("Heartbeat", {}))[0] == 3


@pytest.mark.row("T61")
async def test_question_without_an_answer_and_accepted_one_without_a_status_time_out(site_of: SiteOf) -> None:
    site = await site_of(first_call_wait=10 * MS, settle=10 * MS, trigger_timeout=100 * MS)
    site.registry.add("CP1", connectors=(ONE, TWO))
    station = await dial(site.port)
    assert (await station.receive())[3] == about(1)
    await accept(station, about(2))
    await site.recorder.until(1, ResyncFinished)
    assert outcomes(site) == [(0, 1, "timed_out"), (0, 2, "timed_out"), "finished"]


async def test_late_answer_is_dropped_and_counted(site_of: SiteOf) -> None:
    site = await site_of(first_call_wait=10 * MS, settle=10 * MS, trigger_timeout=30 * MS)
    site.registry.add("CP1", connectors=(ONE,))
    station = await dial(site.port)
    frame = await station.receive()
    await site.recorder.until(1, ResyncFinished)
    await station.send([3, frame[1], {"status": "Rejected"}])
    assert (await station.call("Heartbeat", {}))[0] == 3
    assert site.counter.counts["answer_unexpected"] == 1


async def test_boot_on_the_connection_starts_the_questions_afresh(patient: Site) -> None:
    station = await dial(patient.port)
    for connector in (1, 2):
        await station.call("StatusNotification", {**STATUS_16, "connectorId": connector})
    await patient.recorder.until(1, ResyncFinished)
    await station.call("BootNotification", BOOT_16)
    await accept(station, about(1))


async def accept_boot(station: Station) -> None:
    await accept(station, {"requestedMessage": "BootNotification"})


async def test_station_that_never_was_accepted_is_asked_to_boot_and_then_for_the_status_that_was_refused(
    patient: Site,
) -> None:
    patient.registry.add("NEW", accepted=False, connectors=(ONE,))
    station = await dial(patient.port, "NEW")
    assert (await station.call("StatusNotification", STATUS_16))[2] == "SecurityError"
    await accept_boot(station)
    await station.call("BootNotification", BOOT_16)
    await accept(station, about(1))
    assert (await station.call("StatusNotification", STATUS_16))[0] == 3
    await patient.recorder.until(1, ResyncFinished)
    assert [event.status for event in patient.recorder.of(StatusReported)] == ["Available"]


@pytest.mark.parametrize("answer", [[3, {"status": "Rejected"}], [4, "NotImplemented", "", {}]])
async def test_16_station_that_refuses_to_boot_is_taken_without(asking: Site, answer: list[Any]) -> None:
    asking.registry.add("NEW", accepted=False, connectors=(ONE,))
    station = await dial(asking.port, "NEW")
    frame = await station.receive()
    assert frame[3] == {"requestedMessage": "BootNotification"}
    await station.send([answer[0], frame[1], *answer[1:]])
    await accept(station, about(1))
    assert (await station.call("StatusNotification", STATUS_16))[0] == 3
    assert asking.counter.counts["station_without_boot"] == 1


async def test_201_station_that_refuses_to_boot_stays_refused_and_is_asked_once(asking: Site) -> None:
    asking.registry.add("NEW", accepted=False, connectors=(ConnectorAddress(1, 1),))
    station = await dial(asking.port, "NEW", offers=["ocpp2.0.1"])
    frame = await station.receive()
    await station.send([3, frame[1], {"status": "Rejected"}])
    for _ in range(3):
        assert (await station.call("StatusNotification", STATUS_201))[2] == "SecurityError"


async def test_status_of_connector_0_that_storage_lost_is_asked_for_without_a_connector(asking: Site) -> None:
    asking.registry.add("CP1", connectors=())
    station = await dial(asking.port)
    await asking.recorder.until(1, ResyncFinished)
    down = {**STATUS_16, "connectorId": 0, "status": "Unavailable"}

    async def storage_down(event: StationEvent) -> None:
        raise NotRecorded

    asking.recorder.before = storage_down
    assert (await station.call("StatusNotification", down))[2] == "InternalError"
    asking.recorder.before = None
    await accept(station, {"requestedMessage": "StatusNotification"})
    assert (await station.call("StatusNotification", down))[0] == 3
    await asking.recorder.until(2, ResyncFinished)
    assert [(event.connector, event.status) for event in asking.recorder.of(StatusReported)] == [(0, "Unavailable")]


@pytest.mark.row("T12")
async def test_status_that_storage_lost_is_asked_for_until_it_is_recorded(patient: Site) -> None:
    station = await dial(patient.port)
    for connector in (1, 2):
        await station.call("StatusNotification", {**STATUS_16, "connectorId": connector})
    await patient.recorder.until(1, ResyncFinished)

    async def storage_down(event: StationEvent) -> None:
        raise NotRecorded

    patient.recorder.before = storage_down
    assert (await station.call("StatusNotification", {**STATUS_16, "status": "Faulted"}))[2] == "InternalError"
    # The first question still meets a dead storage; the one after the wait does not.
    await accept(station, about(1))
    assert (await station.call("StatusNotification", {**STATUS_16, "status": "Faulted"}))[2] == "InternalError"
    patient.recorder.before = None
    await accept(station, about(1))
    assert (await station.call("StatusNotification", {**STATUS_16, "status": "Faulted"}))[0] == 3
    await accept(station, about(2))
    assert (await station.call("StatusNotification", {**STATUS_16, "connectorId": 2}))[0] == 3
    await patient.recorder.until(2, ResyncFinished)
    assert [event.status for event in patient.recorder.of(StatusReported)][-2:] == ["Faulted", "Available"]


async def test_lost_status_of_a_station_that_refuses_to_be_asked_is_recorded_when_storage_is_back(asking: Site) -> None:
    asking.registry.add("CP1", connectors=(ONE, TWO), refuses_trigger=True)
    station = await dial(asking.port)
    await asking.recorder.until(1, ResyncFinished)
    asking.recorder.down = True
    for status in ("Charging", "Faulted"):
        assert (await station.call("StatusNotification", {**STATUS_16, "status": status}))[2] == "InternalError"
    asking.recorder.down = False
    await asking.recorder.until(2, ResyncFinished)
    assert [(event.connector, event.status) for event in asking.recorder.of(StatusReported)] == [(1, "Faulted")]
    assert outcomes(asking)[-3:] == [(0, 1, "refused"), (0, 2, "refused"), "finished"]


async def test_status_that_storage_lost_never_follows_a_newer_one(asking: Site) -> None:
    asking.registry.add("CP1", connectors=(ONE,), refuses_trigger=True)
    station = await dial(asking.port)
    await asking.recorder.until(1, ResyncFinished)
    going_on = asyncio.Event()

    async def storage_down_for_one_status(event: StationEvent) -> None:
        if isinstance(event, StatusReported) and event.status == "Charging":
            raise NotRecorded
        if isinstance(event, StatusReported):
            await going_on.wait()

    asking.recorder.before = storage_down_for_one_status
    assert (await station.call("StatusNotification", {**STATUS_16, "status": "Charging"}))[2] == "InternalError"
    answering = asyncio.create_task(station.call("StatusNotification", {**STATUS_16, "status": "Faulted"}))
    await asking.recorder.until(2, ResyncFinished)
    going_on.set()
    assert (await answering)[0] == 3
    assert [event.status for event in asking.recorder.of(StatusReported)] == ["Faulted"]


async def test_end_that_storage_lost_is_recorded_later(asking: Site) -> None:
    asking.registry.add("CP1", connectors=(ONE,), refuses_trigger=True)
    failures = 2

    async def storage_down_for_a_while(event: StationEvent) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise NotRecorded

    asking.recorder.before = storage_down_for_a_while
    await dial(asking.port)
    await asking.recorder.until(1, ResyncFinished)
    assert outcomes(asking) == [(0, 1, "refused"), "finished"]


async def test_ask_sends_one_question_and_waits_for_nothing(site: Site) -> None:
    site.registry.add("CP1", connectors=(TWO,))
    station = await dial(site.port)
    await station.call("Heartbeat", {})
    async with asyncio.timeout(PATIENCE_S):
        await site.central.ask(CP1)
        frame = await station.receive()
        await site.central.ask(CP1)  # one is in flight already
        await site.central.ask(StationId("AWAY"))
    assert frame[2:] == ["TriggerMessage", about(2)]
    heard = site.recorder.heard_of[CP1]
    await station.send([4, frame[1], "NotImplemented", "", {}])
    for _ in range(2):  # a second question would come between these answers
        assert (await station.call("Heartbeat", {}))[0] == 3
    assert site.recorder.heard_of[CP1] == heard + 3
