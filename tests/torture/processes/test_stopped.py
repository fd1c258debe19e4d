"""The bridge is stopped for a while as by a machine that is suspended, and goes on: nothing is lost, the hubs agree."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan
from tests.acceptance.processes import until
from tests.acceptance.stored import assert_nothing_lost
from tests.catalogue.recording import Tally

PLAN = FleetPlan(stations=16, seed=5, scenario="busy")
WITHIN_S = 60.0
ENOUGH = 100


@pytest.mark.row("T05")
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(4.0, id="four seconds"),
        pytest.param(60.0, id="a minute", marks=pytest.mark.long),
    ],
)
async def test_sigstop_for_a_while_and_then_sigcont_loses_nothing_and_needs_no_restart(
    make_site: MakeSite, seconds: float, tally: Tally
) -> None:
    site = make_site()
    await site.start(PLAN)

    async def answered() -> bool:
        return bool((await site.fleet.summary())["answered"] >= before + ENOUGH)

    before = (await site.fleet.summary())["answered"]
    await until(answered, WITHIN_S, f"{ENOUGH} answers before")
    site.bridge.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    site.bridge.signal(signal.SIGCONT)
    before = (await site.fleet.summary())["answered"]
    await until(answered, WITHIN_S, f"{ENOUGH} answers after")
    await until(site.fleet.all_connected, WITHIN_S, "every station connected")
    await site.fleet.rest(WITHIN_S)
    await site.assert_hubs_agree(WITHIN_S)
    assert_nothing_lost(site.journal, site.database_url)
    tally.count(faults=1)
