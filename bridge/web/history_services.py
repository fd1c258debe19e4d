"""State what the web and the command line need of the bridge about what was.

Holds no implementation. `bridge.app` supplies one over the open store; `bridge.cli` one over a running bridge's REST
interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from bridge.web.history_shapes import EvseHistory, StatusHistory

USUAL_RANGE = timedelta(hours=24)
DEFAULT_LIMIT, LARGEST_LIMIT = 1000, 10_000
DEFAULT_BUCKETS, LARGEST_BUCKETS = 96, 1000


class HistoryServices(Protocol):
    """Every method may raise Unavailable. A range that is not given is the last 24 hours."""

    async def of_evse(
        self,
        evse_id: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
        newest: bool = False,
        operators: frozenset[str] | None = None,
    ) -> EvseHistory:
        """Return what an EVSE was, in whatever spelling of its id, up to `limit` changes after `cursor`.

        With `newest` they are the last `limit` changes of the range on one page, and `cursor` does not count.

        Raises: NotFound; ValueRefused (the id, the range or the cursor).
        """
        ...

    async def counts(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        buckets: int = DEFAULT_BUCKETS,
        operators: frozenset[str] | None = None,
    ) -> StatusHistory:
        """Return how many EVSEs were what, at the ends of so many buckets. Raises: ValueRefused (the range)."""
        ...
