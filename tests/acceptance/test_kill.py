"""`kill -9` of the bridge in mid-traffic, again and again: nothing that was answered is lost, and the hubs agree after.

Each kill is a seeded moment: after so many answers since the start, and so many milliseconds. On failure the kill's
number and its moment are in the message, and the moments are the same in every run.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.controls import HUBS
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.stored import assert_nothing_lost, waiting_for_an_answer

pytestmark = pytest.mark.kill

KILLS = {"sqlite": 12, "postgresql": 8}
SEED = 2016
_MOST_ANSWERS = 40
_MOST_DELAY_S = 0.04
_HUB_LATENCY_S = 0.3
"""So that at most moments a push is under way."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill, counted from the bridge's start."""

    number: int
    answers: int
    delay_s: float

    def __str__(self) -> str:
        """Return what replays it."""
        return f"kill {self.number} of seed {SEED}: {self.delay_s * 1000:.1f} ms after {self.answers} answers"


def moments(kills: int) -> list[Moment]:
    chance = random.Random(SEED)
    return [Moment(n, chance.randint(0, _MOST_ANSWERS), chance.uniform(0, _MOST_DELAY_S)) for n in range(1, kills + 1)]


async def kill_at(site: Site, moment: Moment) -> None:
    before = (await site.fleet.summary())["answered"]

    async def reached() -> bool:
        return bool((await site.fleet.summary())["answered"] >= before + moment.answers)

    await until(reached, 30, f"{moment.answers} answers since the start", every=0.005)
    await asyncio.sleep(moment.delay_s)
    site.bridge.check()
    site.kill_bridge()


async def cut_pushes(site: Site) -> int:
    """Return how many requests to the hubs have no answer: their sender is gone."""
    journals = [await hub.journal() for hub in site.hubs.values()]
    return sum(entry["http"] is None for journal in journals for entry in journal)


@pytest.mark.timeout(100)
async def test_after_every_kill_all_that_was_answered_is_stored_and_at_the_end_the_hubs_agree(
    make_site: MakeSite, database_url: str | None
) -> None:
    site = make_site(database_url)
    await site.start(FleetPlan(stations=24, seed=SEED, scenario="flapping"))
    for hub in HUBS:
        await site.hubs[hub].script(kind="latency", delay_s=_HUB_LATENCY_S)
    calls: set[int] = set()
    cut_before = 0
    for moment in moments(KILLS[urlsplit(site.database_url).scheme]):
        await kill_at(site, moment)
        waiting, cut = waiting_for_an_answer(site.journal), await cut_pushes(site)
        open_calls = len(waiting - calls)
        try:
            compared = assert_nothing_lost(site.journal, site.database_url)
        except AssertionError as error:
            raise AssertionError(f"{moment}: {error}") from None
        print(f"{moment}: {open_calls} calls and {cut - cut_before} pushes open, {compared} connectors compared")
        calls |= waiting
        cut_before = cut
        await site.start_bridge()
    for hub in HUBS:
        await site.hubs[hub].heal()
    await site.assert_hubs_agree()
    assert_nothing_lost(site.journal, site.database_url)
    assert calls, "no kill fell into a call: the traffic was too thin to prove anything"
    assert cut_before > 0, "no kill fell into a push: the traffic was too thin to prove anything"
