"""A station that is known to need it is treated in its own way: at connect, and from its Boot on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from csms.events import ConnectorAddress, StationId
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import BOOT_16, PATIENCE_S, dial

SiteOf = Callable[..., Awaitable[Site]]
CP1 = StationId("CP1")
OCULAR = {"chargePointVendor": "Ocular", "chargePointModel": "BS-EV22"}


def names(site: Site) -> list[str] | None:
    found = site.central.quirks_of(CP1)
    return None if found is None else [applied.profile.name for applied in found.applied]


async def test_profiles_apply_at_connect_and_again_after_a_boot(site: Site) -> None:
    assert names(site) is None
    site.registry.add("CP1", vendor="Alfen BV")
    station = await dial(site.port)
    assert (await station.call("Heartbeat", {}))[0] == 3
    assert names(site) == ["alfen"]
    await station.call("BootNotification", OCULAR)
    assert names(site) == ["ocular-lte-plus"]


async def test_the_boot_that_names_the_device_is_answered_with_its_heartbeat(site: Site) -> None:
    station = await dial(site.port)
    assert (await station.call("BootNotification", BOOT_16))[2]["interval"] == 300
    assert (await station.call("BootNotification", OCULAR))[2]["interval"] == 60


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param({}, True, id="as-the-server"),
        pytest.param({"ping_interval": timedelta(0)}, False, id="inventory-none"),
        pytest.param({"quirks": ("no-pings",)}, False, id="profile-none"),
        pytest.param({"quirks": ("no-pings",), "ping_interval": timedelta(milliseconds=10)}, True, id="inventory-wins"),
    ],
)
async def test_a_station_may_have_a_ping_interval_of_its_own(
    site_of: SiteOf, record: dict[str, Any], expected: bool
) -> None:
    site = await site_of(ping_interval=timedelta(milliseconds=10))
    site.registry.add("CP1", **record)
    site.registry.add("CP2")
    await dial(site.port)
    await dial(site.port, "CP2")
    async with asyncio.timeout(PATIENCE_S):
        # The pongs of a station that came later show that there was time for pings.
        while site.recorder.heard_of[StationId("CP2")] < 3:  # noqa: ASYNC110 - a pong sets no event
            await asyncio.sleep(0.005)
    assert (site.recorder.heard_of[CP1] > 0) is expected


async def test_a_silent_station_that_must_not_be_triggered_is_pinged(site_of: SiteOf) -> None:
    site = await site_of(ping_interval=timedelta(0))
    site.registry.add("CP1", quirks=("no-trigger",), connectors=(ConnectorAddress(0, 1),))
    station = await dial(site.port)
    assert (await station.call("Heartbeat", {}))[0] == 3
    heard = site.recorder.heard_of[CP1]
    await site.central.ask(CP1)
    await (await station.socket.ping())
    assert (await station.call("Heartbeat", {}))[0] == 3  # and no TriggerMessage came before this answer
    assert site.recorder.heard_of[CP1] >= heard + 3  # the pong to our ping, the ping, the heartbeat


async def test_a_station_that_connects_again_and_again_is_asked_later(site_of: SiteOf) -> None:
    ms = timedelta(milliseconds=1)
    site = await site_of(first_call_wait=0 * ms, settle=20 * ms)
    site.registry.add("CP1", connectors=(ConnectorAddress(0, 1),))
    for _ in range(8):
        station = await dial(site.port)
    await asyncio.sleep(0.05)
    assert (await station.call("Heartbeat", {}))[0] == 3  # and no question came before this answer
    site.registry.add("CP2", connectors=(ConnectorAddress(0, 1),))
    fresh = await dial(site.port, "CP2")
    assert (await fresh.receive())[2] == "TriggerMessage"
