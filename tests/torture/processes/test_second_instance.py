"""Two bridges on one database: the second refuses to start and says who has it; when the first is killed, it may."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan
from tests.acceptance.processes import free_port

PLAN = FleetPlan(stations=8, seed=8)


@pytest.mark.row("T08", "T09")
async def test_a_second_bridge_is_refused_until_the_first_is_killed_and_then_goes_on(
    make_site: MakeSite, database_url: str | None
) -> None:
    site = make_site(database_url)
    await site.start(PLAN)
    first = site.bridge
    site.set(STATE_DIR=str(site.folder / "second"), OCPP__PORT=str(free_port()), WEB__PORT=str(free_port()))
    code, said = await site.run("serve")
    assert code == 1
    (line,) = said.splitlines()
    assert line.startswith("cannot start: database ")
    owner = f"process {first.pid}" if database_url is None else "ocpp-bridge writer from this machine"
    assert "in use by" in line
    assert owner in line
    first.check()
    site.unset("STATE_DIR")
    await site.assert_hubs_agree()
