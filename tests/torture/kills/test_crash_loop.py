"""The bridge crashes again and again as soon as it runs: no hub is told anything old, nor everything over and over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.acceptance.conftest import MakeSite
from tests.catalogue.recording import Tally
from tests.torture.kills.lives import Block, During, HubDay, life
from tests.torture.kills.watch import FleetWatch
from tests.torture.kills.world import World

_DAY = HubDay(0.05, None)


@pytest.mark.row("T07")
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "crashes",
    [
        pytest.param(5, id="five crashes"),
        pytest.param(20, id="twenty crashes", marks=pytest.mark.long),
    ],
)
async def test_crash_loop_sends_no_older_value_and_no_further_full_load(
    make_site: MakeSite, crashes: int, tally: Tally
) -> None:
    site = make_site()
    world = World(site, Block(0, ()), FleetWatch(site.journal))
    await world.begin()
    begun = await site.hubs["hubject"].last()
    for seed in range(1, crashes + 1):
        print(await world.live(replace(life(seed), during=During.TRAFFIC, answers=5, hubject=_DAY, chargeprice=_DAY)))
        tally.seed(seed)
    await world.rest()
    older = world.older_values()
    assert world.broken == []
    assert older == []
    full_loads = [one for one in world.hubs["hubject"].journal if one["n"] > begun and one["action"] == "fullLoad"]
    assert len(full_loads) <= 1  # the daily one, where its hour falls into this test
    tally.count(**world.counts, older_values=len(older))
