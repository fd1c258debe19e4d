"""Sessions of OCPP 2.1 through real sockets: what its two new message types do, and that neither is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from csms.events import (
    ConnectorAddress,
    Epoch,
    OcppVersion,
    ReportedStatus,
    ResyncEnded,
    ResyncFinished,
    StationBooted,
    StationEvent,
    StationId,
    StatusReported,
)
from csms.ports import EventRefused, NotRecorded
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import BOOT_201, STATUS_201, Station, dial

CP1 = StationId("CP1")
SiteOf = Callable[..., Awaitable[Site]]
MS = timedelta(milliseconds=1)
STREAM = {"id": 1, "pending": 0, "basetime": "2026-11-21T10:00:00Z", "data": [{"t": 0, "v": "230.1"}]}


async def connected(site: Site, station: str = "CP1") -> Station:
    return await dial(site.port, station, offers=["ocpp2.1"])


async def answers_until_heartbeat(station: Station) -> list[list[Any]]:
    """Return what came before the answer to a Heartbeat that is sent now."""
    await station.send([2, "last", "Heartbeat", {}])
    frames = [await station.receive()]
    while frames[-1][1] != "last":
        frames.append(await station.receive())
    assert frames[-1][0] == 3
    return frames[:-1]


async def test_station_boots_reports_and_belongs_to_its_version(site: Site) -> None:
    site.registry.add("NEW", accepted=False)
    station = await connected(site, "NEW")
    frame = await station.call("BootNotification", BOOT_201)
    assert (frame[0], frame[2]["status"]) == (3, "Accepted")
    assert await station.call("StatusNotification", STATUS_201) == [3, "m2", {}]
    [event] = site.recorder.of(StatusReported)
    assert (event.version, event.evse, event.connector) == (OcppVersion.V21, 1, 1)
    assert site.recorder.opened[0].version is OcppVersion.V21
    assert site.central.connected[StationId("NEW")].version is OcppVersion.V21


async def test_stream_is_declined_and_what_is_sent_all_the_same_is_not_answered(site: Site) -> None:
    station = await connected(site)
    data = {"constantStreamData": {"id": 1, "variableMonitoringId": 2, "params": {"interval": 5, "values": 2}}}
    assert await station.call("OpenPeriodicEventStream", data) == [3, "m1", {"status": "Rejected"}]
    await station.send([6, "s1", "NotifyPeriodicEventStream", STREAM])
    assert await answers_until_heartbeat(station) == []
    assert site.recorder.events == []
    assert not [name for name in site.counter.counts if name.startswith(("send_", "frame_", "message_"))]


async def test_status_that_is_sent_counts_and_is_not_answered(site: Site) -> None:
    station = await connected(site)
    await station.send([6, "s1", "StatusNotification", STATUS_201 | {"connectorStatus": "occupied"}])
    assert await answers_until_heartbeat(station) == []
    assert site.recorder.events == [
        StatusReported(
            CP1, Epoch(1), OcppVersion.V21, 1, 1, ReportedStatus.OCCUPIED, reported_at="2026-11-21T10:00:00Z"
        )
    ]
    assert site.counter.counts["status_lenient_case"] == 1


DROPPED = {
    "unknown": ("MakeCoffee", {}, "send_dropped_not_implemented"),
    "ours": ("Reset", {"type": "Immediate"}, "send_dropped_not_implemented"),
    "unclear": ("StatusNotification", STATUS_201 | {"connectorStatus": "Foo"}, "send_dropped_property_constraint"),
}


@pytest.mark.parametrize(("action", "payload", "count"), DROPPED.values(), ids=DROPPED.keys())
async def test_send_of_no_use_is_counted_and_not_answered(
    site: Site, action: str, payload: dict[str, Any], count: str
) -> None:
    station = await connected(site)
    await station.send([6, "s1", action, payload])
    assert await answers_until_heartbeat(station) == []
    assert site.recorder.events == []
    assert site.counter.counts[count] == 1


async def test_broken_send_is_counted_and_not_answered(site: Site) -> None:
    station = await connected(site)
    for frame in ('[6,"s1","StatusNotification",{"a":', '[6,"s1"]', "[6]", '[6,"s1","X",7]'):
        await station.send(frame)
    assert await answers_until_heartbeat(station) == []
    counts = site.counter.counts
    assert [counts[f"frame_malformed_{kind}"] for kind in ("not_json", "wrong_length", "bad_id", "bad_payload")] == [
        1
    ] * 4


async def test_nothing_that_is_sent_counts_before_acceptance(site: Site) -> None:
    site.registry.add("NEW", accepted=False)
    station = await connected(site, "NEW")
    await station.send([6, "s1", "BootNotification", BOOT_201])
    await station.send([6, "s2", "StatusNotification", STATUS_201])
    assert (await station.call("StatusNotification", STATUS_201))[:3] == [4, "m1", "SecurityError"]
    assert site.recorder.events == []
    assert site.counter.counts["send_dropped_security"] == 2
    await station.call("BootNotification", BOOT_201)
    assert [type(event) for event in site.recorder.events] == [StationBooted]


@pytest.mark.parametrize(
    ("failure", "count"),
    [
        pytest.param(NotRecorded(), "send_dropped_internal", id="storage"),
        pytest.param(EventRefused(), "send_dropped_property_constraint", id="refused"),
    ],
)
async def test_sent_status_that_was_not_recorded_is_counted_and_the_session_goes_on(
    site: Site, failure: Exception, count: str
) -> None:
    station = await connected(site)

    async def before(event: StationEvent) -> None:
        raise failure

    site.recorder.before = before
    await station.send([6, "s1", "StatusNotification", STATUS_201])
    assert await answers_until_heartbeat(station) == []
    site.recorder.before = None
    assert site.counter.counts[count] == 1
    assert (await station.call("StatusNotification", STATUS_201))[0] == 3


async def test_sent_status_that_storage_lost_is_asked_for(site_of: Callable[..., Awaitable[Site]]) -> None:
    site = await site_of(first_call_wait=10 * MS, settle=10 * MS, storage_retry=10 * MS)
    site.registry.add("CP1", connectors=(ConnectorAddress(1, 1),))
    station = await connected(site)
    await answer_trigger(station)
    await site.recorder.until(1, ResyncFinished)

    async def before(event: StationEvent) -> None:
        if isinstance(event, StatusReported):
            site.recorder.before = None
            raise NotRecorded

    site.recorder.before = before
    await station.send([6, "lost", "StatusNotification", STATUS_201])
    await answer_trigger(station)
    await site.recorder.until(2, ResyncFinished)
    assert [end.outcome for end in site.recorder.of(ResyncEnded)] == ["answered", "answered"]
    assert len(site.recorder.of(StatusReported)) == 2


async def answer_trigger(station: Station) -> None:
    """Expect the question for connector 1 of EVSE 1, and answer it by a SEND."""
    frame = await station.receive()
    evse = {"id": 1, "connectorId": 1}
    assert (frame[0], frame[2:]) == (2, ["TriggerMessage", {"requestedMessage": "StatusNotification", "evse": evse}])
    await station.send([3, frame[1], {"status": "Accepted"}])
    await station.send([6, f"for {frame[1]}"[:36], "StatusNotification", STATUS_201])


async def test_result_that_the_station_refuses_is_counted_and_not_answered(site: Site) -> None:
    station = await connected(site)
    assert await station.call("StatusNotification", STATUS_201) == [3, "m1", {}]
    await station.send([5, "m1", "TypeConstraintViolation", "no", {}])
    await station.send([5, "never", "GenericError", "", {}])
    assert await answers_until_heartbeat(station) == []
    assert site.counter.counts["result_refused"] == 2
    assert site.counter.counts["answer_unexpected"] == 0


async def test_call_result_error_ends_no_call_of_ours(site: Site) -> None:
    station = await connected(site)
    asking = asyncio.create_task(site.central.change_availability(CP1, ConnectorAddress(1, 0), operative=False))
    frame = await station.receive()
    await station.send([5, frame[1], "GenericError", "", {}])
    assert await answers_until_heartbeat(station) == []
    assert not asking.done()
    await station.send([3, frame[1], {"status": "Accepted"}])
    assert (await asking).outcome == "accepted"


@pytest.mark.parametrize(
    ("version", "answered"),
    [
        # OCPP-J 1.6 §4.1.3 ignores an unknown type; OCPP 2.0.1 Part 4 §4.4 answers it.
        pytest.param("ocpp1.6", [], id="1.6"),
        pytest.param("ocpp2.0.1", [[4, "s1", "MessageTypeNotSupported", "", {}]], id="2.0.1"),
    ],
)
async def test_send_of_an_older_version_is_an_unknown_type(site: Site, version: str, answered: list[list[Any]]) -> None:
    station = await dial(site.port, offers=[version])
    await station.send([6, "s1", "StatusNotification", STATUS_201])
    assert await answers_until_heartbeat(station) == answered
    assert site.recorder.events == []
    assert site.counter.counts["frame_malformed_unknown_type"] == 1


@pytest.mark.parametrize(
    ("payload", "refused", "why"),
    [
        pytest.param({"status": "Accepted"}, None, "", id="right"),
        pytest.param({"state": "Accepted"}, "OccurrenceConstraintViolation", "status is missing", id="missing"),
        pytest.param({"status": 1}, "TypeConstraintViolation", "status is not a string", id="of-another-type"),
    ],
)
async def test_an_answer_that_the_schema_refuses_is_told_the_station_and_shown_to_the_operator(
    site: Site, payload: dict[str, Any], refused: str | None, why: str
) -> None:
    station = await connected(site)
    asking = asyncio.create_task(site.central.call(CP1, "Reset", {"type": "OnIdle"}))
    message_id = (await station.receive())[1]
    await station.send([3, message_id, payload])
    answer = await asking
    assert (answer.payload, answer.valid) == (payload, refused is None)
    frames = await answers_until_heartbeat(station)
    assert frames == ([] if refused is None else [[5, message_id, refused, frames[0][3], {}]])
    assert refused is None or answer.why == frames[0][3] != ""
    assert site.counter.counts["answer_refused"] == (0 if refused is None else 1)


async def test_a_resync_answer_that_the_schema_refuses_is_told_the_station(site_of: SiteOf) -> None:
    site = await site_of(first_call_wait=MS, settle=MS)
    site.registry.add("CP1", connectors=(ConnectorAddress(1, 1),))
    station = await connected(site)
    [_, message_id, action, _] = await station.receive()
    assert action == "TriggerMessage"
    await station.send([3, message_id, {"status": "Accepted", "extra": 1}])
    assert (await station.receive())[:3] == [5, message_id, "FormatViolation"]


async def test_nothing_is_said_about_an_answer_that_nobody_waits_for(site: Site) -> None:
    station = await connected(site)
    await station.send([3, "nobody", {"state": "Accepted"}])
    assert await answers_until_heartbeat(station) == []
    assert site.counter.counts["answer_unexpected"] == 1


@pytest.mark.parametrize("offer", ["ocpp1.6", "ocpp2.0.1"])
async def test_older_versions_are_told_nothing_about_their_answers(site: Site, offer: str) -> None:
    station = await dial(site.port, offers=[offer])
    payload = {"type": "Soft" if offer == "ocpp1.6" else "OnIdle"}
    asking = asyncio.create_task(site.central.call(CP1, "Reset", payload))
    await station.send([3, (await station.receive())[1], {"state": "Accepted"}])
    assert not (await asking).valid
    assert await answers_until_heartbeat(station) == []
