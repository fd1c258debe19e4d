from __future__ import annotations

from bridge.app.loop_lag import LagMeter
from bridge.web.task_shapes import LoopLag


def test_nothing_is_said_before_the_first_sample() -> None:
    assert LagMeter(lambda: 0.0).lag() is None


def test_one_late_turn_of_a_hundred_is_the_longest_and_not_the_99th() -> None:
    meter = LagMeter(lambda: 0.0)
    for _ in range(99):
        meter.note(0.001)
    meter.note(2.5)
    assert meter.lag() == LoopLag(p99_s=0.001, max_s=2.5)


def test_what_is_older_than_five_minutes_is_forgotten() -> None:
    meter = LagMeter(lambda: 0.0)
    meter.note(2.5)
    for _ in range(1200):
        meter.note(0.001)
    assert meter.lag() == LoopLag(p99_s=0.001, max_s=0.001)
