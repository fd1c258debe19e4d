from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bridge.app.clock import SystemClock


def test_moments_never_go_back_and_are_soon_others() -> None:
    clock = SystemClock()
    moments, ends = [clock()], datetime.now(UTC) + timedelta(milliseconds=20)
    while datetime.now(UTC) < ends:
        moments.append(clock())
    assert all(earlier.steady <= later.steady for earlier, later in pairwise(moments))
    assert len(set(moments)) >= 3


def test_moment_is_at_most_a_little_late() -> None:
    clock = SystemClock()
    before = datetime.now(UTC)
    moments = [clock() for _ in range(100)]
    assert min(moment.now for moment in moments) >= before - timedelta(milliseconds=1)
    assert max(moment.steady - moment.now for moment in moments) < timedelta(seconds=1)
