from __future__ import annotations

from csms.events import StationId
from csms.guests import GuestCounter


class Named:
    def __init__(self) -> None:
        self.counted: list[tuple[str, StationId | None]] = []

    def count(self, what: str, station: StationId | None = None) -> None:
        self.counted.append((what, station))


def test_a_counter_is_never_told_the_names_of_guests_which_anybody_can_make_up() -> None:
    named = Named()
    GuestCounter(named).count("frame_malformed_json", StationId("NEW1"))
    assert named.counted == [("guest_frame_malformed_json", None)]
