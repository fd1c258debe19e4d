"""Find the EVSE that somebody means, in whatever spelling, or say which ids are like it.

Never tells of an EVSE of operators that who asks has nothing to do with: to them there is none. Before it: services
about one EVSE. After it: `store.evse_lookup`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from bridge.core.identifiers import canonical, canonical_spelling
from bridge.core.temporary import EvseAmbiguous, EvseUnknown, find_evse
from bridge.store.evse_lookup import FoundEvse, evses_called, ids_around
from bridge.web.services import NotFound, ValueRefused

if TYPE_CHECKING:
    from bridge.store.transaction import Transaction

_LIKE = 3
"""Ids that are named where none is meant."""
_LOOKED_AT = 20


@dataclass
class NoEvse(NotFound):
    """The inventory has no such EVSE, or whoever asks may not know of it."""

    like: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the text for the operator."""
        found = f"there is no EVSE {self.name[:256]!r} in the inventory"
        return f"{found}; did you mean {' or '.join(self.like)}?" if self.like else found


def evse_meant(conn: Transaction, spelling: str, operators: Collection[str] | None = None) -> FoundEvse:
    """Return the EVSE that is meant; `operators`: whose EVSEs there are for whoever asks, None: everybody's.

    Raises: NotFound; ValueRefused where a spelling without separators may mean two.
    """
    key = canonical_spelling(spelling)
    candidates = {
        evse_id: found
        for evse_id, found in evses_called(conn, key).items()
        if operators is None or found.operator in operators
    }
    try:
        return find_evse(spelling, candidates)
    except EvseAmbiguous as error:
        raise ValueRefused("evse_id", str(error)) from error
    except EvseUnknown as error:
        raise NoEvse("EVSE", spelling, _like(conn, key, operators)) from error


def _like(conn: Transaction, key: str, operators: Collection[str] | None) -> tuple[str, ...]:
    """Return ids that are like it among those that stand next to it: a wrong or missing end is the usual mistake."""
    around = [found for found in ids_around(conn, key, _LOOKED_AT) if operators is None or found.operator in operators]
    by_key = {canonical(found.evse_id): found.evse_id for found in around}
    return tuple(by_key[each] for each in get_close_matches(key, by_key, n=_LIKE, cutoff=0.8))
