"""Remember operators' keys: what each is called and may do, and its digest; never the key.

Never decides who may ask. A key that was revoked keeps its row: its number and what it ordered stay explained. Before
it: `edits.api_keys`. After it: `app.key_ring`, which holds those in force.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.core.roles import Role
from bridge.store.micros import from_micros, to_micros
from bridge.store.tables import api_key


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be stored."""

    name: str
    digest: str
    role: Role
    operators: frozenset[str] | None
    """Whose EVSEs it is about; None: everybody's."""
    expires_at: datetime | None
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as stored."""

    number: int
    key: NewKey
    revoked_at: datetime | None
    used_at: datetime | None


def list_keys(conn: sa.Connection, *, revoked: bool = False) -> list[StoredKey]:
    """Return the keys in the order of their numbers, those that were revoked only where they are wanted."""
    statement = sa.select(api_key).order_by(api_key.c.id)
    if not revoked:
        statement = statement.where(api_key.c.revoked_at_w.is_(None))
    return [_stored(row) for row in conn.execute(statement).mappings()]


def find_key(conn: sa.Connection, number: int) -> StoredKey | None:
    """Return the key of this number, revoked or not."""
    row = conn.execute(sa.select(api_key).where(api_key.c.id == number)).mappings().one_or_none()
    return None if row is None else _stored(row)


def insert_key(conn: sa.Connection, key: NewKey) -> StoredKey:
    """Store a new key. Its number was never another's, since no row is ever deleted."""
    values = {
        "name": key.name,
        "digest": key.digest,
        "role": key.role.value,
        "operators": None if key.operators is None else json.dumps(sorted(key.operators)),
        "created_at_w": to_micros(key.created_at),
        "created_by": key.created_by,
        "expires_at_w": to_micros(key.expires_at),
    }
    number: int = conn.execute(sa.insert(api_key).values(values).returning(api_key.c.id)).scalar_one()
    return StoredKey(number, key, None, None)


def revoke_key(conn: sa.Connection, number: int, at: datetime) -> None:
    """Mark a key as revoked; the first time stands."""
    conn.execute(
        sa.update(api_key)
        .where(api_key.c.id == number, api_key.c.revoked_at_w.is_(None))
        .values(revoked_at_w=to_micros(at))
    )


def note_used(conn: sa.Connection, uses: Mapping[int, datetime]) -> None:
    """Store when these keys were used last."""
    if uses:
        rows = [{"number": number, "at": to_micros(at)} for number, at in uses.items()]
        conn.execute(
            sa.update(api_key).where(api_key.c.id == sa.bindparam("number")).values(used_at_w=sa.bindparam("at")), rows
        )


def _stored(row: Mapping[Any, Any]) -> StoredKey:
    operators = row["operators"]
    key = NewKey(
        name=row["name"],
        digest=row["digest"],
        role=Role(row["role"]),
        operators=None if operators is None else frozenset(json.loads(operators)),
        expires_at=from_micros(row["expires_at_w"]),
        created_at=from_micros(row["created_at_w"]),
        created_by=row["created_by"],
    )
    return StoredKey(row["id"], key, from_micros(row["revoked_at_w"]), from_micros(row["used_at_w"]))
