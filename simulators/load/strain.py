"""Watch whether the load generator itself was the bottleneck: its event loop's lateness and its core.

Before it: `worker`. After it: `report`, which says so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from simulators.load.times import Times

_LOOK_EVERY_S = 0.02
_SECOND = 1.0
_BUSY = 0.9
_LATE_MS = 20.0


@dataclass(frozen=True, slots=True)
class Strain:
    """How hard a process of the generator worked in one stretch."""

    cpu_s: float
    seconds: float
    busiest: float
    """CPU seconds per second in the busiest one: 1 is a whole core."""
    late_p99_ms: float
    """How much later than asked its event loop woke it."""
    late_longest_ms: float

    @property
    def busy(self) -> bool:
        """Whether its core was: rates are lower bounds, since more was not asked for."""
        return self.busiest >= _BUSY

    @property
    def late(self) -> bool:
        """Whether its event loop was: answer times are upper bounds, since answers waited for it."""
        return self.late_p99_ms >= _LATE_MS

    def document(self) -> dict[str, Any]:
        """Return everything, for another process."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Strain:
        """Return what another process found."""
        return cls(**document)


class Watch:
    """Looks for as long as `watching` runs."""

    def __init__(self) -> None:
        self._late = Times()
        self._began, self._cpu = time.perf_counter(), time.process_time()
        self._second, self._second_cpu = self._began, self._cpu
        self._busiest = 0.0

    async def watching(self) -> None:
        """Look until cancelled."""
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(_LOOK_EVERY_S)
            now = time.perf_counter()
            self._late.add(1000 * max(now - asked - _LOOK_EVERY_S, 0.0))
            if now - self._second >= _SECOND:
                self._end_second(now)

    def _end_second(self, now: float) -> None:
        cpu = time.process_time()
        self._busiest = max(self._busiest, (cpu - self._second_cpu) / (now - self._second))
        self._second, self._second_cpu = now, cpu

    def found(self) -> Strain:
        """Return what was seen so far."""
        now, cpu = time.perf_counter(), time.process_time()
        used, seconds = cpu - self._cpu, max(now - self._began, 1e-9)
        return Strain(
            used,
            seconds,
            self._busiest or min(used, used / seconds),  # less than a second says nothing of a whole one
            self._late.percentile(99) or 0.0,
            self._late.longest,
        )
