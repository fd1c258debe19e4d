"""Compare what is true at one station with what its server has answered.

Never sends. Before it: `journal`, with what was said. After it: `station`, which says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulators.fleet.habits import Habits
from simulators.fleet.journal import Journal
from simulators.fleet.layout import STATION_LEVEL, Address


@dataclass(frozen=True, slots=True)
class Told:
    """What one station has told."""

    station: str
    journal: Journal
    habits: Habits
    word: Callable[[Address], str]
    """The status word that is true now."""

    def is_answered(self, address: Address) -> bool:
        """Say whether the server has answered what is true here.

        Nobody can ask for the station's own status alone; so where nothing is told unasked, it may stay untold.
        """
        if self.habits.reports_on_connect or address != STATION_LEVEL:
            return not self._is_missing(address)
        return not self._was_in_vain(address)

    def is_due_on_connect(self, address: Address, *, owed: bool) -> bool:
        """Say whether it is told after a connect; `owed` says that it is due whether it was told or not."""
        return self.habits.reports_on_connect and (owed or self._is_missing(address))

    def is_to_be_repeated(self, address: Address) -> bool:
        """Say whether it is told again unasked: where nothing is told unasked, only if it was in vain."""
        return self._is_missing(address) and (self.habits.reports_on_connect or self._was_in_vain(address))

    def _is_missing(self, address: Address) -> bool:
        last = self.journal.last(self.station, address)
        return last is None or not last.answered or last.status != self.word(address)

    def _was_in_vain(self, address: Address) -> bool:
        last = self.journal.last(self.station, address)
        return last is not None and not last.answered
