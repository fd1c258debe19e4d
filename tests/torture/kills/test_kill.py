"""`kill -9` of the bridge in the middle of everything, again and again: nothing that was answered is lost, no request
carries an older value than an earlier one, and the hubs agree.

Each kill is a seed (`lives`): when it falls, what it falls into, what hubs are like then. Twenty seeds share a site.
`make kills KILL_SEEDS=1-1000` runs a thousand of them, and a failure names the seed that shows it.
"""

from __future__ import annotations

from statistics import median

import pytest

from tests.acceptance.conftest import MakeSite
from tests.catalogue.recording import Tally
from tests.torture.kills.lives import BLOCK, Block, life
from tests.torture.kills.watch import FleetWatch
from tests.torture.kills.world import World

pytestmark = [pytest.mark.kill, pytest.mark.row("T01")]


@pytest.mark.timeout(900)
async def test_after_every_kill_all_that_was_answered_is_stored_and_the_hubs_are_told_nothing_old_and_agree(
    make_site: MakeSite, block: Block, block_database: str | None, tally: Tally
) -> None:
    site = make_site(block_database)
    world = World(site, block, FleetWatch(site.journal))
    await world.begin()
    for number, seed in enumerate(block.seeds, start=1):
        print(await world.live(life(seed)))
        tally.seed(seed)
        if number % (BLOCK // 2) == 0 or number == len(block.seeds):
            await world.rest()
    older = world.older_values()
    tally.count(
        **world.counts,
        statuses_answered=world.fleet.statuses_answered(),
        requests=sum(len(hub.entries) for hub in world.hubs.values()),
        older_values=len(older),
    )
    world.broken += [f"KILL_SEEDS={world.seed_at(found.times[1])}: {found}" for found in older]
    if world.ready_s:
        print(
            f"{block}: ready {median(world.ready_s):.1f} s after half of the starts, {max(world.ready_s):.1f} s at most"
        )
    assert world.broken == [], "\n".join(["these did not hold:", *world.broken])
