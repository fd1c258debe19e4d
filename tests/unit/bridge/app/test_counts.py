from __future__ import annotations

from bridge.app.counts import MOST_KINDS, MOST_STATIONS, Counts
from csms.events import StationId

ONE, TWO = StationId("one"), StationId("two")


def test_what_is_counted_is_seen_by_kind_and_by_station() -> None:
    counts = Counts()
    counts.count("frame_failed", ONE)
    counts.count("frame_failed", ONE)
    counts.count("frame_failed", TWO)
    counts.count("ping_failed")
    assert counts.all() == {"frame_failed": 3, "ping_failed": 1}
    assert counts.of_station(ONE) == {"frame_failed": 2}
    assert counts.of_station(TWO) == {"frame_failed": 1}
    assert counts.of_station(StationId("three")) == {}


def test_view_of_a_station_keeps_64_kinds_and_the_sum_of_the_rest() -> None:
    counts = Counts()
    for number in range(MOST_KINDS + 6):
        counts.count(f"kind_{number}", ONE)
    counts.count("kind_0", ONE)
    assert len(counts.of_station(ONE)) == 65
    assert counts.of_station(ONE)["others"] == 6
    assert counts.of_station(ONE)["kind_0"] == 2


def test_number_of_views_is_bounded() -> None:
    counts = Counts()
    for number in range(MOST_STATIONS + 1):
        counts.count("x", StationId(str(number)))
    assert counts.all() == {"x": 50_001}
    assert counts.of_station(StationId("50000")) == {}


def test_views_are_copies() -> None:
    counts = Counts()
    counts.count("x", ONE)
    counts.of_station(ONE)["x"] = 9
    assert counts.of_station(ONE) == {"x": 1}
