"""Cut long lists into pages: how many, and a cursor for the next one that means nothing to anybody else.

A cursor names the last item of its page rather than a number of items, so that nothing is left out or shown twice
where items come and go in between. Pure. Before it: routes, which read `PAGE`. After it: whoever implements a list.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from bridge.web.page import Page
from bridge.web.services import WrongCursor

_LONGEST = 2048

_Item = TypeVar("_Item")
Part = str | int


def encode_cursor(of: str, *parts: Part) -> str:
    """Return the cursor behind the item that these parts name, in the list `of`."""
    return base64.urlsafe_b64encode(json.dumps([of, *parts]).encode()).rstrip(b"=").decode()


def decode_cursor(text: str, of: str, *kinds: type[Part]) -> tuple[Part, ...]:
    """Return the parts that `encode_cursor` was given. Raises: WrongCursor."""
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise WrongCursor from None
    if len(text) > _LONGEST or not isinstance(found, list) or found[:1] != [of]:
        raise WrongCursor
    parts = found[1:]
    if [type(part) for part in parts] != list(kinds) or any(isinstance(part, str) and "\0" in part for part in parts):
        raise WrongCursor
    if any(isinstance(part, int) and not -(2**63) <= part < 2**63 for part in parts):
        raise WrongCursor
    return tuple(parts)


def cut(
    items: Sequence[_Item], page: Page | None, of: str, key: Callable[[_Item], tuple[Part, ...]]
) -> tuple[Sequence[_Item], str | None]:
    """Return a page of a list that is in memory, and the next cursor; everything where no page is asked for.

    `key` names an item, and its order is that of the list. Raises: WrongCursor.
    """
    if page is None:
        return items, None
    if page.cursor is not None and items:
        last = decode_cursor(page.cursor, of, *map(type, key(items[0])))
        items = [item for item in items if key(item) > last]
    return next_page(items[: page.limit + 1], page, of, key)


def next_page(
    found: Sequence[_Item], page: Page, of: str, key: Callable[[_Item], tuple[Part, ...]]
) -> tuple[Sequence[_Item], str | None]:
    """Return the items of a page and the next cursor; `found` is what was read: one more than fit, if there is one."""
    items = found[: page.limit]
    return items, encode_cursor(of, *key(items[-1])) if len(found) > page.limit else None
