"""A soak: round after round a fault at random, from one seed, and after each nothing is lost and the hubs agree.

    TORTURE_MINUTES=1440 TORTURE_STATIONS=10000 pytest tests/torture/stations/test_soak.py --long -s -o timeout=100000

TORTURE_SEED replays the order of the faults. What the bridge holds is compared between two moments at rest.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import psutil
import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.controls import HUBS
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.stored import assert_nothing_lost
from tests.catalogue.recording import Tally
from tests.torture.stations.effort import MINUTES, seed, stations
from tests.torture.stations.intruders import enough_files
from tests.torture.stations.sites import half_a_day_away, nothing_due

STATIONS, SEED = stations(100), seed(70)
WITHIN_S = 60.0 + STATIONS / 10
BUSY_S = 4.0
"""Between a fault and rest: so much traffic meets it."""
MOST_FILES = 20
MOST_GROWN = 32 * 1024 * 1024
"""Bytes from the first rest to the last; the interpreter keeps what it once needed."""
QUIRKS = ("bad-clock", "offline-queue", "no-pong", "sent-twice", "blink-available", "slow-trigger", "repeated-ids")


@dataclass(frozen=True, slots=True)
class Held:
    """What the bridge's process holds."""

    files: int
    memory: int


def held_by(site: Site) -> Held:
    process = psutil.Process(site.bridge.pid)
    return Held(process.num_fds(), process.memory_info().rss)


async def lose_all(site: Site) -> None:
    await site.fleet.lose(20)


async def leave_open(site: Site) -> None:
    await site.fleet.leave_open(0.5)


async def kill(site: Site) -> None:
    site.kill_bridge()
    assert_nothing_lost(site.journal, site.database_url)
    await site.start_bridge()


async def restart(site: Site) -> None:
    assert await site.stop_bridge(30) == 0
    await site.start_bridge()


async def suspend(site: Site) -> None:
    site.bridge.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(BUSY_S)
    finally:
        site.bridge.signal(signal.SIGCONT)


async def hubs_down(site: Site) -> None:
    for hub in HUBS:
        await site.hubs[hub].script(kind="down", seconds=BUSY_S)


async def hubs_reset(site: Site) -> None:
    for hub in HUBS:
        await site.hubs[hub].script(kind="reset_after", probability=0.5, seconds=BUSY_S)


SURVIVED: tuple[Callable[[Site], Awaitable[None]], ...] = (lose_all, leave_open, suspend, hubs_down, hubs_reset)
"""Faults that the bridge's process outlives: what it holds before and after them can be compared."""
FAULTS = (kill, restart, *SURVIVED)


@pytest.mark.long
@pytest.mark.row("T70")
@pytest.mark.timeout(60 * MINUTES + 900)
async def test_whatever_happens_for_how_long_nothing_is_lost_and_nothing_grows(
    make_site: MakeSite, tally: Tally
) -> None:
    """For half of the time every fault, each once before any comes again; then those that the process outlives."""
    print(f"TORTURE_MINUTES={MINUTES:g} TORTURE_STATIONS={STATIONS} TORTURE_SEED={SEED}")
    enough_files(3 * STATIONS + 1_000)
    site = make_site(ACCOUNTS__HUBJECT__FULL_LOAD_AT=half_a_day_away())
    await site.start(FleetPlan(stations=STATIONS, seed=SEED, quirks=QUIRKS, quirk_share=0.1, speed=5.0))
    await come_to_rest(site)
    met = await rounds(site, FAULTS)
    first = held_by(site)
    met += await rounds(site, SURVIVED)
    last = held_by(site)
    assert last.files - first.files <= MOST_FILES
    assert last.memory - first.memory <= MOST_GROWN
    assert await site.stop_bridge(30) == 0
    tally.seed(SEED)
    tally.count(
        faults=len(met),
        kills=met.count(kill.__name__),
        statuses_answered=assert_nothing_lost(site.journal, site.database_url),
        requests=sum([await site.hubs[hub].last() for hub in HUBS]),
    )


async def rounds(site: Site, faults: Sequence[Callable[[Site], Awaitable[None]]]) -> list[str]:
    """Let traffic meet one fault after another, each followed by rest, for half of the time; return which they were."""
    chance, loop, met = random.Random(SEED), asyncio.get_running_loop(), list[str]()
    ends = loop.time() + 30 * MINUTES
    while len(met) < len(faults) or loop.time() < ends:
        fault = faults[len(met)] if len(met) < len(faults) else chance.choice(faults)
        await site.fleet.resume()
        await asyncio.sleep(BUSY_S)
        await fault(site)
        await asyncio.sleep(BUSY_S)
        await come_to_rest(site)
        met.append(fault.__name__)
        print(f"{fault.__name__}: {held_by(site)}")
    return met


async def come_to_rest(site: Site) -> None:
    """Let the fleet stand still, and wait until both hubs agree with its journal and nothing is left to do."""
    await site.fleet.rest(min(WITHIN_S, 300))
    for hub in HUBS:
        await site.assert_hub_agrees(hub, WITHIN_S)
    await until(lambda: nothing_due(site), WITHIN_S, "everything acknowledged")
    await site.assert_rules_kept()
