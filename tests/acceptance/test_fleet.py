"""The main job: stations report, hubs agree."""

from __future__ import annotations

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
