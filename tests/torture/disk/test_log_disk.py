"""The disk of the logs is full, and the database's is not: lines are lost, and no answer."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.stored import assert_nothing_lost
from tests.catalogue.recording import Tally
from tests.torture.disk.looks import is_ready
from tests.torture.disk.small_disk import small_disk

pytestmark = pytest.mark.row("T13")


async def served(site: Site) -> bool:
    return bool((await site.fleet.summary())["answered"] > 200)


async def assert_unaffected(site: Site, tally: Tally) -> None:
    await until(lambda: served(site), 30, "200 reports answered", every=0.1)
    assert await is_ready(site)
    await site.assert_hubs_agree()
    assert (await site.fleet.summary())["errors"] == 0
    tally.count(faults=1, statuses_answered=assert_nothing_lost(site.journal, site.database_url))
    assert await site.stop_bridge() == 0


async def test_a_wire_log_on_a_full_disk_costs_no_answer(make_site: MakeSite, tally: Tally) -> None:
    site = make_site()
    with small_disk(site.state_dir / "wire", megabytes=1) as disk:
        disk.fill()
        await site.start(FleetPlan(stations=10, seed=6, scenario="flapping"))
        await assert_unaffected(site, tally)
        assert '"event": "wire_log_failed"' in site.bridge.log.read_text(encoding="utf-8")
        site.close()


async def test_a_log_that_cannot_be_written_costs_no_answer(make_site: MakeSite, tally: Tally) -> None:
    site = make_site()
    # Linux, full(4): "Writes to the /dev/full device fail with an ENOSPC error."
    site.bridge_command = ["sh", "-c", 'exec "$0" "$@" >/dev/full 2>/dev/full', *site.bridge_command]
    await site.start(FleetPlan(stations=10, seed=6, scenario="flapping"))
    await assert_unaffected(site, tally)
