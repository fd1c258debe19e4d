"""State what the web and the command line need of the bridge about temporary statuses.

Holds no implementation. `bridge.app` supplies one over the open store; `bridge.cli` one over a running bridge's REST
interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from typing import Literal, Protocol

from bridge.core.etags import ANYTHING, Condition
from bridge.web.page import Page
from bridge.web.temporary_shapes import (
    TemporaryChange,
    TemporaryItem,
    TemporaryList,
    TemporaryPreview,
    TemporaryWish,
)

Which = Literal["active", "current", "all"]
"""Those in force; those in force or to come; all that were not deleted."""


class TemporaryServices(Protocol):
    """Every method may raise Unavailable."""

    async def list(self, evse_id: str | None, which: Which, page: Page | None = None) -> TemporaryList:
        """Return temporary statuses, all without a page; only those of one EVSE, in any spelling, where one is named.

        Raises: WrongCursor.
        """
        ...

    async def get(self, number: int) -> TemporaryItem:
        """Return one. Raises: NotFound."""
        ...

    async def preview(self, wish: TemporaryWish) -> TemporaryPreview:
        """Return what the wish would do; what is wrong with one EVSE is said there. Raises: ValueRefused."""
        ...

    async def create(self, wish: TemporaryWish, *, by: str) -> TemporaryList:
        """Create one for each EVSE of the wish, or none. Raises: NotFound (an EVSE), ValueRefused, Conflict."""
        ...

    async def change(self, number: int, change: TemporaryChange, condition: Condition = ANYTHING) -> TemporaryItem:
        """Change one, if it is as `condition` says. Raises: NotFound, ValueRefused, Conflict, Changed."""
        ...

    async def end(self, numbers: tuple[int, ...]) -> TemporaryList:
        """Delete these, or none of them, and return what they were. Raises: NotFound."""
        ...
