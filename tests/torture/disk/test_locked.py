"""Another process holds the database's write lock: everybody waits, the loop does not, and nothing is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.stored import assert_nothing_lost
from tests.catalogue.recording import Tally
from tests.torture.disk.looks import answers, is_ready, is_unready

pytestmark = pytest.mark.row("T14")

_LOOK_S = 2.0
"""Far less than the lock is held, and far more than a loop takes that is not held up."""


@contextmanager
def locked(site: Site) -> Iterator[None]:
    """Hold the write lock, as a backup tool or somebody's SQL prompt does."""
    database = sqlite3.connect(site.state_dir / "bridge.db", isolation_level=None, timeout=10)
    with closing(database):
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


async def assert_loop_runs(site: Site, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.monotonic()
        assert await answers(site, "/livez") == 200
        assert time.monotonic() - began < _LOOK_S
        await asyncio.sleep(0.05)


async def recovered(site: Site, tally: Tally) -> None:
    await until(lambda: is_ready(site), 10, "a bridge that is ready again")
    await site.assert_hubs_agree()
    tally.count(faults=1, statuses_answered=assert_nothing_lost(site.journal, site.database_url))


async def test_a_lock_held_for_seconds_delays_answers_and_refuses_none(make_site: MakeSite, tally: Tally) -> None:
    site = make_site()
    await site.start(FleetPlan(stations=10, seed=4, scenario="flapping"))
    with locked(site):
        await assert_loop_runs(site, 4)
        assert await is_unready(site)
    await recovered(site, tally)
    assert (await site.fleet.summary())["errors"] == 0


@pytest.mark.long
async def test_a_lock_held_for_longer_than_anybody_waits_is_survived_in_place(
    make_site: MakeSite, tally: Tally
) -> None:
    site = make_site()
    await site.start(FleetPlan(stations=10, seed=4, scenario="flapping"))
    with locked(site):
        await assert_loop_runs(site, 30)
        assert await is_unready(site)
        assert (await site.fleet.summary())["errors"] > 0
    await recovered(site, tally)
