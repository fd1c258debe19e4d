"""Look for ready sockets in rounds, while many become ready.

A loop that wakes for each message of a thousand a second finds cold caches each time (ADR 25). Where little happens,
every socket is seen at once; timers, signals and what other threads have called always are. Before it: `serve`, whose
event loop this is. After it: the operating system.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from datetime import timedelta
from selectors import EVENT_READ, DefaultSelector, SelectorKey
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

ROUND = timedelta(milliseconds=8)
"""From one look to the next, at least, while it is busy: what an answer may wait for besides its commit."""

_QUIET = 4
"""Ready sockets in the time of a round that do not keep the loop busy: 500 a second."""
_BUSY = 8
"""So many more than that are busy; a few at once are not."""
_BUSIEST = 32
"""More than that are not counted, so that the loop is busy for no more than eight rounds after a storm."""
_PLENTY = 32
"""Ready sockets of one look: so many take about as long as a round, and may as well be followed by the next look."""


class Rounds(DefaultSelector):
    """The selector of one event loop, which must have been made with it."""

    def __init__(self, *, round_: timedelta = ROUND, clock: Callable[[], float] = perf_counter) -> None:
        """`clock` returns seconds that only grow."""
        super().__init__()
        self._round_s = round_.total_seconds()
        self._clock = clock
        self._own: SelectorKey | None = None
        self._own_alone = select.poll()
        self._next_at = 0.0
        self._looked_at = 0.0
        self._level = 0.0

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> SelectorKey:
        """Watch a socket; the first one is the event loop's own, by which threads and signals wake it."""
        key = super().register(fileobj, events, data)
        if self._own is None:
            self._own = key
            self._own_alone.register(key.fd, select.POLLIN)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Return what is ready; between two rounds the loop's own socket at most. `timeout` is in seconds."""
        rest = self._next_at - self._clock()
        if rest > 0:
            span = rest if timeout is None else max(0.0, min(rest, timeout))
            if self._own_alone.poll(1000 * span) and self._own is not None:
                return [(self._own, EVENT_READ)]
            if self._clock() < self._next_at:
                return []  # a timer is due, or callbacks are waiting
            timeout = 0
        found = super().select(timeout)
        self._note(sum(key is not self._own for key, _ in found), self._clock())
        return found

    def _note(self, ready: int, now: float) -> None:
        quiet = _QUIET * (now - self._looked_at) / self._round_s
        self._looked_at = now
        self._level = min(max(0.0, self._level - quiet) + ready, _BUSIEST)
        if self._level > _BUSY and ready < _PLENTY:
            self._next_at = now + self._round_s
