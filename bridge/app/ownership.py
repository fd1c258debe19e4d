"""Tell whose EVSEs are whose, from the inventory. Implements `bridge.web.scope.Ownership`.

Never writes. Before it: `web`, for keys that are bound to operators. After it: `store.evses`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from bridge.core.identifiers import canonical_spelling, spelled_with_stars
from bridge.core.model import EvseId
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.evses import operators_of
from bridge.web.services import Unavailable


class StoreOwnership:
    """The inventory of this process's store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def own(self, evse_ids: Collection[str], operators: Collection[str]) -> frozenset[str]:
        """Return those of these ids that stand for EVSEs of these operators and of no others. Raises: Unavailable.

        An id that stands for several EVSEs, which differ in their separators alone, is theirs where all of them are;
        but one that is spelled as the inventory spells it means that EVSE.
        """
        spelled = {id_: canonical_spelling(id_) for id_ in evse_ids}
        try:
            async with self._store.read() as connection:
                found = await connection.run_sync(partial(operators_of, canonicals=frozenset(spelled.values())))
        except StoreError as error:
            raise Unavailable(str(error)) from error
        return frozenset(
            id_ for id_, canonical in spelled.items() if _all_within(id_, found.get(canonical, {}), operators)
        )


def _all_within(spelling: str, owners: Mapping[EvseId, str], operators: Collection[str]) -> bool:
    exact = owners.get(spelled_with_stars(spelling))
    meant = owners.values() if exact is None else (exact,)
    return bool(owners) and all(operator in operators for operator in meant)
