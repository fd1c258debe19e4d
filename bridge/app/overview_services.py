"""Show everything at a glance, for pages. Implements `bridge.web.overview_services` over the open store.

Never costs more for many that look than for one. Before it: `web`. After it: `store.evse_statuses`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.evse_statuses import read_statuses
from bridge.web.services import Unavailable


class StoreOverviews:
    """The glances of this process's store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def statuses(self) -> Sequence[tuple[str, str]]:
        """Return the id and the effective status of every EVSE, in the order of the ids. Raises: Unavailable."""
        try:
            async with self._store.read() as connection:
                return await read_statuses(connection)
        except StoreError as error:
            raise Unavailable(str(error)) from error
