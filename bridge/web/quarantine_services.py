"""State what the web and the command line need of the bridge about unknown stations and refused attempts.

Holds no implementation. `bridge.app` supplies one over the open store; `bridge.cli` one over a running bridge's REST
interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from typing import Protocol

from bridge.web.page import Page
from bridge.web.quarantine_shapes import AttemptList, Forgotten, MapReport, MapWish, QuarantineList


class QuarantineServices(Protocol):
    """Every method may raise Unavailable."""

    async def list(self, page: Page | None = None) -> QuarantineList:
        """Return the stations in quarantine, all without a page. Raises: WrongCursor."""
        ...

    async def map(self, station: str, wish: MapWish) -> MapReport:
        """Make one a station of the inventory, and close its session so that it logs in anew.

        Raises: NotFound, RowsRefused.
        """
        ...

    async def forget(self, station: str) -> Forgotten:
        """Remove one from quarantine and close its session. Raises: NotFound."""
        ...

    async def attempts(self, station: str | None, page: Page | None = None) -> AttemptList:
        """Return the refused attempts, of one station where one is named. Raises: NotRunning, WrongCursor."""
        ...
