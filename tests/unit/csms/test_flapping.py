from __future__ import annotations

from datetime import timedelta

from csms.events import StationId
from csms.flapping import Flapping, Takeovers

CP1 = StationId("CP1")


def test_three_takeovers_within_a_minute_are_a_bad_network() -> None:
    takeovers = Takeovers()
    assert [takeovers.happened(CP1, "A", "A", at) for at in (0.0, 20.0, 40.0)] == [False, False, False]
    assert takeovers.flapping() == ()


def test_a_fourth_within_a_minute_is_flapping_and_said_once() -> None:
    takeovers = Takeovers()
    assert [takeovers.happened(CP1, "A", "A", at) for at in (0.0, 20.0, 40.0, 60.0, 61.0)] == [
        False,
        False,
        False,
        True,
        False,
    ]
    assert takeovers.flapping() == (Flapping(CP1, ("A",), 5),)


def test_four_takeovers_in_more_than_a_minute_are_not() -> None:
    takeovers = Takeovers()
    assert not any(takeovers.happened(CP1, "A", "A", at) for at in (0.0, 25.0, 50.0, 75.0, 100.0))


def test_a_move_to_another_address_is_a_new_network() -> None:
    assert not Takeovers().happened(CP1, "A", "B", 0.0)


def test_addresses_that_alternate_are_two_devices_however_slowly() -> None:
    takeovers = Takeovers()
    assert not takeovers.happened(CP1, "A", "B", 0.0)
    assert takeovers.happened(CP1, "B", "A", 120.0)
    assert takeovers.flapping() == (Flapping(CP1, ("A", "B"), 2),)


def test_takeovers_long_ago_do_not_count() -> None:
    takeovers = Takeovers()
    takeovers.happened(CP1, "A", "B", 0.0)
    assert not takeovers.happened(CP1, "B", "A", 301.0)


def test_calm_is_counted_from_the_last_takeover() -> None:
    takeovers = Takeovers(calm_after=timedelta(seconds=300))
    takeovers.happened(CP1, "A", "B", 0.0)
    assert takeovers.calm_at(CP1) is None
    takeovers.happened(CP1, "B", "A", 10.0)
    takeovers.happened(CP1, "A", "B", 20.0)
    assert takeovers.calm_at(CP1) == 320.0
    takeovers.calmed(CP1)
    assert takeovers.flapping() == ()
    assert takeovers.calm_at(CP1) is None


def test_a_bounded_number_of_stations_is_remembered() -> None:
    takeovers = Takeovers(stations=3)
    for number in range(10):
        takeovers.happened(StationId(f"CP{number}"), "A", "B", float(number))
    assert len(takeovers) == 3
