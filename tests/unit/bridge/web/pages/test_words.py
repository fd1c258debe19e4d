from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bridge.web.pages.words import age, duration, number, rfc3339, spelled

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        pytest.param(None, "–", id="none"),
        pytest.param(0, "0 s", id="nothing"),
        pytest.param(-3, "0 s", id="negative"),
        pytest.param(59.9, "59 s", id="never-rounded-up"),
        pytest.param(60, "1 min", id="minute"),
        pytest.param(119, "1 min", id="seconds-do-not-matter-after-a-minute"),
        pytest.param(3600, "1 h", id="hour"),
        pytest.param(3 * 3600 + 5 * 60, "3 h 5 min", id="two-units"),
        pytest.param(86400 * 3 + 4 * 3600 + 59, "3 d 4 h", id="days"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        pytest.param(timedelta(seconds=0.9), "now", id="within-a-second"),
        pytest.param(timedelta(seconds=12), "12 s ago", id="past"),
        pytest.param(timedelta(minutes=-90), "in 1 h 30 min", id="future"),
    ],
)
def test_an_age_says_whether_it_is_past_or_to_come(ago: timedelta, said: str) -> None:
    assert age(NOON - ago, NOON) == said


def test_moments_are_shown_in_utc_whatever_their_offset() -> None:
    moment = datetime(2026, 11, 20, 14, 30, 5, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(moment) == "2026-11-20T12:30:05Z"
    assert spelled(moment) == "2026-11-20 12:30:05 UTC"


def test_thousands_stand_apart() -> None:
    assert number(10000) == "10\u202f000"
