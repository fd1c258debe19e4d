"""ChangeAvailability through real sockets: what the station receives, and what the host learns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from csms.events import ChangeAnswer, ChangeOutcome, ConnectorAddress, StationId
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import BOOT_16, dial

CP1 = StationId("CP1")
SiteOf = Callable[..., Awaitable[Site]]


def ask(site: Site, address: tuple[int, int], *, operative: bool = False) -> asyncio.Task[ChangeAnswer]:
    call = site.central.change_availability(CP1, ConnectorAddress(*address), operative=operative)
    return asyncio.create_task(call)


@pytest.mark.parametrize(
    ("offer", "address", "expected"),
    [
        pytest.param("ocpp1.6", (0, 1), {"connectorId": 1, "type": "Inoperative"}, id="1.6"),
        pytest.param("ocpp2.0.1", (1, 0), {"operationalStatus": "Inoperative", "evse": {"id": 1}}, id="2.0.1"),
        pytest.param("ocpp2.1", (1, 0), {"operationalStatus": "Inoperative", "evse": {"id": 1}}, id="2.1"),
    ],
)
async def test_station_is_asked_and_its_answer_is_returned(
    site: Site, offer: str, address: tuple[int, int], expected: dict[str, Any]
) -> None:
    station = await dial(site.port, offers=[offer])
    asking = ask(site, address)
    frame = await station.receive()
    assert (frame[0], frame[2], frame[3]) == (2, "ChangeAvailability", expected)
    await station.send([3, frame[1], {"status": "Scheduled"}])
    assert await asking == ChangeAnswer(ChangeOutcome.SCHEDULED)


async def test_station_that_is_away_is_not_asked(site: Site) -> None:
    assert (await ask(site, (0, 1))).outcome is ChangeOutcome.AWAY


async def test_station_is_asked_nothing_before_it_was_accepted(site: Site) -> None:
    site.registry.add("CP1", accepted=False)
    station = await dial(site.port)
    assert (await ask(site, (0, 1))).outcome is ChangeOutcome.AWAY
    await station.call("BootNotification", BOOT_16)
    asking = ask(site, (0, 1))
    frame = await station.receive()
    await station.send([3, frame[1], {"status": "Accepted"}])
    assert (await asking).outcome is ChangeOutcome.ACCEPTED


async def test_whole_station_is_never_asked(site: Site) -> None:
    await dial(site.port)
    assert (await ask(site, (0, 0))).outcome is ChangeOutcome.UNSUPPORTED


async def test_station_that_does_not_answer_leaves_it_unclear(site_of: SiteOf) -> None:
    site = await site_of(answer_timeout=timedelta(milliseconds=30))
    site.registry.add("CP1")
    await dial(site.port)
    assert await ask(site, (0, 1)) == ChangeAnswer(ChangeOutcome.UNCLEAR, "no answer in time")


async def test_connection_that_ends_before_the_answer_leaves_it_unclear(site: Site) -> None:
    station = await dial(site.port)
    asking = ask(site, (0, 1))
    await station.receive()
    await station.socket.close()
    assert (await asking).outcome is ChangeOutcome.UNCLEAR
