from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.web.pages.timeline import Change, Share, Tick, timeline

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def hours(count: float) -> datetime:
    return NOON - DAY + timedelta(hours=count)


def test_a_change_before_the_beginning_says_what_it_was_then() -> None:
    drawn = timeline([Change(hours(-50), "available"), Change(hours(6), "charging")], hours(0), NOON)
    assert [(span.word, span.x, span.width) for span in drawn.spans] == [
        ("available", 0.0, 25.0),
        ("charging", 25.0, 75.0),
    ]


def test_what_nothing_is_known_of_stays_empty() -> None:
    drawn = timeline([Change(hours(12), "faulted")], hours(0), NOON)
    assert [(span.word, span.x, span.width) for span in drawn.spans] == [("faulted", 50.0, 50.0)]


def test_equal_neighbours_are_one_span() -> None:
    changes = [
        Change(hours(0), "available", "first"),
        Change(hours(6), "available", "second"),
        Change(hours(12), "unknown"),
    ]
    drawn = timeline(changes, hours(0), NOON)
    assert [(span.word, span.width, span.why) for span in drawn.spans] == [
        ("available", 50.0, "first"),
        ("unknown", 50.0, ""),
    ]


def test_changes_after_the_end_are_left_out() -> None:
    drawn = timeline([Change(hours(0), "available"), Change(hours(30), "charging")], hours(0), NOON)
    assert [span.word for span in drawn.spans] == ["available"]


def test_shares_are_of_the_whole_time_and_the_largest_comes_first() -> None:
    changes = [Change(hours(6), "charging"), Change(hours(12), "available"), Change(hours(18), "charging")]
    assert timeline(changes, hours(0), NOON).shares == (Share("charging", 50.0), Share("available", 25.0))


def test_what_was_for_a_moment_only_is_not_said_to_have_been_never() -> None:
    changes = [Change(hours(0), "available"), Change(hours(12), "faulted"), Change(hours(12.01), "available")]
    assert [share.said for share in timeline(changes, hours(0), NOON).shares] == ["100.0 %", "under 0.1 %"]


def test_a_day_has_a_tick_every_four_hours_of_the_clock() -> None:
    ticks = timeline([], hours(0), NOON).ticks
    assert [tick.label for tick in ticks] == ["16:00", "20:00", "00:00", "04:00", "08:00"]
    assert ticks[0] == Tick(16.667, "16:00")


def test_a_week_has_a_tick_every_midnight() -> None:
    assert [tick.label for tick in timeline([], NOON - 7 * DAY, NOON).ticks] == [
        "Sat 14",
        "Sun 15",
        "Mon 16",
        "Tue 17",
        "Wed 18",
        "Thu 19",
        "Fri 20",
    ]


def test_thirty_days_have_a_tick_every_five_days() -> None:
    assert [tick.label for tick in timeline([], NOON - 30 * DAY, NOON).ticks] == [
        "26 Oct",
        "31 Oct",
        "05 Nov",
        "10 Nov",
        "15 Nov",
        "20 Nov",
    ]
