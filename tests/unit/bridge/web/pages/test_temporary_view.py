"""Temporary statuses by day, in the zone of whoever looks, and what a preview says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.core.model import TemporaryKind
from bridge.web.pages.temporary_view import calendar, grouped, period, summary
from bridge.web.temporary_shapes import TemporaryForecast, TemporaryItem, TemporaryPreview, TemporarySpan

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
HOUR = timedelta(hours=1)


def temporary(number: int, phase: str, begin: datetime, end: datetime | None = None) -> TemporaryItem:
    return TemporaryItem.model_validate(
        {
            "id": number,
            "evse_id": f"DE*ABC*E{number}",
            "status": "BLOCKED",
            "valid_from": begin,
            "valid_to": end,
            "phase": phase,
            "enforce": False,
            "created_at": NOON,
            "created_by": "anna",
        }
    )


ITEMS = (
    temporary(1, "over", NOON - 9 * HOUR, NOON - 8 * HOUR),
    temporary(2, "scheduled", NOON + 30 * HOUR),
    temporary(3, "active", NOON - HOUR),
    temporary(4, "active", NOON - HOUR, NOON + HOUR),
    temporary(5, "scheduled", NOON + 4 * HOUR),
    temporary(6, "scheduled", NOON + 6 * HOUR),
)


def days(zone: ZoneInfo, *, ended: bool = False) -> list[tuple[str, list[int]]]:
    return [(day.title, [item.id for item in day.items]) for day in calendar(ITEMS, zone, ended=ended)]


def test_those_in_force_stand_first_the_next_to_end_on_top_and_then_the_days_to_come() -> None:
    assert days(BERLIN) == [
        ("In force now", [4, 3]),
        ("Begins Fri 20 Nov 2026", [5, 6]),
        ("Begins Sat 21 Nov 2026", [2]),
    ]


def test_a_day_is_the_day_of_whoever_looks() -> None:
    assert days(TOKYO)[1:] == [("Begins Sat 21 Nov 2026", [5, 6]), ("Begins Sun 22 Nov 2026", [2])]


def test_what_is_over_is_shown_on_request() -> None:
    assert days(BERLIN, ended=True)[-1] == ("Over", [1])


def test_a_period_names_its_zone() -> None:
    assert period(None, None, BERLIN) == "from now until it is removed"
    assert period(NOON, NOON + HOUR, BERLIN) == (
        "from Fri 20 Nov 2026 13:00 (UTC+01:00) until Fri 20 Nov 2026 14:00 (UTC+01:00)"
    )


def forecast(name: str, *spans: tuple[str, str], now: str = "Available", **members: Any) -> TemporaryForecast:
    return TemporaryForecast(
        evse_id=name,
        station="CS-1",
        status="available",
        words={"hubject": now},
        spans=tuple(
            TemporarySpan(begin=NOON + number * HOUR, status=status, rule="because", words={"hubject": word})
            for number, (status, word) in enumerate(spans)
        ),
        **members,
    )


def preview(*items: TemporaryForecast) -> TemporaryPreview:
    return TemporaryPreview(
        status=TemporaryKind.BLOCKED, valid_from=NOON, valid_to=NOON + HOUR, enforce=False, items=items
    )


def test_evses_of_which_every_hub_is_told_the_same_stand_together() -> None:
    alike = [forecast(name, ("blocked", "Occupied"), ("available", "Available")) for name in ("A", "B")]
    other = forecast("C", ("maintenance", "OutOfService"), ("blocked", "Occupied"))
    groups = grouped(preview(*alike, other))
    assert [group.evse_ids for group in groups] == [("A", "B"), ("C",)]
    assert [(told.word, told.at_begin) for told in groups[0].hubs["hubject"]] == [
        ("Available", False),
        ("Occupied", True),
        ("Available", False),
    ]
    assert groups[0].notes == ()
    assert groups[1].notes == ("maintenance: because",)


def test_a_word_that_the_hub_has_already_is_not_told_again() -> None:
    (group,) = grouped(preview(forecast("A", ("blocked", "Occupied"), ("charging", "Occupied"), now="Occupied")))
    assert [told.word for told in group.hubs["hubject"]] == ["Occupied"]


def test_the_summary_says_that_all_or_none_get_it() -> None:
    good, bad = forecast("A", ("blocked", "Occupied")), TemporaryForecast(evse_id="X", problem="there is no EVSE 'X'")
    assert summary(preview(good)) == "Blocked for 1 EVSE"
    assert summary(preview(good, bad)) == "Blocked for 1 EVSE; 1 EVSE cannot have it, and then none gets it"
    assert grouped(preview(bad)) == []
