"""Know who is connected: one live session per station, the newest one.

Never closes a socket and never asks a clock. Before it: `server`, with each session that was authenticated and has
its epoch. After it: whoever looks a station up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from csms.events import Epoch, StationId


class Live(Protocol):
    """What identifies a session."""

    @property
    def station(self) -> StationId:
        """The station, as the registry spells it."""
        ...

    @property
    def epoch(self) -> Epoch:
        """Its connection's number: larger is newer."""
        ...


S = TypeVar("S", bound=Live)


class Connections(Generic[S]):
    """The live session of each station. Cleanup compares epochs, so a late end of an old one touches nothing."""

    def __init__(self) -> None:
        self._live: dict[StationId, S] = {}
        self._takeovers: dict[StationId, int] = {}

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[S]:
        return iter(tuple(self._live.values()))

    def get(self, station: StationId) -> S | None:
        """Return the station's live session."""
        return self._live.get(station)

    def stations(self) -> frozenset[StationId]:
        """Return who has one."""
        return frozenset(self._live)

    def add(self, session: S) -> S | None:
        """Record a session; return the one that lost its place and is to be closed, if any.

        The larger epoch wins: where two handshakes overtook each other, the loser is the given session itself.
        """
        present = self._live.get(session.station)
        if present is not None and present.epoch > session.epoch:
            return session
        self._live[session.station] = session
        if present is not None:
            self._takeovers[session.station] = self._takeovers.get(session.station, 0) + 1
        return present

    def remove(self, session: S) -> bool:
        """Forget the session if it is still the station's live one; tell whether it was."""
        present = self._live.get(session.station)
        if present is None or present.epoch != session.epoch:
            return False
        del self._live[session.station]
        self._takeovers.pop(session.station, None)
        return True

    def takeovers(self, station: StationId) -> int:
        """Return how often a newer connection replaced a live one since the station was last away.

        A growing number means two devices with one identity, or a network that drops connections silently.
        """
        return self._takeovers.get(station, 0)
