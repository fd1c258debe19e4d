from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.retention import Kept, Written, expired_through, surplus_through

NOW = datetime(2026, 11, 20, tzinfo=UTC)
KEPT = Kept(age=timedelta(days=30), rows=1000)


def rows(*ages_in_days: float, first: int = 1) -> list[Written]:
    return [Written(first + n, NOW - timedelta(days=age)) for n, age in enumerate(ages_in_days)]


@pytest.mark.parametrize(
    ("oldest", "newest", "expected"),
    [
        ([], 0, None),
        (rows(29, 3), 2, None),
        (rows(30, 3), 2, None),
        (rows(31, 30.1, 29), 3, 2),
        (rows(31, 29, 31), 3, 1),
        (rows(31), 1, None),
    ],
    ids=[
        "nothing is there",
        "all young",
        "as old as allowed",
        "the old ones go",
        "a row behind a young one waits",
        "the newest stays, however old",
    ],
)
def test_rows_go_by_age(oldest: list[Written], newest: int, expected: int | None) -> None:
    assert expired_through(oldest, newest, KEPT, NOW) == expected


@pytest.mark.parametrize(
    ("newest", "kept", "expected"), [(1002, 1000, 2), (1000, 1000, 0), (7, 1000, -993), (5, 1, 4), (5, 0, 4)]
)
def test_rows_beyond_the_newest_go_whatever_their_age_but_for_the_newest_itself(
    newest: int, kept: int, expected: int
) -> None:
    assert surplus_through(newest, Kept(timedelta(days=30), kept)) == expected
