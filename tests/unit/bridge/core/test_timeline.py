"""What an EVSE was, from its changes; and how many were what, from how many changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.core.timeline import Change, Moved, counts, spans

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def change(minutes: float, status: str, live: str = "") -> Change:
    return Change(at(minutes), status, live or status, f"r{minutes}")


def shown(changes: list[Change], since: float = 0, until: float | None = 60) -> list[tuple[object, ...]]:
    found = spans(changes, at(since), None if until is None else at(until))
    return [
        (
            span.status,
            (span.begin - NOON) / timedelta(minutes=1),
            None if span.end is None else (span.end - NOON) / timedelta(minutes=1),
        )
        for span in found
    ]


def test_the_value_at_the_beginning_is_that_of_the_change_before_it():
    assert shown([change(-30, "available"), change(10, "charging")]) == [("available", 0, 10), ("charging", 10, 60)]


def test_where_nothing_was_before_the_first_change_begins():
    assert shown([change(10, "charging")]) == [("charging", 10, 60)]
    assert shown([]) == []


def test_the_last_one_may_be_so_still():
    assert shown([change(10, "charging")], until=None) == [("charging", 10, None)]


def test_equal_neighbours_are_one():
    assert shown([change(1, "charging"), change(2, "charging"), change(3, "available")]) == [
        ("charging", 1, 3),
        ("available", 3, 60),
    ]
    other = [change(1, "maintenance", "available"), change(2, "maintenance", "charging")]
    assert shown(other) == [("maintenance", 1, 2), ("maintenance", 2, 60)]


def test_no_span_ends_before_it_begins_where_the_clock_was_set_back():
    assert shown([change(10, "charging"), change(5, "available"), change(20, "faulted")]) == [
        ("charging", 10, 10),
        ("available", 10, 20),
        ("faulted", 20, 60),
    ]


def test_how_many_were_what_at_the_end_of_each_bucket():
    moved = [
        Moved(-1, "available", None, 5),
        Moved(0, "charging", "available", 2),
        Moved(2, "available", "charging", 1),
        Moved(2, "faulted", None, 1),
    ]
    assert counts(moved, 4) == (
        {"available": 3, "charging": 2},
        {"available": 3, "charging": 2},
        {"available": 4, "charging": 1, "faulted": 1},
        {"available": 4, "charging": 1, "faulted": 1},
    )
    assert counts([], 2) == ({}, {})
