from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bridge.web.pages.words import age, duration, hub_says, number, rfc3339, spelled
from bridge.web.shapes import DeliveryItem

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


@pytest.mark.parametrize(
    ("members", "said"),
    [
        pytest.param({}, "should have Charging; nothing acknowledged", id="new"),
        pytest.param(
            {"acked": "Available", "state": "held", "why": "HTTP 401: no such key", "http": 401},
            "should have Charging; acknowledged Available; no such key; last answer HTTP 401",
            id="the-status-is-said-once",
        ),
        pytest.param(
            {"state": "refused", "why": "603 unknown EVSE", "http": 200, "code": "603"},
            "should have Charging; nothing acknowledged; unknown EVSE; last answer HTTP 200 603",
            id="the-code-is-said-once",
        ),
    ],
)
def test_what_there_is_to_know_of_an_evse_at_one_hub(members: dict[str, Any], said: str) -> None:
    item = {"desired": "Charging", "acked": None, "acked_at": None, "state": "pending", **members}
    assert hub_says(DeliveryItem.model_validate(item)) == said


def test_thousands_stand_apart() -> None:
    assert number(10000) == "10\u202f000"
