"""A hub is away for a while: it catches up by itself, and the other one does not notice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.controls import HUBS
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until

CHANGES = 60
"""Reports that are answered while the hub is away."""
NOT_SLOWED_S = 3.0


@pytest.mark.row("T25")
@pytest.mark.timeout(90)
async def test_each_hub_that_was_away_agrees_after_and_the_other_hub_was_not_slowed(make_site: MakeSite) -> None:
    site = make_site()
    await site.start(FleetPlan(stations=20, seed=11))
    await site.assert_hubs_agree()
    await lose(site, "hubject", kind="down")
    await lose(site, "chargeprice", kind="status", status=503, retry_after="1")


async def lose(site: Site, away: str, **fault: Any) -> None:
    """Let statuses change while a hub has the fault, and check both hubs, then and when the fault has ended."""
    (other,) = set(HUBS) - {away}
    await site.hubs[away].script(**fault)
    answered = (await site.fleet.summary())["answered"]
    await site.fleet.resume()

    async def busy() -> bool:
        return bool((await site.fleet.summary())["answered"] >= answered + CHANGES)

    await until(busy, 30, f"{CHANGES} reports answered while {away} is away")
    await site.fleet.rest()
    await site.assert_hub_agrees(other, NOT_SLOWED_S)
    assert await site.hubs[away].state() != await site.fleet.expected(away), "nothing changed while the hub was away"
    shown = {account["name"]: account["state"] for account in (await site.ask("upstreams"))["items"]}
    assert shown == {away: "degraded", other: "ok"}

    await site.hubs[away].heal()
    await site.assert_hubs_agree()
