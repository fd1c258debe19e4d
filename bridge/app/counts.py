"""Count what the OCPP side reports as countable, for operators. In memory: it starts at nothing with each process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from csms.events import StationId


class Counts:
    """Implements `csms.ports.Counter`. The kinds are of bounded variety; stations are not labels."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, what: str, station: StationId | None = None) -> None:
        """Add one to `what`."""
        self._counts[what] += 1

    def add(self, what: str, number: int) -> None:
        """Add a number to `what`."""
        self._counts[what] += number

    def all(self) -> Mapping[str, int]:
        """Return a copy of everything counted, by kind."""
        return dict(self._counts)
