"""Count what a fleet experiences: connections, refusals, errors, and how long answers take.

Never decides anything. Written by every `station`, shown by `progress` and `control`.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

_KEPT = 100_000


class Counts:
    """The numbers of one fleet; answer times are of the last 100,000 answers."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.connections = 0
        self.refusals = 0
        self.failures = 0
        """Connections that could not be opened, or ended by an error."""
        self.losses = 0
        """Losses of the network that behaviours brought, restarts among them."""
        self.power_cycles = 0
        self.left_open = 0
        """Connections that a station left half open."""
        self.twin_visits = 0
        """Connections of second devices with a station's id."""
        self.errors: Counter[str] = Counter()
        """CALLERRORs, invalid answers and timeouts, by kind."""
        self.last_failure = ""
        """Why the last connection could not be opened, while none ever could."""
        self._answer_ms: deque[float] = deque(maxlen=_KEPT)

    @contextmanager
    def timing(self) -> Iterator[None]:
        """Time one answer; nothing is counted where it does not come."""
        begun = time.perf_counter()
        yield
        self._answer_ms.append((time.perf_counter() - begun) * 1000)

    def note_failure(self, error: Exception, *, connected: bool) -> None:
        """Count a connection that failed; `connected` says that this station had been connected before."""
        self.failures += 1
        if not connected:
            self.last_failure = (str(error) or type(error).__name__)[:256]

    def note_error(self, error: Exception) -> None:
        """Count an answer that was an error, was not valid, or did not come in time."""
        self.errors[type(error).__name__] += 1

    def answer_ms(self, percent: float) -> float | None:
        """Return the answer time in milliseconds below which `percent` of the answers lie; None before the first."""
        ordered = sorted(self._answer_ms)
        if not ordered:
            return None
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
