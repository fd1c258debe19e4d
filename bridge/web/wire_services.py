"""State what the web and the command line need of the bridge about its wire log.

Holds no implementation. `bridge.app` supplies one over the files; `bridge.cli` one over a running bridge's REST
interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from bridge.web.wire_shapes import WireLines

LONGEST_WAIT = timedelta(seconds=30)


class WireLogServices(Protocol):
    """Every method may raise Unavailable."""

    async def lines(
        self,
        station: str,
        *,
        limit: int,
        after: int | None = None,
        since: datetime | None = None,
        wait: timedelta = timedelta(0),
    ) -> WireLines:
        """Return the last `limit` lines of a station, or with `after` the next ones after that cursor.

        Where there is none yet, wait up to `wait` (at most `LONGEST_WAIT`) for the first. A station of which nothing
        was ever kept has no lines.
        """
        ...
