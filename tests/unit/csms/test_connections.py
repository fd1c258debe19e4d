from __future__ import annotations

from dataclasses import dataclass

import pytest

from csms.connections import Connections
from csms.events import Epoch, StationId

CP1, CP2 = StationId("CP1"), StationId("CP2")


@dataclass(frozen=True)
class FakeSession:
    station: StationId
    epoch: Epoch


def session(epoch: int, station: StationId = CP1) -> FakeSession:
    return FakeSession(station, Epoch(epoch))


def test_first_session_replaces_nobody() -> None:
    connections: Connections[FakeSession] = Connections()
    assert connections.add(session(1)) is None
    assert connections.get(CP1) == session(1)
    assert connections.takeovers(CP1) == 0


def test_newest_wins_and_the_old_one_is_given_back_for_closing() -> None:
    connections: Connections[FakeSession] = Connections()
    connections.add(session(1))
    assert connections.add(session(2)) == session(1)
    assert connections.get(CP1) == session(2)


def test_handshakes_that_overtook_each_other_leave_the_larger_epoch() -> None:
    connections: Connections[FakeSession] = Connections()
    connections.add(session(2))
    assert connections.add(session(1)) == session(1)
    assert connections.get(CP1) == session(2)
    assert connections.takeovers(CP1) == 0


@pytest.mark.row("T53")
def test_late_end_of_the_old_one_does_not_touch_the_new_one() -> None:
    connections: Connections[FakeSession] = Connections()
    connections.add(session(1))
    connections.add(session(2))
    assert connections.remove(session(1)) is False
    assert connections.get(CP1) == session(2)
    assert connections.remove(session(2)) is True
    assert connections.get(CP1) is None
    assert connections.remove(session(2)) is False


def test_stations_do_not_touch_each_other() -> None:
    connections: Connections[FakeSession] = Connections()
    connections.add(session(1))
    connections.add(session(2, CP2))
    connections.remove(session(1))
    assert list(connections) == [session(2, CP2)]
    assert len(connections) == 1


def test_takeovers_count_until_the_station_is_away() -> None:
    connections: Connections[FakeSession] = Connections()
    for epoch in (1, 2, 3):
        connections.add(session(epoch))
    assert connections.takeovers(CP1) == 2
    connections.remove(session(3))
    assert connections.takeovers(CP1) == 0
