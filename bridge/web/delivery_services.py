"""State what the web and the command line need of the bridge about requests to hubs.

Holds no implementation. `bridge.app` supplies one over the open store; `bridge.cli` one over a running bridge's REST
interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.web.delivery_shapes import DeliveryLogDetail, DeliveryLogPage, RetryReport, Throughput

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000
DEFAULT_BUCKETS = 60
LARGEST_BUCKETS = 500


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """Which pushes; None or empty: whichever."""

    account: str | None = None
    evse_id: str | None = None
    """In any of its spellings."""
    outcomes: tuple[str, ...] = ()
    """Any of these."""
    kind: str | None = None
    since: datetime | None = None
    """Sent at this moment or later."""
    before: datetime | None = None
    """Sent before this moment."""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    """The `next_cursor` of the page before."""
    operators: frozenset[str] | None = None
    """Whose EVSEs' statuses alone, for whoever may know of no others; None: everything."""


class DeliveryServices(Protocol):
    """Every method may raise Unavailable."""

    async def list(self, query: DeliveryQuery) -> DeliveryLogPage:
        """Return pushes, the newest first. Raises: NotFound (the account, the EVSE), ValueRefused (the cursor)."""
        ...

    async def get(self, number: int, operators: frozenset[str] | None = None) -> DeliveryLogDetail:
        """Return one with what was sent and answered; `operators` as in the query. Raises: NotFound."""
        ...

    async def retry(
        self, evse_id: str, account: str, *, by: str, operators: frozenset[str] | None = None
    ) -> RetryReport:
        """Send now what the account's hub should have of an EVSE, though it refused it or the row waits.

        Raises: NotFound; Conflict where nothing waits, or where the account sends nothing.
        """
        ...

    async def retry_document(self, account: str, kind: str, key: str, *, by: str) -> RetryReport:
        """As `retry`, of a document. Raises: NotFound, Conflict."""
        ...

    async def throughput(
        self, account: str, since: datetime | None, until: datetime | None, buckets: int
    ) -> Throughput:
        """Return what was sent in `buckets` spans of equal length; of the last hour where nothing else is said.

        Raises: NotFound; ValueRefused where `until` is no later than `since`.
        """
        ...
