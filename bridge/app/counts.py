"""Count what the OCPP side reports as countable, for operators. In memory: it starts at nothing with each process.

Never grows without bound: the kinds are few, and each station's own view is cut. docs/counts.md lists every kind.
Before it: `csms`, for each thing worth counting. After it: metrics and the log (`all`), one station's page
(`of_station`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from csms.events import StationId

MOST_KINDS: Final = 64
"""Kinds kept per station; what comes beyond is counted together, as `OTHERS`."""

MOST_STATIONS: Final = 50_000
"""Stations with a view of their own: beyond that only the sums are kept."""

OTHERS: Final = "others"


class Counts:
    """Implements `csms.ports.Counter`. The kinds are of bounded variety; in the sums stations are not labels."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._stations: dict[StationId, dict[str, int]] = {}

    def count(self, what: str, station: StationId | None = None) -> None:
        """Add one to `what`, and to the station's own view of it."""
        self._counts[what] += 1
        if station is None:
            return
        kinds = self._stations.get(station)
        if kinds is None:
            if len(self._stations) >= MOST_STATIONS:
                return
            kinds = self._stations[station] = {}
        if what not in kinds and len(kinds) >= MOST_KINDS:
            what = OTHERS
        kinds[what] = kinds.get(what, 0) + 1

    def add(self, what: str, number: int) -> None:
        """Add a number to `what`."""
        self._counts[what] += number

    def all(self) -> Mapping[str, int]:
        """Return a copy of everything counted, by kind."""
        return dict(self._counts)

    def of_station(self, station: StationId) -> dict[str, int]:
        """Return a copy of what was counted about one station since the bridge started, by kind."""
        return dict(self._stations.get(station, {}))
