"""Live through hours in which one guard matters much: the quickest to turn red where it is switched off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from csms.events import OcppVersion
from tests.catalogue.recording import Tally
from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.fates import deaths, hub_faults, storage_faults
from tests.torture.simulation.stations import Habits
from tests.torture.simulation.world import Plan, Point

BUSY = {
    "one": Habits(OcppVersion.V16, ((0, 1), (0, 2)), change_s=40, drop_s=1e9),
    "two": Habits(OcppVersion.V201, ((1, 1), (2, 1)), change_s=40, drop_s=1e9),
}
"""Statuses that change faster than a slow hub answers."""

UNHURRIED = {name: replace(habits, change_s=600) for name, habits in BUSY.items()}
"""Statuses that nothing replaces soon where they were not stored."""

RESTLESS = {name: Habits(OcppVersion.V16, ((0, 1), (0, 2)), change_s=60, drop_s=120, away_s=3) for name in ("a", "b")}
"""Connections that end and come back all the time."""


@pytest.mark.row("T32")
def test_what_changes_during_a_slow_request_is_sent_after_it(simulate: Simulate, tally: Tally) -> None:
    slow = ({"kind": "latency", "delay_s": 12.0},)
    counted = simulate(1, Plan(BUSY, hours=1), [hub_faults(60, 600, slow)])
    assert counted["requests"] > 100
    tally.seed(1)


@pytest.mark.row("T29")
def test_a_request_that_a_hub_applies_late_is_healed(simulate: Simulate, tally: Tally) -> None:
    late = ({"kind": "late", "delay_s": 70.0}, {"kind": "late", "delay_s": 25.0}, {"kind": "reset_after"})
    for seed in range(1, 4):
        simulate(seed, Plan(BUSY, hours=0.5), [hub_faults(60, 120, late)])
        tally.seed(seed)


@pytest.mark.row("T02")
def test_a_request_that_was_under_way_at_a_kill_is_asserted_again(simulate: Simulate, tally: Tally) -> None:
    counted = simulate(1, Plan(BUSY, hours=2), [deaths(120, Point.PUSH_SENT)])
    assert counted[f"killed {Point.PUSH_SENT}"] >= 10
    tally.seed(1)


@pytest.mark.row("T12")
def test_statuses_that_could_not_be_stored_are_asked_for(simulate: Simulate, tally: Tally) -> None:
    counted = simulate(1, Plan(UNHURRIED, hours=4, rounds=8), [storage_faults(60, 900)])
    assert counted["faults"] >= 8
    tally.seed(1)


@pytest.mark.row("T53")
def test_connections_that_replace_each_other_leave_the_newest_in_place(simulate: Simulate, tally: Tally) -> None:
    counted = simulate(1, Plan(RESTLESS, hours=2), [])
    assert counted["statuses_answered"] > 100
    tally.seed(1)
