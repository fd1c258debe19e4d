from __future__ import annotations

import itertools

from bridge.wire_log.line import Kind
from bridge.wire_log.ring import LONGEST_FRAME, Held, Ring
from csms.events import Epoch, OcppVersion
from csms.ports import Direction


def ring_of(limit: int = 2**20) -> tuple[Ring, list[str]]:
    woken: list[str] = []
    seconds = itertools.count(1000)
    return Ring(limit, lambda: woken.append("woken"), lambda: float(next(seconds))), woken


def test_frames_come_out_in_order_as_they_went_in() -> None:
    ring, woken = ring_of()
    ring.opened("CS-1", Epoch(3), OcppVersion.V16, "127.0.0.1:5000")
    ring.frame("CS-1", Epoch(3), Direction.FROM_STATION, b'[2,"1","Heartbeat",{}]')
    ring.frame("CS-1", Epoch(3), Direction.TO_STATION, '[3,"1",{}]')
    ring.closed("CS-1", Epoch(3), 1001, "bye")
    assert list(ring.take()) == [
        Held(1000.0, "CS-1", Epoch(3), Kind.OPENED, "ocpp1.6 from 127.0.0.1:5000", 27),
        Held(1001.0, "CS-1", Epoch(3), Kind.FROM_STATION, b'[2,"1","Heartbeat",{}]', 22),
        Held(1002.0, "CS-1", Epoch(3), Kind.TO_STATION, '[3,"1",{}]', 10),
        Held(1003.0, "CS-1", Epoch(3), Kind.CLOSED, "1001 bye", 8),
    ]
    assert woken == ["woken"]
    assert not ring.take()


def test_it_wakes_again_after_it_was_fetched() -> None:
    ring, woken = ring_of()
    for _ in range(2):
        ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, b"x")
        ring.take()
    assert woken == ["woken", "woken"]


def test_the_oldest_frames_go_where_room_ends_and_are_counted() -> None:
    ring, _ = ring_of(limit=2500)
    for number in range(4):
        ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, str(number) * 1000)
    assert [held.data[:1] for held in ring.take()] == ["2", "3"]
    assert ring.dropped == 2
    ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, "x" * 2000)
    assert len(ring.take()) == 1


def test_a_huge_frame_is_held_in_part_with_its_whole_size() -> None:
    ring, _ = ring_of()
    ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, b"x" * 1_000_000)
    [held] = ring.take()
    assert (len(held.data), held.size) == (LONGEST_FRAME, 1_000_000)


def test_a_connection_that_broke_is_shown_as_1006() -> None:
    """RFC 6455 §7.4.1: 1006 stands for a connection that was closed abnormally."""
    ring, _ = ring_of()
    ring.closed("CS-1", Epoch(1), None, "")
    assert [held.data for held in ring.take()] == ["1006"]
