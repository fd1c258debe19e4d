"""Move operators' orders about temporary statuses into the store: create, change, delete, each with what follows.

Runs as items of the one writer, so that an order and the statuses around it have one order; every EVSE that it touches
is derived in the same transaction. Never reads a text and never answers a request: `web` does. After it: lanes, the
ticker and the enforcer are woken without content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final, Literal, TypeVar

from bridge.core.etags import ANYTHING, Condition
from bridge.core.identifiers import canonical_spelling
from bridge.core.model import Moment, Temporary, TemporaryKind
from bridge.core.temporary import (
    ENFORCEABLE,
    Duplicate,
    TemporaryChanged,
    TemporaryRefused,
    TemporaryUnknown,
    check_changed,
    check_new,
    duplicate_of,
    find_evse,
    in_milliseconds,
    tag_of,
)
from bridge.derive import Derived, DeriveOptions, derive
from bridge.documents import DocumentPlan, refresh
from bridge.store.changes import Changes, save
from bridge.store.evses import stations_of
from bridge.store.jobs import ItemFailed
from bridge.store.stations import EvseKey, load
from bridge.store.temporary import (
    StoredTemporary,
    delete_temporary,
    find_evses,
    find_temporary,
    insert_temporary,
    temporaries_on,
    update_temporary,
)
from bridge.store.transaction import Transaction

_Order = TypeVar("_Order", "CreateOrder", "ChangeOrder", "RemoveOrder")


class _Unchanged(Enum):
    UNCHANGED = "unchanged"


UNCHANGED: Final = _Unchanged.UNCHANGED
"""A field that a change does not name; None is a value of its own."""
Unchanged = Literal[_Unchanged.UNCHANGED]


@dataclass(frozen=True, slots=True)
class CreateOrder:
    """The same temporary status for each of these EVSEs, or for none of them."""

    evse_ids: tuple[str, ...]
    """In any of their spellings."""
    kind: TemporaryKind
    valid_from: datetime | None
    """None: now."""
    valid_to: datetime | None
    """None: until it is removed."""
    enforce: bool
    by: str
    at: Moment
    options: DeriveOptions
    documents: tuple[DocumentPlan, ...] = ()
    """What the accounts say besides statuses: temporary statuses are mirrored to some."""


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """Other values for a temporary status."""

    number: int
    at: Moment
    options: DeriveOptions
    kind: TemporaryKind | Unchanged = UNCHANGED
    valid_from: datetime | Unchanged | None = UNCHANGED
    """None: now."""
    valid_to: datetime | Unchanged | None = UNCHANGED
    """None: until it is removed."""
    documents: tuple[DocumentPlan, ...] = ()
    condition: Condition = ANYTHING
    """What whoever orders has seen."""


@dataclass(frozen=True, slots=True)
class RemoveOrder:
    """Temporary statuses to delete, all or none of them."""

    numbers: tuple[int, ...]
    at: Moment
    options: DeriveOptions
    documents: tuple[DocumentPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Ordered:
    """What there is after an order, or was before it was deleted; and who has something to do now."""

    items: tuple[StoredTemporary, ...]
    derived: Derived


def create_temporaries(conn: Transaction, orders: Sequence[CreateOrder]) -> list[Ordered | ItemFailed]:
    """Carry out orders to create, each all or nothing. Fails with: TemporaryRefused."""
    return _each(conn, orders, _create)


def change_temporaries(conn: Transaction, orders: Sequence[ChangeOrder]) -> list[Ordered | ItemFailed]:
    """Carry out orders to change one. Fails with: TemporaryRefused."""
    return _each(conn, orders, _change)


def remove_temporaries(conn: Transaction, orders: Sequence[RemoveOrder]) -> list[Ordered | ItemFailed]:
    """Carry out orders to delete, each all or nothing. Fails with: TemporaryUnknown."""
    return _each(conn, orders, _remove)


def _each(
    conn: Transaction, orders: Sequence[_Order], carry_out: Callable[[Transaction, _Order], Ordered]
) -> list[Ordered | ItemFailed]:
    """Everything is checked before anything is written, so that a refused order has written nothing."""
    results: list[Ordered | ItemFailed] = []
    for order in orders:
        try:
            results.append(carry_out(conn, order))
        except TemporaryRefused as error:
            results.append(ItemFailed(error))
    return results


def _create(conn: Transaction, order: CreateOrder) -> Ordered:
    now = order.at.now
    wish = Temporary(order.kind, order.valid_from or in_milliseconds(now), order.valid_to, order.enforce)
    check_new(wish, now)
    keys = list(dict.fromkeys(_evse_key(conn, spelling) for spelling in order.evse_ids))
    for key in keys:
        _check_no_duplicate(conn, key, wish, now)
    numbers = [insert_temporary(conn, key, wish, now=now, by=order.by) for key in keys]
    derived = _derive(conn, keys, order)
    return Ordered(tuple(_find(conn, number) for number in numbers), derived)


def _change(conn: Transaction, order: ChangeOrder) -> Ordered:
    stored = _find(conn, order.number)
    if not order.condition.holds(tag_of(stored.temporary)):
        raise TemporaryChanged
    wish = _changed(stored.temporary, order)
    check_changed(wish)
    _check_no_duplicate(conn, stored.evse, wish, order.at.now, beside=order.number)
    update_temporary(conn, stored, wish)
    derived = _derive(conn, [stored.evse], order)
    return Ordered((_find(conn, order.number),), derived)


def _changed(before: Temporary, order: ChangeOrder) -> Temporary:
    kind = before.kind if order.kind is UNCHANGED else order.kind
    valid_from = before.valid_from if order.valid_from is UNCHANGED else order.valid_from
    return replace(
        before,
        kind=kind,
        valid_from=valid_from or in_milliseconds(order.at.now),
        valid_to=before.valid_to if order.valid_to is UNCHANGED else order.valid_to,
        enforce=before.enforce and kind in ENFORCEABLE,
    )


def _remove(conn: Transaction, order: RemoveOrder) -> Ordered:
    found = tuple(_find(conn, number) for number in dict.fromkeys(order.numbers))
    for stored in found:
        delete_temporary(conn, stored, order.at.now)
    return Ordered(found, _derive(conn, {stored.evse for stored in found}, order))


def _evse_key(conn: Transaction, spelling: str) -> EvseKey:
    return find_evse(spelling, find_evses(conn, canonical_spelling(spelling)))


def _find(conn: Transaction, number: int) -> StoredTemporary:
    stored = find_temporary(conn, number)
    if stored is None:
        raise TemporaryUnknown(number)
    return stored


def _check_no_duplicate(
    conn: Transaction, key: EvseKey, wish: Temporary, now: datetime, *, beside: int | None = None
) -> None:
    others = [(number, other) for number, other in temporaries_on(conn, key) if number != beside]
    if (number := duplicate_of(wish, others, now)) is not None:
        raise Duplicate(number)


def _derive(conn: Transaction, keys: Iterable[EvseKey], order: CreateOrder | ChangeOrder | RemoveOrder) -> Derived:
    """Carry the order through to the EVSEs' statuses and to what accounts mirror."""
    wanted = set(keys)
    derived, changes = Derived(), Changes()
    for station in load(conn, stations_of(conn, wanted)).values():
        evses = wanted & station.evses.keys()
        derive(station, evses, at=order.at, options=order.options, changes=changes, derived=derived)
    save(conn, changes)
    derived.accounts |= refresh(conn, order.documents, order.at)
    return derived
