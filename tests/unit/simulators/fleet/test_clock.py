from datetime import UTC, datetime, timedelta

import pytest

from simulators.fleet.clock import StationClock

BEGAN = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("quirk", "shown"),
    [
        ("", "2026-03-01T12:01:00.250Z"),
        ("local-time-as-z", "2026-03-01T14:01:00.250Z"),
        ("no-time-zone", "2026-03-01T14:01:00.250"),
        ("epoch-1970", "1970-01-01T00:01:00.250Z"),
        ("year-0001", "0001-01-01T00:01:00.250Z"),
        ("stale-timestamps", "2026-02-27T12:01:00.250Z"),
    ],
)
def test_a_minute_after_it_began_the_clock_shows(quirk, shown):
    assert StationClock({quirk}, BEGAN).stamp(BEGAN + timedelta(minutes=1)) == shown


def test_times_grow_by_a_millisecond_where_the_real_time_does_not():
    clock = StationClock((), BEGAN)
    shown = [clock.stamp(BEGAN), clock.stamp(BEGAN), clock.stamp(BEGAN - timedelta(seconds=5))]
    assert shown == ["2026-03-01T12:00:00.250Z", "2026-03-01T12:00:00.251Z", "2026-03-01T12:00:00.252Z"]
