"""Measure how late the event loop is, by sleeping again and again. Before it: `serve`. After it: metrics and status.

Never grows: it keeps the last five minutes.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from bridge.web.task_shapes import LoopLag

_EVERY_S = 0.25
_KEPT = 1200
"""Five minutes of samples."""


class LagMeter:
    """The lag of this process's event loop. Run `run` as one named task."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._samples: deque[float] = deque(maxlen=_KEPT)

    def lag(self) -> LoopLag | None:
        """Return the lag of the last five minutes; None before the first sample."""
        if not self._samples:
            return None
        ordered = sorted(self._samples)
        return LoopLag(p99_s=ordered[math.ceil(0.99 * len(ordered)) - 1], max_s=ordered[-1])

    def note(self, lag_s: float) -> None:
        """Add a sample."""
        self._samples.append(max(0.0, lag_s))

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due = self._clock() + _EVERY_S
            await asyncio.sleep(_EVERY_S)
            self.note(self._clock() - due)
