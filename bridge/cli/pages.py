"""Read a whole list of a running bridge, which gives it a page at a time.

Never asks by itself: the caller does. Used by `client` and the clients below it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urlencode

from bridge.web.evse_query import EvseQuery
from bridge.web.page import LARGEST_LIMIT, Page


class _Listed(Protocol):
    @property
    def items(self) -> tuple[Any, ...]: ...

    @property
    def next_cursor(self) -> str | None: ...

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


_List = TypeVar("_List", bound=_Listed)


async def pages(get: Callable[[str], Awaitable[_List]], path: str, page: Page | None) -> _List:
    """Return one page of the list at `path`, or without a page all of it.

    `get` asks at an address; its answers have `items` and `next_cursor`. `path` may have a query.
    """
    if page is not None:
        return await get(_address(path, page))
    first = found = await get(_address(path, Page(LARGEST_LIMIT)))
    items = list(found.items)
    while (cursor := found.next_cursor) is not None:
        found = await get(_address(path, Page(LARGEST_LIMIT, cursor)))
        items += found.items
    return first.model_copy(update={"items": tuple(items), "next_cursor": None})


def evse_query(query: EvseQuery) -> str:
    """Return the query of an address that asks for these EVSEs."""
    given = {
        "limit": query.limit,
        "cursor": query.cursor,
        "status": [status.value for status in query.statuses],
        "station": query.station,
        "operator": query.operator,
        "account": query.account,
        "state": list(query.states),
        "connected": None if query.connected is None else str(query.connected).lower(),
        "problems": None if query.problems is None else str(query.problems).lower(),
        "q": query.q or None,
        "sort": query.sort,
    }
    return urlencode({name: value for name, value in given.items() if value is not None}, doseq=True)


def _address(path: str, page: Page) -> str:
    asked = {"limit": str(page.limit)} | ({} if page.cursor is None else {"cursor": page.cursor})
    return f"{path}{'&' if '?' in path else '?'}{urlencode(asked)}"
