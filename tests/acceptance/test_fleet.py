"""The main job: stations report, hubs agree."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simulators.fleet.layout import Version, layout
from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan
from tests.acceptance.processes import until

ENOUGH = 250
"""Answered reports after which the fleet has shown most of what it does."""


async def test_a_mixed_fleet_runs_and_comes_to_rest_and_both_hubs_agree_with_its_own_journal(
    make_site: MakeSite, database_url: str | None
) -> None:
    plan = FleetPlan(stations=24)
    assert {spec.version for spec in layout(plan.stations, plan.seed)} == {Version.V16, Version.V201}
    site = make_site(database_url)
    await site.start(plan)

    async def busy() -> bool:
        return bool((await site.fleet.summary())["answered"] >= ENOUGH)

    await until(busy, 30, f"{ENOUGH} reports answered")
    await site.assert_hubs_agree()
    assert await site.stop_bridge() == 0


async def test_bridge_that_says_available_of_every_evse_is_caught(make_site: MakeSite) -> None:
    site = make_site()
    site.bridge_command = [sys.executable, str(Path(__file__).with_name("always_available.py"))]
    await site.start(FleetPlan(stations=24))

    async def busy() -> bool:
        return bool((await site.fleet.summary())["answered"] >= ENOUGH)

    await until(busy, 30, f"{ENOUGH} reports answered")
    with pytest.raises(AssertionError, match="should be Occupied, the hub holds Available"):
        await site.assert_hubs_agree(within=10)
