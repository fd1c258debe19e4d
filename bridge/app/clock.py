"""Read both clocks of the machine as one `Moment`. The only place where the bridge reads them for decisions."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from bridge.core.model import Moment

_RESOLUTION_S: Final = 0.001
"""A moment is returned again for so long: a busy event loop asks for it twice for each message."""


class SystemClock:
    """The wall clock, and the monotonic clock written as a UTC datetime that starts there and never steps."""

    def __init__(self) -> None:
        self._anchor = datetime.now(UTC)
        self._started = time.monotonic()
        self._last = Moment(now=self._anchor, steady=self._anchor)
        self._last_at = self._started

    def __call__(self) -> Moment:
        """Return this moment, at most a millisecond late."""
        at = time.monotonic()
        if at - self._last_at >= _RESOLUTION_S:
            self._last = Moment(now=datetime.now(UTC), steady=self._anchor + timedelta(seconds=at - self._started))
            self._last_at = at
        return self._last

    def wall(self) -> datetime:
        """Return the wall clock alone, which stations are told."""
        return datetime.now(UTC)
