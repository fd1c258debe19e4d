"""Carry out orders about operators' keys: store a new one's digest, revoke one, note that they were used.

Never sees a key: `app.key_services` makes it and hands on its digest. Before it: `app.key_services`, `app.key_ring`.
After it: `store.api_keys`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.core.api_keys import is_over
from bridge.store.api_keys import NewKey, StoredKey, find_key, insert_key, list_keys, note_used, revoke_key
from bridge.store.jobs import ItemFailed
from bridge.store.transaction import Transaction

MOST_KEYS = 1000
"""Not revoked: all of them are held in memory."""


@dataclass(frozen=True, slots=True)
class RevokeOrder:
    """A key that is to count no more."""

    number: int
    at: datetime


class KeyNameTaken(Exception):
    """Another key has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        """Return the text for the operator."""
        return f"there is a key {self.name!r} already: take another name, or revoke that one first"


class TooManyKeys(Exception):
    """No more keys can be held."""

    def __str__(self) -> str:
        """Return the text for the operator."""
        return f"there are {MOST_KEYS} keys: revoke those that nobody uses"


def create_keys(conn: Transaction, orders: Sequence[NewKey]) -> list[StoredKey | ItemFailed]:
    """Store new keys; of those that can be used, no two have one name."""
    return [_create(conn, order) for order in orders]


def revoke_keys(conn: Transaction, orders: Sequence[RevokeOrder]) -> list[StoredKey | None]:
    """Revoke keys and return them; None where there is no such key. One that is revoked already stays so."""
    for order in orders:
        revoke_key(conn, order.number, order.at)
    return [find_key(conn, order.number) for order in orders]


def note_key_uses(conn: Transaction, orders: Sequence[Mapping[int, datetime]]) -> list[None]:
    """Store when keys were used last."""
    for uses in orders:
        note_used(conn, uses)
    return [None] * len(orders)


def _create(conn: Transaction, order: NewKey) -> StoredKey | ItemFailed:
    kept = list_keys(conn)
    taken = {stored.key.name for stored in kept if not is_over(stored.key.expires_at, order.created_at)}
    if order.name in taken:
        return ItemFailed(KeyNameTaken(order.name))
    if len(kept) >= MOST_KEYS:
        return ItemFailed(TooManyKeys())
    return insert_key(conn, order)
