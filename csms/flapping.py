"""Notice that two devices have one identity: each new connection throws the other one out, again and again.

Pure: moments are arguments (monotonic seconds). Never closes anything. Before and after it: `flapping_watch`, which
warns once when it begins and once when it has calmed down.

Source: docs/hardware.md #13 and #26 (cloned configurations, reconnect loops).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import timedelta

from csms.events import StationId

WINDOW = timedelta(seconds=60)
TAKEOVERS = 3
"""More than this many within `WINDOW` are an alarm, from wherever they come."""
CALM_AFTER = timedelta(minutes=5)
"""Without a takeover; longer than stations wait between two attempts."""
_STATIONS = 1_000
_REMEMBERED = 16


@dataclass(frozen=True, slots=True)
class Flapping:
    """A station whose connections replace each other."""

    station: StationId
    addresses: tuple[str, ...]
    """The hosts that connected last, the newest first, each once; two devices where there are two."""
    takeovers: int
    """Since it began."""


@dataclass(slots=True)
class _Trail:
    """The takeovers of one station: when, and from which host."""

    at: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    hosts: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    count: int = 0
    flapping: bool = False


class Takeovers:
    """The takeovers of one server's stations; of those that had one last, a bounded number is remembered."""

    def __init__(self, *, calm_after: timedelta = CALM_AFTER, stations: int = _STATIONS) -> None:
        self._calm_after_s = calm_after.total_seconds()
        self._stations = stations
        self._trails: OrderedDict[StationId, _Trail] = OrderedDict()

    def __len__(self) -> int:
        return len(self._trails)

    def happened(self, station: StationId, loser: str, winner: str, now: float) -> bool:
        """Note that host `winner` replaced host `loser`; tell whether the station has begun to flap just now."""
        trail = self._trail(station, now)
        if not trail.hosts or trail.hosts[-1] != loser:
            trail.hosts.append(loser)
        alternates = winner != loser and winner in list(trail.hosts)[:-1]
        trail.at.append(now)
        trail.hosts.append(winner)
        trail.count += 1
        often = sum(now - at <= WINDOW.total_seconds() for at in trail.at) > TAKEOVERS
        begun = (alternates or often) and not trail.flapping
        trail.flapping |= begun
        return begun

    def calm_at(self, station: StationId) -> float | None:
        """Return from which moment on the station counts as calm if nothing happens; None: it does not flap."""
        trail = self._trails.get(station)
        return trail.at[-1] + self._calm_after_s if trail is not None and trail.flapping else None

    def calmed(self, station: StationId) -> None:
        """Forget the station's takeovers."""
        self._trails.pop(station, None)

    def flapping(self) -> tuple[Flapping, ...]:
        """Return the stations that flap now."""
        return tuple(
            Flapping(station, tuple(dict.fromkeys(reversed(trail.hosts))), trail.count)
            for station, trail in self._trails.items()
            if trail.flapping
        )

    def _trail(self, station: StationId, now: float) -> _Trail:
        trail = self._trails.get(station)
        if trail is None or (trail.at and now - trail.at[-1] > self._calm_after_s):
            trail = self._trails[station] = _Trail()
        self._trails.move_to_end(station)
        if len(self._trails) > self._stations:
            self._trails.popitem(last=False)
        return trail
