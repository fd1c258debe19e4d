"""Say how what a hub should have differs from what it acknowledged, for operators.

Never decides what is sent: that is `reconcile`, and both go by the same row. Before it: stored rows. After it: whoever
shows them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bridge.core import reconcile
from bridge.core.model import Delivery


class Standing(StrEnum):
    """How one row stands at its hub."""

    AGREED = "agreed"
    NEW = "new"
    """The hub has acknowledged nothing of it."""
    CHANGED = "changed"
    AGAIN = "again"
    """Nothing changed, but it is asserted once more: an answer was lost, or it was asked for."""
    REFUSED = "refused"
    LEAVING = "leaving"
    """The hub is asked to delete it, or told that it is gone."""
    WITHDRAWN = "withdrawn"
    """It is not wanted any more, and stays at the hub until an operator has it deleted."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field whose value differs; None where it is not there."""

    field: str
    """Path in the document, for example attributes.name."""
    old: str | None
    new: str | None


def standing_of(delivery: Delivery) -> Standing:
    """Return how a row stands."""
    if delivery.refused is not None and delivery.refused_seq == delivery.desired_seq:
        return Standing.REFUSED
    if delivery.tombstone:
        return Standing.LEAVING if reconcile.dirty(delivery) else Standing.WITHDRAWN
    if not reconcile.dirty(delivery):
        return Standing.AGREED if delivery.doubt_until is None else Standing.AGAIN
    if delivery.acked is None:
        return Standing.NEW
    return Standing.CHANGED if delivery.acked != delivery.desired else Standing.AGAIN


def field_changes(before: str | None, after: str) -> tuple[FieldChange, ...]:
    """Return what differs between two documents (JSON texts; None or empty: there is none), in the order of paths."""
    old, new = dict(_fields(before)), dict(_fields(after))
    return tuple(
        FieldChange(path, old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )


def _fields(document: str | None) -> Iterator[tuple[str, str]]:
    return _flat("", json.loads(document)) if document else iter(())


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield path and value of every field: tables member by member, a list of tables one by one, other lists whole."""
    match value:
        case dict() if value:
            for name in sorted(value):
                yield from _flat(f"{path}.{name}".lstrip("."), value[name])
        case [dict(), *_]:
            for index, one in enumerate(value):
                yield from _flat(f"{path}[{index}]", one)
        case _:
            yield path, json.dumps(value, ensure_ascii=False)
