"""The bridge restarts, stations return without BootNotification: nothing is pushed for what did not change."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import pytest

from simulators.fleet.layout import layout
from tests.acceptance.conftest import MakeSite
from tests.acceptance.controls import HUBS
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.stored import booted_at

PLAN = FleetPlan(stations=20, seed=13)


def connectors() -> int:
    return sum(len(spec.connectors) for spec in layout(PLAN.stations, PLAN.seed))


async def all_reported(site: Site, since: datetime) -> bool:
    """Say whether every connector has reported on its new connection: because it was asked, as nothing changes."""
    reports = [report for evse in await site.evses() for report in evse["reported"] if report["connector"]]
    return sum(datetime.fromisoformat(report["received_at"]) >= since for report in reports) == connectors()


async def last_requests(site: Site) -> dict[str, int]:
    return {hub: await site.hubs[hub].last() for hub in HUBS}


async def nothing_left(site: Site) -> bool:
    return all(account["backlog"] == 0 for account in (await site.ask("upstreams"))["items"])


@pytest.mark.row("T59")
async def test_a_restart_is_invisible_to_the_hubs_where_no_status_changed(make_site: MakeSite) -> None:
    # Stations are asked for their statuses after their first message: a heartbeat, as nothing changes.
    site = make_site(ACCOUNTS__HUBJECT__FULL_LOAD="never", OCPP__HEARTBEAT_INTERVAL="1 s")
    await site.start(PLAN)
    await site.assert_hubs_agree()
    await until(lambda: nothing_left(site), 10, "everything acknowledged")
    booted, requests = booted_at(site.database_url), await last_requests(site)
    for ending, code in ((signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)):
        site.bridge.signal(ending)
        assert await site.bridge.ended(10) == code
        restarted = datetime.now(UTC)
        await site.start_bridge()
        await until(site.fleet.all_connected, 20, "every station connected again")
        await until(lambda since=restarted: all_reported(site, since), 20, "every connector reported again", every=0.1)
        assert booted_at(site.database_url) == booted
        assert await nothing_left(site)
        assert await last_requests(site) == requests
    await site.assert_hubs_agree()
