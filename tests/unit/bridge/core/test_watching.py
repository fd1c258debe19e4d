from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.core.backoff import delay
from bridge.core.watching import Rounds, WatchOptions, hangs, looked

OPTIONS = WatchOptions()
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def idle_for(looks: int, passed: timedelta, *, excused: bool = False) -> Rounds:
    rounds = Rounds(7)
    for _ in range(looks):
        rounds = looked(rounds, 7, passed, excused=excused, options=OPTIONS)
    return rounds


def test_task_that_does_not_go_round_hangs_once_its_patience_is_over() -> None:
    assert not hangs(idle_for(30, SECOND), timedelta(seconds=30))
    assert hangs(idle_for(31, SECOND), timedelta(seconds=30))


def test_going_round_once_starts_the_count_anew() -> None:
    assert looked(idle_for(31, SECOND), 8, SECOND, excused=False, options=OPTIONS) == Rounds(8)


def test_process_that_was_stopped_for_a_minute_finds_nobody_hanging() -> None:
    assert not hangs(idle_for(1, MINUTE), timedelta(seconds=30))
    assert idle_for(1, MINUTE).idle == timedelta(seconds=2)


def test_nobody_hangs_while_the_storage_is_slow() -> None:
    assert idle_for(600, SECOND, excused=True).idle == timedelta(0)


def test_task_that_never_said_how_long_it_takes_never_hangs() -> None:
    assert not hangs(idle_for(86_400, SECOND), None)


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (3, 4), (7, 60), (500, 60)])
def test_pauses_before_a_restart_double_up_to_a_minute(failures: int, seconds: int) -> None:
    assert delay(failures, 0.0, OPTIONS.restart) == timedelta(seconds=seconds)
