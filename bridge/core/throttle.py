"""Slow down guessing: who has shown many wrong keys must wait, each time twice as long.

Pure: failures and moments in, waits out. Never counts by a key's name (there is none in a request), and never makes
anybody wait for what others did. Before it: `web.access`, with each wrong key. `csms.auth.Throttle` does the same for
stations, which have an identity beside their address.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ThrottleLimits:
    """How patient we are."""

    free: int = 10
    """Failures of one sender that cost nothing."""
    first: timedelta = timedelta(seconds=1)
    """The wait after the one that follows; then it doubles."""
    longest: timedelta = timedelta(minutes=15)
    forgotten_after: timedelta = timedelta(hours=1)
    """Without another failure."""
    capacity: int = 10_000
    """Senders that are remembered; beyond, the one that failed least recently is forgotten."""
    answered: int = 100
    """Failures of all senders together within a minute that are answered and logged one by one."""


def wait_after(failures: int, limits: ThrottleLimits) -> timedelta:
    """Return how long a sender waits after its last one of so many failures."""
    beyond = failures - limits.free
    if beyond <= 0:
        return timedelta(0)
    factor = int(2 ** min(beyond - 1, 32))
    return min(limits.first * factor, limits.longest)


@dataclass(frozen=True, slots=True)
class _Record:
    failures: int
    last: float


class Throttle:
    """Remembers failures by sender. Moments are monotonic, in seconds."""

    def __init__(self, limits: ThrottleLimits) -> None:
        self._limits = limits
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._recent: deque[float] = deque(maxlen=limits.answered)

    def __len__(self) -> int:
        return len(self._records)

    def wait(self, sender: str, now: float) -> float:
        """Return how many seconds the sender has still to wait; 0.0: none."""
        record = self._records.get(sender)
        if record is None:
            return 0.0
        return max(0.0, record.last + wait_after(record.failures, self._limits).total_seconds() - now)

    def failed(self, sender: str, now: float) -> None:
        """Count a failure of a sender, which was not waiting."""
        record = self._records.pop(sender, None)
        forgotten = record is None or now - record.last > self._limits.forgotten_after.total_seconds()
        self._records[sender] = _Record(1 if forgotten or record is None else record.failures + 1, now)
        if len(self._records) > self._limits.capacity:
            self._records.popitem(last=False)
        self._recent.append(now)

    def flooded(self, now: float) -> float:
        """Return for how many seconds further wrong keys, whoever shows them, are not looked at one by one."""
        if len(self._recent) < self._limits.answered:
            return 0.0
        return max(0.0, self._recent[0] + 60.0 - now)
