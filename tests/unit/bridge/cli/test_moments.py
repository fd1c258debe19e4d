"""Times and durations as people write them at a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.cli.moments import NoMoment, read_moment, read_period, read_zone, shown

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2026-12-01 08:00", datetime(2026, 12, 1, 7, 0, tzinfo=UTC), id="winter"),
        pytest.param("2026-07-01T08:00:30", datetime(2026, 7, 1, 6, 0, 30, tzinfo=UTC), id="summer"),
        pytest.param("2026-12-01", datetime(2026, 11, 30, 23, 0, tzinfo=UTC), id="day-alone"),
        pytest.param("2026-12-01T08:00:00Z", datetime(2026, 12, 1, 8, 0, tzinfo=UTC), id="utc-counts-more"),
        pytest.param("2026-12-01T08:00:00-05:00", datetime(2026, 12, 1, 13, 0, tzinfo=UTC), id="offset-counts-more"),
        pytest.param("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), id="second-half-past-two"),
    ],
)
def test_times_are_read_in_the_zone_that_is_named(text: str, moment: datetime) -> None:
    assert read_moment(text, BERLIN) == moment


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("2026-03-29 02:30", "the clocks skip this time on that day", id="skipped-hour"),
        pytest.param(
            "2026-10-25 02:30",
            "this time comes twice on that day; say 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00",
            id="hour-that-comes-twice",
        ),
        pytest.param("2026-02-30 08:00", "there is no such day or time", id="february-30"),
        pytest.param("2026-12-01 25:00", "there is no such day or time", id="hour-25"),
        pytest.param("0001-01-01 00:00", "there is no such day or time", id="before-the-first-year-in-utc"),
        pytest.param("8:00", 'should be such as "2026-12-01 08:00" or 2026-12-01T08:00:00+01:00', id="time-alone"),
    ],
)
def test_times_that_do_not_exist_are_refused_with_what_would_be_right(text: str, wanted: str) -> None:
    with pytest.raises(NoMoment) as caught:
        read_moment(text, BERLIN)
    assert str(caught.value) == f"{text!r}: {wanted}"


def test_without_a_zone_the_machine_s_own_counts() -> None:
    naive = datetime(2026, 12, 1, 8, 0)  # noqa: DTZ001 - what is tested is its zone
    assert read_moment("2026-12-01 08:00", None) == naive.astimezone()


def test_periods_are_longer_than_nothing() -> None:
    assert read_period("2 h") == timedelta(hours=2)
    assert read_period("90 min") == timedelta(minutes=90)
    for text in ("0 s", "-1 h", "2 weeks", ""):
        with pytest.raises(NoMoment):
            read_period(text)


def test_zones_have_iana_names() -> None:
    assert read_zone("Europe/Berlin") == BERLIN
    assert read_zone(None) is None
    with pytest.raises(NoMoment, match="should be a time zone such as"):
        read_zone("Mars/Olympus")


def test_moments_are_shown_with_their_offset() -> None:
    assert shown(datetime(2026, 12, 1, 7, 0, tzinfo=UTC), BERLIN) == "2026-12-01 08:00:00+01:00"
    assert shown(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), BERLIN) == "9999-12-31 23:59:59+00:00"
    assert shown(None) == ""
