"""Two bridges on one database: the second refuses to start and says who has it; when the first is killed, it may."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan

PLAN = FleetPlan(stations=8, seed=8)
WITHIN_S = 60.0


@pytest.mark.row("T08", "T09")
@pytest.mark.timeout(300)
async def test_a_second_bridge_is_refused_until_the_first_is_killed_and_then_goes_on(
    make_site: MakeSite, database_url: str | None
) -> None:
    site = make_site(database_url)
    await site.start(PLAN)
    first = site.bridge
    site.set(STATE_DIR=str(site.folder / "second"))
    code, said = await site.run("serve")
    assert code == 1
    (line,) = said.splitlines()
    assert line.startswith("cannot start: database ")
    owner = f"process {first.pid}" if database_url is None else "ocpp-bridge writer from this machine"
    assert "in use by" in line
    assert owner in line
    first.check()
    site.unset("STATE_DIR")
    site.kill_bridge()
    await site.start_bridge()
    await site.assert_hubs_agree(WITHIN_S)
