from __future__ import annotations

import pytest

from csms.pace import Pace


def test_burst_passes_at_once_and_what_follows_waits_for_the_rate() -> None:
    pace = Pace(10, 3)
    assert [pace.spend(100.0) <= 1e-9 for _ in range(3)] == [True, True, True]
    assert [pace.spend(100.0) for _ in range(3)] == pytest.approx([0.1, 0.2, 0.3])


def test_who_waits_as_told_goes_at_the_rate_for_ever() -> None:
    pace, now = Pace(50, 500), 100.0
    for _ in range(10_000):
        now += max(0.0, pace.spend(now))
    assert now - 100.0 == pytest.approx((10_000 - 500) / 50)


def test_burst_is_back_after_a_silence_and_is_never_larger() -> None:
    pace = Pace(10, 3)
    for _ in range(3):
        pace.spend(100.0)
    assert [pace.spend(500.0) <= 1e-9 for _ in range(4)] == [True, True, True, False]


def test_nobody_waits_where_there_is_no_limit() -> None:
    pace = Pace(0, 500)
    assert max(pace.spend(100.0) for _ in range(10_000)) <= 0
