"""Shape what the REST interface says and takes about operators' keys. Only `KeyMade` holds a key, once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bridge.core.roles import Role
from bridge.web.shapes import Shape

KeyState = Literal["in force", "expired", "revoked"]


class KeyItem(Shape):
    """One key; never the key itself."""

    id: int
    name: str
    """As it stands beside its orders."""
    role: Role
    operators: tuple[str, ...] | None
    """Whose EVSEs it is about, by their names in the configuration; null: everybody's."""
    state: KeyState
    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime | None
    """null: never."""
    revoked_at: AwareDatetime | None
    used_at: AwareDatetime | None
    """null: not yet."""


class KeyList(Shape):
    """Keys in the order of their ids."""

    items: tuple[KeyItem, ...]
    next_cursor: str | None = None


class KeyWish(Shape):
    """Body of POST /api/v1/keys."""

    name: str
    """1 to 64 letters, digits, spaces and . _ - @ : +, not digits alone."""
    role: Role = Role.VIEWER
    expires_at: AwareDatetime | None = None
    """null: never."""
    operators: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)] | None = None
    """null: those of all operators."""


class KeyMade(Shape):
    """A new key: the only time that it is shown."""

    key: str
    item: KeyItem
