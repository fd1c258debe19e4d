"""Ask a running bridge about operators' keys, as the same services that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.key_routes`, on the wire.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel

from bridge.cli.answers import classified
from bridge.cli.pages import pages
from bridge.web.key_shapes import KeyItem, KeyList, KeyMade, KeyWish
from bridge.web.page import Page

Request = Callable[[str, str, str | None], Awaitable[tuple[int, str]]]
"""Sends (method, path, body) and returns (HTTP status, text)."""

_PATH = "/api/v1/keys"
_Answer = TypeVar("_Answer", bound=BaseModel)


class RestKeys:
    """A running bridge's keys. Implements `bridge.web.key_services.KeyServices`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def list(self, page: Page | None = None, *, revoked: bool = False) -> KeyList:
        """GET /api/v1/keys."""

        async def get(address: str) -> KeyList:
            return classified(*await self._request("GET", address, None), KeyList)

        return await pages(get, f"{_PATH}?revoked={'true' if revoked else 'false'}", page)

    async def get(self, number: int) -> KeyItem:
        """GET …/{id}. Raises: NotFound."""
        return classified(*await self._request("GET", f"{_PATH}/{number}", None), KeyItem)

    async def create(self, wish: KeyWish, *, by: str) -> KeyMade:
        """POST; the bridge knows by the token who asks. Raises: ValueRefused, Conflict."""
        return classified(*await self._request("POST", _PATH, wish.model_dump_json()), KeyMade)

    async def revoke(self, number: int) -> KeyItem:
        """DELETE …/{id}. Raises: NotFound."""
        return classified(*await self._request("DELETE", f"{_PATH}/{number}", None), KeyItem)
