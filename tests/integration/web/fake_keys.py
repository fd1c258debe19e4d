"""Hand-written keys in memory: what was made is in force until it is revoked."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.core.roles import Role
from bridge.web.access import KnownKey
from bridge.web.key_shapes import KeyItem, KeyList, KeyMade, KeyWish
from bridge.web.page import Page
from bridge.web.principals import Principal
from bridge.web.services import Conflict, NotFound

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class FakeKeys:
    """Implements `KeyServices`: a name of one's own, and then none that is taken."""

    def __init__(self) -> None:
        self.items: dict[int, KeyItem] = {}

    async def list(self, page: Page | None = None, *, revoked: bool = False) -> KeyList:
        shown = (item for item in self.items.values() if revoked or item.state != "revoked")
        return KeyList(items=tuple(shown))

    async def get(self, number: int) -> KeyItem:
        if number not in self.items:
            raise NotFound("key", str(number))
        return self.items[number]

    async def create(self, wish: KeyWish, *, by: str) -> KeyMade:
        if any(item.name == wish.name for item in self.items.values()):
            raise Conflict(f"there is a key {wish.name!r} already")
        number = len(self.items) + 1
        self.items[number] = KeyItem(
            id=number,
            name=wish.name,
            role=wish.role,
            operators=wish.operators,
            state="in force",
            created_at=NOON,
            created_by=by,
            expires_at=wish.expires_at,
            revoked_at=None,
            used_at=None,
        )
        return KeyMade(key=f"ocppb_{'k' * 42}{number}", item=self.items[number])

    async def revoke(self, number: int) -> KeyItem:
        item = await self.get(number)
        self.items[number] = item.model_copy(update={"state": "revoked", "revoked_at": NOON})
        return self.items[number]


class FakeRing:
    """Implements `KeyRing` over keys that the test names; `lookups` counts how often it was asked."""

    def __init__(self, *known: KnownKey) -> None:
        self.known = {key.number: key for key in known}
        self.lookups = 0
        self.uses: list[int] = []

    async def find(self, digest: str) -> KnownKey | None:
        self.lookups += 1
        return next((key for key in self.known.values() if key.digest == digest), None)

    async def get(self, number: int) -> KnownKey | None:
        return self.known.get(number)

    def used(self, number: int) -> None:
        self.uses.append(number)


def known(number: int, digest: str, role: Role, operators: frozenset[str] | None = None) -> KnownKey:
    return KnownKey(number, digest, Principal(f"key-{number}", role, operators, number))
