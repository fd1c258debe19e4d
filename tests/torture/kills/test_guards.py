"""A bridge whose guards are switched off is found out by its kills: that it loses statuses, and sends old ones."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeSite
from tests.torture.kills.lives import Block, During, HubDay, life
from tests.torture.kills.watch import FleetWatch
from tests.torture.kills.world import World

pytestmark = pytest.mark.kill

BROKEN = Path(__file__).with_name("broken_bridge.py")
QUICK = HubDay(0.0, None)
LIVES = 3


async def test_bridge_that_answers_before_its_commit_and_sends_old_values_is_found_out(make_site: MakeSite) -> None:
    site = make_site()
    world = World(site, Block(0, ()), FleetWatch(site.journal))
    await world.begin()
    site.bridge_command = [sys.executable, str(BROKEN)]
    for seed in range(1, LIVES + 1):
        at = replace(life(seed), during=During.TRAFFIC, answers=300, hubject=QUICK, chargeprice=QUICK)
        print(await world.live(at))
    assert world.counts["statuses_lost"] > 0
    assert world.older_values() != []
