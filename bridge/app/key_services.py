"""Make, list and revoke operators' keys over the open store. Implements `bridge.web.key_services`.

A key is made here, given away once, and kept nowhere: what is stored is its digest. Every order is an item of the one
writer. Before it: `web`, or the command line with the bridge stopped. After it: `edits.api_keys`, `key_ring`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from bridge.app.key_ring import StoreKeyRing
from bridge.core.api_keys import KEY_BYTES, NAME_WANTED, digest_of, is_over, may_be_called, spelled
from bridge.core.model import Moment
from bridge.edits.api_keys import KeyNameTaken, RevokeOrder, TooManyKeys, create_keys, revoke_keys
from bridge.store.api_keys import NewKey, StoredKey, find_key, list_keys
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.writer import Writer
from bridge.web.key_shapes import KeyItem, KeyList, KeyMade, KeyState, KeyWish
from bridge.web.page import Page
from bridge.web.paging import Part, cut
from bridge.web.services import Conflict, NotFound, Unavailable, ValueRefused


class StoreKeys:
    """The operators' keys of this process's store."""

    def __init__(
        self, store: Store, writer: Writer, ring: StoreKeyRing, clock: Callable[[], Moment], operators: Collection[str]
    ) -> None:
        """`operators`: those that a key may be bound to."""
        self._store = store
        self._writer = writer
        self._ring = ring
        self._clock = clock
        self._operators = operators

    async def list(self, page: Page | None = None, *, revoked: bool = False) -> KeyList:
        """Return keys. Raises: WrongCursor, Unavailable."""
        found = await self._read(partial(list_keys, revoked=revoked))
        shown, cursor = cut(found, page, "keys", _number)
        return KeyList(items=tuple(self._item(stored) for stored in shown), next_cursor=cursor)

    async def get(self, number: int) -> KeyItem:
        """Return one, revoked or not. Raises: NotFound, Unavailable."""
        found = await self._read(partial(find_key, number=number))
        if found is None:
            raise NotFound("key", str(number))
        return self._item(found)

    async def create(self, wish: KeyWish, *, by: str) -> KeyMade:
        """Make a key and return it, this once. Raises: ValueRefused, Conflict, Unavailable."""
        self._check(wish)
        key = spelled(secrets.token_bytes(KEY_BYTES))
        order = NewKey(
            name=wish.name,
            digest=digest_of(key),
            role=wish.role,
            operators=None if wish.operators is None else frozenset(wish.operators),
            expires_at=wish.expires_at,
            created_at=self._clock().now,
            created_by=by,
        )
        try:
            stored = await self._writer.submit(create_keys, order)
        except (KeyNameTaken, TooManyKeys) as error:
            raise Conflict(str(error)) from error
        except StoreError as error:
            raise Unavailable(str(error)) from error
        finally:
            self._ring.forget()
        return KeyMade(key=key, item=self._item(stored))

    async def revoke(self, number: int) -> KeyItem:
        """Let a key count no more. Raises: NotFound, Unavailable."""
        try:
            stored = await self._writer.submit(revoke_keys, RevokeOrder(number, self._clock().now))
        except StoreError as error:
            raise Unavailable(str(error)) from error
        finally:
            self._ring.forget()
        if stored is None:
            raise NotFound("key", str(number))
        return self._item(stored)

    def _check(self, wish: KeyWish) -> None:
        if not may_be_called(wish.name):
            raise ValueRefused("name", NAME_WANTED)
        if is_over(wish.expires_at, self._clock().now):
            raise ValueRefused("expires_at", "should be in the future")
        for name in wish.operators or ():
            if name not in self._operators:
                known = ", ".join(sorted(self._operators)) or "none"
                raise ValueRefused("operators", f"there is no operator {name[:64]!r}; the configuration has {known}")

    async def _read(self, question: Callable[[Any], Any]) -> Any:
        try:
            async with self._store.read() as connection:
                return await connection.run_sync(question)
        except StoreError as error:
            raise Unavailable(str(error)) from error

    def _item(self, stored: StoredKey) -> KeyItem:
        key = stored.key
        return KeyItem(
            id=stored.number,
            name=key.name,
            role=key.role,
            operators=None if key.operators is None else tuple(sorted(key.operators)),
            state=self._state(stored),
            created_at=key.created_at,
            created_by=key.created_by,
            expires_at=key.expires_at,
            revoked_at=stored.revoked_at,
            used_at=self._ring.used_at(stored),
        )

    def _state(self, stored: StoredKey) -> KeyState:
        if stored.revoked_at is not None:
            return "revoked"
        return "expired" if is_over(stored.key.expires_at, self._clock().now) else "in force"


def _number(stored: StoredKey) -> tuple[Part, ...]:
    return (stored.number,)
