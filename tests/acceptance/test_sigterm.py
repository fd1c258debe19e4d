"""SIGTERM under load: what was answered is stored, sockets close with 1001, and the exit is 0 within 10 s."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, inventory
from tests.acceptance.stored import assert_nothing_lost

GOING_AWAY = 1001
"""Source: RFC 6455 §7.4.1."""
STATION = "TERM1"
PLAN = FleetPlan(stations=24, seed=17, scenario="flapping")
ENDS_WITHIN_S = 10.0
ENOUGH = 100


@pytest.mark.parametrize(
    "hangs",
    [
        pytest.param(False, id="both hubs answer", marks=pytest.mark.row("T03")),
        pytest.param(True, id="a hub hangs", marks=pytest.mark.row("T04")),
    ],
)
async def test_sigterm_under_load_stores_what_was_answered_and_closes_with_1001_and_exits_with_0(
    make_site: MakeSite, hangs: bool
) -> None:
    # As in production: the hub may hang for longer than the bridge may take to end.
    site = make_site(PUSH__TOTAL_TIMEOUT="15 s")
    await site.start(PLAN)
    await site.import_inventory(inventory(STATION))
    if hangs:
        await site.hubs["hubject"].script(kind="hang")

    async def loaded() -> bool:
        return bool((await site.fleet.summary())["answered"] >= answered + ENOUGH)

    async with ScriptedStation(site.ocpp_url, STATION) as station:
        await station.boot()
        await station.report("Charging")
        answered = (await site.fleet.summary())["answered"]
        await until(loaded, 20, f"{ENOUGH} more reports answered")
        assert await site.stop_bridge(ENDS_WITHIN_S) == 0
        assert await station.closed(1) == GOING_AWAY
    assert not (site.state_dir / "ports.json").exists()
    assert assert_nothing_lost(site.journal, site.database_url) > PLAN.stations
    if not hangs:
        await site.assert_rules_kept()
