"""Switch guards off for real: the whole mutation run (`make mutation`) takes minutes, and must not decay meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.mutation.guards import known_guards
from tests.mutation.run import judge


@pytest.mark.parametrize(("name", "row"), [("full_load_guard", "T47"), ("token_of_sessions", "T53")])
def test_a_guard_that_is_switched_off_is_noticed(name: str, row: str) -> None:
    verdict = judge(known_guards()[name])
    assert verdict.problem == ""
    assert verdict.failed >= 1
    assert row in verdict.rows


def test_a_change_that_switches_nothing_off_is_said_to_be_unnoticed() -> None:
    guard = known_guards()["token_of_sessions"]
    assert judge(replace(guard, new=guard.old)).problem == "all its tests pass"
