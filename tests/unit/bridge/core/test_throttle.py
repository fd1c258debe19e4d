from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.core.throttle import Throttle, ThrottleLimits, wait_after

LIMITS = ThrottleLimits(free=3, first=timedelta(seconds=1), longest=timedelta(seconds=60), capacity=4, answered=6)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (1, 0), (3, 0), (4, 1), (5, 2), (6, 4), (9, 32), (10, 60), (11, 60), (1_000_000, 60)],
)
def test_the_wait_doubles_after_those_that_are_free(failures: int, seconds: int) -> None:
    assert wait_after(failures, LIMITS) == timedelta(seconds=seconds)


def test_one_sender_s_failures_make_nobody_else_wait() -> None:
    throttle = Throttle(LIMITS)
    for _ in range(5):
        throttle.failed("192.0.2.1", 100.0)
    assert throttle.wait("192.0.2.1", 100.5) == 1.5
    assert throttle.wait("192.0.2.2", 100.5) == 0.0


def test_the_wait_ends_and_the_next_failure_makes_it_longer() -> None:
    throttle = Throttle(LIMITS)
    for _ in range(4):
        throttle.failed("a", 100.0)
    assert throttle.wait("a", 101.0) == 0.0
    throttle.failed("a", 101.0)
    assert throttle.wait("a", 101.0) == 2.0


def test_failures_are_forgotten_after_an_hour_without_another() -> None:
    throttle = Throttle(LIMITS)
    for _ in range(9):
        throttle.failed("a", 0.0)
    throttle.failed("a", 3601.0)
    assert throttle.wait("a", 3601.0) == 0.0


def test_memory_is_bounded_and_the_one_that_failed_last_stays() -> None:
    throttle = Throttle(LIMITS)
    for number in range(1000):
        throttle.failed(f"10.0.{number // 256}.{number % 256}", float(number))
    for _ in range(3):
        throttle.failed("10.0.3.231", 1000.0)
    assert len(throttle) == 4
    assert throttle.wait("10.0.3.231", 1000.0) == 1.0


def test_many_failures_of_all_together_within_a_minute_are_a_flood() -> None:
    throttle = Throttle(LIMITS)
    for number in range(5):
        throttle.failed(f"10.0.0.{number}", 100.0 + number)
    assert throttle.flooded(105.0) == 0.0
    throttle.failed("10.0.0.9", 105.0)
    assert throttle.flooded(105.0) == 55.0
    assert throttle.flooded(160.0) == 0.0
