"""Local times as people write them, on ordinary days and on the two nights of each year when clocks are moved."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.core.local_time import NoMoment, read_local

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        pytest.param("2026-12-01 08:00", datetime(2026, 12, 1, 7, 0, tzinfo=UTC), id="winter"),
        pytest.param("2026-07-01T08:00", datetime(2026, 7, 1, 6, 0, tzinfo=UTC), id="summer-as-a-form-sends-it"),
        pytest.param("2026-12-01", datetime(2026, 11, 30, 23, 0, tzinfo=UTC), id="a-day-begins-at-midnight"),
        pytest.param(" 2026-12-01 08:00:30 ", datetime(2026, 12, 1, 7, 0, 30, tzinfo=UTC), id="with-seconds"),
    ],
)
def test_a_local_time_is_one_moment(text: str, utc: datetime) -> None:
    assert read_local(text, BERLIN) == utc


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("2026-03-29 02:30", "the clocks skip this time on that day", id="spring"),
        pytest.param(
            "2026-10-25 02:30",
            "this time comes twice on that day; say 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00",
            id="autumn",
        ),
        pytest.param("2026-02-30 08:00", "there is no such day or time", id="no-day"),
    ],
)
def test_a_time_that_comes_twice_or_never_says_so(text: str, wanted: str) -> None:
    with pytest.raises(NoMoment, match="^" + wanted.replace("+", r"\+") + "$"):
        read_local(text, BERLIN)


def test_what_is_written_otherwise_is_left_to_others() -> None:
    assert read_local("2026-12-01T08:00:00+01:00", BERLIN) is None
