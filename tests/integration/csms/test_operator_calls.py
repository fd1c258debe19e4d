"""Operators' calls through real sockets: what the station receives, and what the operator learns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from csms.events import ConnectorAddress, ResyncFinished, StationId
from csms.operator_calls import CallAnswer, CallOutcome
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import BOOT_16, STATUS_16, Station, dial

CP1 = StationId("CP1")
SiteOf = Callable[..., Awaitable[Site]]


def order(site: Site, action: str, payload: dict[str, Any], **options: Any) -> asyncio.Task[CallAnswer]:
    return asyncio.create_task(site.central.call(CP1, action, payload, **options))


@pytest.mark.parametrize(
    ("offer", "payload", "answer"),
    [
        pytest.param("ocpp1.6", {"type": "Soft"}, {"status": "Accepted"}, id="1.6"),
        pytest.param("ocpp2.0.1", {"type": "OnIdle"}, {"status": "Scheduled"}, id="2.0.1"),
    ],
)
async def test_a_call_is_sent_and_its_answer_is_shown(
    site: Site, offer: str, payload: dict[str, Any], answer: dict[str, Any]
) -> None:
    station = await dial(site.port, offers=[offer])
    asking = order(site, "Reset", payload)
    frame = await station.receive()
    assert (frame[0], frame[2], frame[3]) == (2, "Reset", payload)
    await station.send([3, frame[1], answer])
    assert await asking == CallAnswer(CallOutcome.ANSWERED, answer)


async def test_an_answer_that_the_schema_refuses_is_shown_with_the_reason(site: Site) -> None:
    station = await dial(site.port)
    asking = order(site, "Reset", {"type": "Soft"})
    await station.send([3, (await station.receive())[1], {"state": "Accepted"}])
    assert await asking == CallAnswer(CallOutcome.ANSWERED, {"state": "Accepted"}, valid=False, why="status is missing")


async def test_a_callerror_is_shown_with_its_code_and_description(site: Site) -> None:
    station = await dial(site.port)
    asking = order(site, "Reset", {"type": "Soft"})
    await station.send([4, (await station.receive())[1], "NotSupported", "no\x07 such thing", {}])
    assert await asking == CallAnswer(CallOutcome.REFUSED, code="NotSupported", why="no  such thing")


async def test_a_request_that_is_wrong_is_not_sent(site: Site) -> None:
    station = await dial(site.port)
    assert (await site.central.call(CP1, "Reset", {})).outcome is CallOutcome.INVALID
    assert (await site.central.call(CP1, "Heartbeat", {})).outcome is CallOutcome.UNKNOWN_ACTION
    assert (await station.call("Heartbeat", {}))[0] == 3, "the next frame is the answer, and no CALL came before it"


async def test_a_station_that_is_away_or_never_booted_is_sent_nothing_but_the_trigger_to_boot(site: Site) -> None:
    assert (await site.central.call(CP1, "Reset", {"type": "Soft"})).outcome is CallOutcome.AWAY
    site.registry.add("CP1", accepted=False)
    station = await dial(site.port)
    assert (await site.central.call(CP1, "Reset", {"type": "Soft"})).outcome is CallOutcome.NOT_ACCEPTED
    asking = order(site, "TriggerMessage", {"requestedMessage": "BootNotification"})
    frame = await station.receive()
    assert frame[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
    await station.send([3, frame[1], {"status": "Accepted"}])
    assert (await asking).outcome is CallOutcome.ANSWERED
    await station.call("BootNotification", BOOT_16)
    asking = order(site, "Reset", {"type": "Soft"})
    assert (await station.receive())[2] == "Reset"
    await station.socket.close()
    assert (await asking).outcome is CallOutcome.GONE


@pytest.mark.row("T68")
async def test_a_station_that_answers_nothing_is_shown_as_uncommandable_until_a_late_answer(site: Site) -> None:
    station = await dial(site.port)
    assert site.central.connected[CP1].commandable
    for _ in range(3):
        asked = await site.central.call(CP1, "Reset", {"type": "Soft"}, timeout=timedelta(milliseconds=20))
        assert asked.outcome is CallOutcome.TIMED_OUT
    assert not site.central.connected[CP1].commandable
    late = [await station.receive() for _ in range(3)]
    await station.send([3, late[0][1], {"status": "Accepted"}])
    await station.call("Heartbeat", {})
    assert site.central.connected[CP1].commandable
    assert site.counter.counts["answer_unexpected"] == 1


async def test_a_reconnect_makes_a_station_commandable_again(site: Site) -> None:
    await dial(site.port)
    for _ in range(3):
        await site.central.call(CP1, "Reset", {"type": "Soft"}, timeout=timedelta(milliseconds=20))
    assert not site.central.connected[CP1].commandable
    await dial(site.port)
    assert site.central.connected[CP1].commandable


async def test_nothing_but_triggers_is_ever_sent_without_an_operators_order(site_of: SiteOf) -> None:
    """Boot, statuses, refusals, silence, a resync again and a probe: whatever happens, nothing is written."""
    site = await site_of(
        settle=timedelta(0),
        settle_after_boot=timedelta(0),
        first_call_wait=timedelta(milliseconds=20),
        trigger_timeout=timedelta(milliseconds=50),
        ping_interval=timedelta(milliseconds=50),
    )
    addresses = (ConnectorAddress(0, 1), ConnectorAddress(0, 2))
    site.registry.add("CP1", accepted=False, connectors=addresses)
    station, actions = await dial(site.port), asyncio.Queue[str]()
    answering = asyncio.create_task(_answer_calls(station, actions))
    await station.begin("BootNotification", BOOT_16)
    await station.begin("StatusNotification", STATUS_16)
    await station.begin("Heartbeat", {})
    await site.recorder.until(1, ResyncFinished)
    await site.central.resync(CP1)
    await site.recorder.until(2, ResyncFinished)
    await site.central.ask(CP1)
    async with asyncio.timeout(5):
        assert [await actions.get() for _ in range(4)] == ["TriggerMessage"] * 4
    answering.cancel()
    await asyncio.wait({answering})


async def _answer_calls(station: Station, actions: asyncio.Queue[str]) -> None:
    while True:
        frame = await station.receive()
        if frame[0] == 2:
            actions.put_nowait(frame[2])
            await station.send([3, frame[1], {"status": "Accepted"}])


READ_HARMFUL = ("GetConfiguration", {"key": ["MeterValuesSampledData"]})
ABB = {"vendor": "ABB", "model": "TAC-W22-T-R-C-0", "firmware": "V1.8.21"}


@pytest.mark.parametrize(
    ("record", "action", "payload"),
    [
        pytest.param(ABB, *READ_HARMFUL, id="abb-terra-ac"),
        pytest.param(ABB, "GetConfiguration", {}, id="every-key-is-that-key-too"),
        pytest.param(
            {"vendor": "Vestel"},
            "ChangeConfiguration",
            {"key": "HeartbeatInterval", "value": "60"},
            id="reboots-on-write",
        ),
    ],
)
async def test_a_call_that_harms_the_station_is_refused_with_the_reason_unless_forced(
    site: Site, record: dict[str, Any], action: str, payload: dict[str, Any]
) -> None:
    site.registry.add("CP1", **record)
    station = await dial(site.port)
    refused = await site.central.call(CP1, action, payload)
    assert (refused.outcome, refused.sent) == (CallOutcome.FORBIDDEN, False)
    assert record["vendor"] == "Vestel" or "restarts for ever" in refused.why
    assert "--force" in refused.why
    assert (await station.call("Heartbeat", {}))[0] == 3, "the next frame is the answer, and no CALL came before it"
    asking = order(site, action, payload, force=True)
    frame = await station.receive()
    assert frame[2:] == [action, payload]
    await station.send([3, frame[1], {"status": "Accepted"} if action == "ChangeConfiguration" else {}])
    assert (await asking).outcome is CallOutcome.ANSWERED


async def test_a_call_that_harms_no_station_of_this_kind_is_sent(site: Site) -> None:
    site.registry.add("CP1", **ABB)
    station = await dial(site.port)
    asking = order(site, "GetConfiguration", {"key": ["HeartbeatInterval"]})
    await station.send([3, (await station.receive())[1], {}])
    assert (await asking).outcome is CallOutcome.ANSWERED
