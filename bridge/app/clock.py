"""Read both clocks of the machine as one `Moment`. The only place where the bridge reads them for decisions."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from bridge.core.model import Moment


class SystemClock:
    """The wall clock, and the monotonic clock written as a UTC datetime that starts there and never steps."""

    def __init__(self) -> None:
        self._anchor = datetime.now(UTC)
        self._started = time.monotonic()

    def __call__(self) -> Moment:
        """Return this moment."""
        return Moment(now=datetime.now(UTC), steady=self._anchor + timedelta(seconds=time.monotonic() - self._started))

    def wall(self) -> datetime:
        """Return the wall clock alone, which stations are told."""
        return datetime.now(UTC)
