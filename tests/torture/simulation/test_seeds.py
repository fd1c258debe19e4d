"""Live through days with everything that can happen at once, one seed after the other.

`pytest tests/torture/simulation/test_seeds.py --seeds 4711` replays one; `python -m tests.torture.simulation.runs 4711`
shows what happens in it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.catalogue.recording import Tally
from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.fates import deaths, hub_faults, kills, retries, temporary_statuses
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


SETTINGS = {
    "never a fullLoad": Plan(FLEET, settings={"ACCOUNTS__HUBJECT__FULL_LOAD": "never"}),
    "fullLoads that nobody confirmed": Plan(FLEET, settings={"ACCOUNTS__HUBJECT__FULL_LOAD": "confirmed"}),
    "a lenient hub": Plan(FLEET, strict_known=False),
    "ends are told": Plan(FLEET, settings={"ACCOUNTS__CHARGEPRICE__VALID_UNTIL": "true"}),
    "two operators": Plan(FLEET | {"xyz": FLEET["one"], "xyz2": FLEET["two"]}),
}


@pytest.mark.row("T01", "T02")
@pytest.mark.parametrize("name", ["never a fullLoad", "ends are told", "two operators"])
def test_an_evening_of_everything_ends_well_with_other_settings_too(
    name: str, simulate: Simulate, tally: Tally
) -> None:
    simulate(5, replace(SETTINGS[name], hours=4), EVERYTHING)
    tally.seed(5)


@pytest.mark.row("T01", "T02")
@pytest.mark.long
@pytest.mark.parametrize("name", list(SETTINGS))
def test_a_day_of_everything_ends_well_with_other_settings_too(
    name: str, seed: int, simulate: Simulate, tally: Tally
) -> None:
    simulate(seed, SETTINGS[name], EVERYTHING)
    tally.seed(seed)


@pytest.mark.row("T02")
@pytest.mark.parametrize("point", list(Point))
def test_a_kill_at_the_worst_moment_loses_nothing_and_takes_nothing_back(
    point: Point, simulate: Simulate, tally: Tally
) -> None:
    counted = simulate(2, Plan(FLEET, hours=6), [deaths(1200, point), temporary_statuses(3600)])
    assert counted[f"killed {point}"] >= 5
    tally.seed(2)


def test_one_seed_is_one_run(simulate: Simulate) -> None:
    plan, fates = Plan(FLEET, hours=6), [kills(3600), deaths(3600), hub_faults(1800)]
    events = [run(3, plan, fates, simulate.template)[1] for _ in range(2)]
    assert len(events[0]) > 10
    assert events[0] == events[1]


@pytest.mark.parametrize("seed", [1, 2])
def test_orders_to_try_again_at_any_moment_leave_every_hub_with_the_truth(simulate: Simulate, seed: int) -> None:
    counted = simulate(seed, Plan(FLEET, hours=6), [hub_faults(900), kills(3600), retries(20)])
    assert counted["retries"] > 0
