"""Live through days with everything that can happen at once, one seed after the other.

`pytest tests/torture/simulation/test_seeds.py --seeds 4711` replays one; `python -m tests.torture.simulation.runs 4711`
shows what happens in it.
"""

from __future__ import annotations

import pytest

from tests.catalogue.recording import Tally
from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.fates import deaths, hub_faults, kills, temporary_statuses
from tests.torture.simulation.runs import EVERYTHING, FLEET, run
from tests.torture.simulation.world import Plan, Point


@pytest.mark.row("T01", "T02")
def test_after_a_day_of_everything_hubs_agree_and_nothing_was_lost_or_went_backwards(
    seed: int, simulate: Simulate, tally: Tally
) -> None:
    counted = simulate(seed, Plan(FLEET), EVERYTHING)
    assert counted["kills"] > 0
    assert counted["faults"] > 0
    tally.seed(seed)


@pytest.mark.row("T02")
@pytest.mark.parametrize("point", list(Point))
def test_a_kill_at_the_worst_moment_loses_nothing_and_takes_nothing_back(
    point: Point, simulate: Simulate, tally: Tally
) -> None:
    counted = simulate(2, Plan(FLEET, hours=12), [deaths(1200, point), temporary_statuses(3600)])
    assert counted[f"killed {point}"] >= 5
    tally.seed(2)


def test_one_seed_is_one_run(simulate: Simulate) -> None:
    plan, fates = Plan(FLEET, hours=6), [kills(3600), deaths(3600), hub_faults(1800)]
    events = [run(3, plan, fates, simulate.template)[1] for _ in range(2)]
    assert len(events[0]) > 10
    assert events[0] == events[1]
