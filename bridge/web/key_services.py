"""State what the web and the command line need of the bridge about operators' keys.

Holds no implementation. `bridge.app` supplies one over the open store; `bridge.cli` one over a running bridge's REST
interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from typing import Protocol

from bridge.web.key_shapes import KeyItem, KeyList, KeyMade, KeyWish
from bridge.web.page import Page


class KeyServices(Protocol):
    """Every method may raise Unavailable."""

    async def list(self, page: Page | None = None, *, revoked: bool = False) -> KeyList:
        """Return keys, all without a page, those that were revoked only where they are wanted. Raises: WrongCursor."""
        ...

    async def get(self, number: int) -> KeyItem:
        """Return one, revoked or not. Raises: NotFound."""
        ...

    async def create(self, wish: KeyWish, *, by: str) -> KeyMade:
        """Make a key and return it, this once. Raises: ValueRefused, Conflict."""
        ...

    async def revoke(self, number: int) -> KeyItem:
        """Let a key count no more, from now on. Raises: NotFound."""
        ...
