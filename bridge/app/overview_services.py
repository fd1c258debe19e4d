"""Show everything at a glance, for pages. Implements `bridge.web.overview_services` over the open store.

Never costs more for many that look than for one: `shared_reads` brings them together. Before it: `web`. After it:
`evse_services`, `store.evse_statuses`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from bridge.app.evse_services import EvseServices, Lanes, read_lanes_by_name
from bridge.app.shared_reads import SharedReads
from bridge.core.model import Moment
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.evse_statuses import read_statuses
from bridge.web.evse_query import EvseQuery
from bridge.web.overview_services import EvseOverview
from bridge.web.services import Unavailable
from bridge.web.shapes import UpstreamItem


class StoreOverviews:
    """The glances of this process's store."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], Moment],
        evses: EvseServices,
        upstreams: Callable[[Lanes], tuple[UpstreamItem, ...]],
    ) -> None:
        """`evses` reads them; `upstreams` shows every account as these lanes say."""
        self._store = store
        self._clock = clock
        self._evses = evses
        self._upstreams = upstreams
        self._reads = SharedReads(self._read)

    async def evses(self, query: EvseQuery) -> EvseOverview:
        """Return EVSEs and hubs in one moment. Raises: NotFound, WrongCursor, Unavailable."""
        self._evses.check(query)
        return await self._reads.ask(query)

    async def _read(self, queries: Collection[EvseQuery]) -> dict[EvseQuery, EvseOverview]:
        """Return what is asked for, all of one moment. Raises: Unavailable."""
        at = self._clock()
        try:
            async with self._store.read() as connection:
                lanes = await read_lanes_by_name(connection, at)
                counts = {
                    operators: await self._evses.read_counts(connection, operators, lanes, at)
                    for operators in {query.operators for query in queries}
                }
                pages = {query: await self._evses.read_page(connection, query, lanes, at) for query in queries}
        except StoreError as error:
            raise Unavailable(str(error)) from error
        upstreams = self._upstreams(lanes)
        return {
            query: EvseOverview(page, counts[query.operators], upstreams if query.operators is None else ())
            for query, page in pages.items()
        }

    async def statuses(self) -> Sequence[tuple[str, str]]:
        """Return the id and the effective status of every EVSE, in the order of the ids. Raises: Unavailable."""
        try:
            async with self._store.read() as connection:
                return await read_statuses(connection)
        except StoreError as error:
            raise Unavailable(str(error)) from error
