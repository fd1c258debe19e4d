from __future__ import annotations

from datetime import timedelta

import pytest

from csms.events import StationId
from csms.options import ServerOptions
from csms.reconnects import Reconnects, calmer

ONE, TWO = StationId("one"), StationId("two")


def test_connections_soon_after_each_other_are_a_row_of_their_station() -> None:
    reconnects = Reconnects()
    assert [reconnects.connected(ONE, now) for now in (0.0, 60.0, 170.0)] == [0, 1, 2]
    assert reconnects.connected(TWO, 171.0) == 0
    assert reconnects.connected(ONE, 290.0) == 0


def test_old_stations_are_forgotten() -> None:
    reconnects = Reconnects()
    for number in range(5000):
        reconnects.connected(StationId(f"s{number}"), float(number))
    assert len(reconnects) < 1500


@pytest.mark.parametrize(
    ("row", "settle_s", "after_boot_s"),
    [
        pytest.param(0, 5, 30, id="first"),
        pytest.param(1, 5, 30, id="second"),
        pytest.param(2, 10, 60, id="third"),
        pytest.param(3, 20, 120, id="fourth"),
        pytest.param(1000, 300, 300, id="for-ever"),
    ],
)
def test_questions_come_later_with_each_connection_of_a_row(row: int, settle_s: int, after_boot_s: int) -> None:
    waits = calmer(ServerOptions(), row)
    assert (waits.settle, waits.settle_after_boot) == (timedelta(seconds=settle_s), timedelta(seconds=after_boot_s))


def test_a_wait_that_is_longer_already_stays() -> None:
    options = ServerOptions(settle_after_boot=timedelta(minutes=10))
    assert calmer(options, 9).settle_after_boot == timedelta(minutes=10)
