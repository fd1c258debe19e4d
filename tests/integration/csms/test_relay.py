"""Somebody else answers, behind the port of replies: later, in his own words, by station, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from csms.events import OcppVersion, Receipt, StationBooted, StationId, StatusReported, TransactionIdNeeded
from csms.faults import Fault
from csms.ports import NotAnswered
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import BOOT_16, PATIENCE_S, STATUS_16, dial

SiteOf = Callable[..., Awaitable[Site]]
START = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-11-26T01:00:00Z"}


class Relay:
    """Answers what it was given by action, once it is let; the answer may be a failure."""

    def __init__(self, answers: Mapping[str, dict[str, Any] | Exception]) -> None:
        self._answers = answers
        self.asked: list[tuple[StationId, str, Receipt | None]] = []
        self.reached = asyncio.Event()
        self.let = asyncio.Event()

    async def reply(
        self, station: StationId, version: OcppVersion, action: str, payload: Mapping[str, Any], receipt: Receipt | None
    ) -> dict[str, Any]:
        self.asked.append((station, action, receipt))
        self.reached.set()
        if station == "SLOW":
            await self.let.wait()
        answer = self._answers[action]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_what_it_says_goes_to_the_station_that_asked_and_what_it_is_about_is_recorded(site_of: SiteOf) -> None:
    relay = Relay({"StartTransaction": {"idTagInfo": {"status": "Blocked"}, "transactionId": 77}})
    site = await site_of(replies=relay)
    site.registry.add("CP1")
    station = await dial(site.port)
    answer = await station.call("StartTransaction", START)
    assert answer == [3, "m1", {"idTagInfo": {"status": "Blocked"}, "transactionId": 77}]
    assert len(site.recorder.of(TransactionIdNeeded)) == 1
    assert [(who, action) for who, action, receipt in relay.asked if receipt] == [("CP1", "StartTransaction")]


async def test_a_status_is_recorded_before_it_is_asked_and_no_other_station_waits_for_it(site_of: SiteOf) -> None:
    relay = Relay({"StatusNotification": {}, "Heartbeat": {"currentTime": "2026-11-26T01:00:00Z"}})
    site = await site_of(replies=relay)
    site.registry.add("SLOW")
    site.registry.add("CP1")
    slow, other = await dial(site.port, "SLOW"), await dial(site.port)
    await slow.begin("StatusNotification", STATUS_16)
    async with asyncio.timeout(PATIENCE_S):
        await relay.reached.wait()
    assert len(site.recorder.of(StatusReported)) == 1
    assert (await other.call("Heartbeat", {}))[0] == 3
    relay.let.set()
    assert await slow.receive() == [3, "m1", {}]


async def test_where_it_has_no_answer_the_station_gets_an_error_and_may_ask_again(site_of: SiteOf) -> None:
    failure = NotAnswered(Fault.GENERIC, "the central system behind this one did not answer")
    site = await site_of(replies=Relay({"StatusNotification": failure}))
    site.registry.add("CP1")
    station = await dial(site.port)
    answer = [4, "m1", "GenericError", "the central system behind this one did not answer", {}]
    assert await station.call("StatusNotification", STATUS_16) == answer
    assert site.counter.counts["call_refused_generic"] == 1
    await station.send([2, "m1", "StatusNotification", STATUS_16])
    assert await station.receive() == answer
    assert len(site.recorder.of(StatusReported)) == 2


@pytest.mark.row("T66")
@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_a_station_that_it_does_not_accept_is_not_accepted(site_of: SiteOf, status: str) -> None:
    boot = {"status": status, "currentTime": "2026-11-26T01:00:00Z", "interval": 7}
    site = await site_of(replies=Relay({"BootNotification": boot, "StatusNotification": {}}))
    site.registry.add("CP1", accepted=False)
    station = await dial(site.port)
    assert await station.call("BootNotification", BOOT_16) == [3, "m1", boot]
    assert (await station.call("StatusNotification", STATUS_16))[2] == "SecurityError"
    assert len(site.recorder.of(StationBooted)) == 1
