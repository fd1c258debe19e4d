"""Show everything at a glance, for pages. Implements `bridge.web.overview_services` over the open store.

Never costs more for many that look than for one: `shared_reads` brings them together. Before it: `web`. After it:
`evse_services`, `store.station_search`, `store.evse_statuses`, `store.evse_homes`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from bridge.app.evse_services import EvseServices, Lanes, read_lanes_by_name
from bridge.app.shared_reads import SharedReads
from bridge.app.stations_shown import station_item
from bridge.core.model import Moment
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.evse_homes import read_homes
from bridge.store.evse_statuses import read_statuses
from bridge.store.station_search import FoundStations, StationSearch, search_stations
from bridge.web.evse_query import EvseQuery
from bridge.web.overview_services import EvseHome, EvseOverview, StationOverview
from bridge.web.services import Unavailable
from bridge.web.shapes import UpstreamItem
from bridge.web.station_query import StationQuery
from csms.events import StationId
from csms.server import ConnectedStation


class StoreOverviews:
    """The glances of this process's store."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], Moment],
        evses: EvseServices,
        upstreams: Callable[[Lanes], tuple[UpstreamItem, ...]],
        connected: Callable[[], Mapping[StationId, ConnectedStation]],
    ) -> None:
        """`evses` reads them; `upstreams` shows every account as these lanes say; `connected`: which stations are."""
        self._store = store
        self._clock = clock
        self._evses = evses
        self._upstreams = upstreams
        self._connected = connected
        self._reads = SharedReads(self._read)
        self._station_reads = SharedReads(self._read_stations)

    async def evses(self, query: EvseQuery, *, patient: bool = False) -> EvseOverview:
        """Return EVSEs and hubs in one moment. Raises: NotFound, WrongCursor, Unavailable."""
        self._evses.check(query)
        return await self._reads.ask(query, patient=patient)

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

    async def stations(self, query: StationQuery, *, patient: bool = False) -> StationOverview:
        """Return a page of the stations that are asked for. Raises: Unavailable."""
        return await self._station_reads.ask(query, patient=patient)

    async def _read_stations(self, queries: Collection[StationQuery]) -> dict[StationQuery, StationOverview]:
        live = self._connected()
        silent = [station for station, connection in live.items() if not connection.commandable]
        try:
            async with self._store.read() as connection:
                found = {query: await search_stations(connection, _station_search(query, silent)) for query in queries}
        except StoreError as error:
            raise Unavailable(str(error)) from error
        return {query: _station_overview(each, live) for query, each in found.items()}

    async def statuses(self) -> Sequence[tuple[str, str]]:
        """Return the id and the effective status of every EVSE, in the order of the ids. Raises: Unavailable."""
        try:
            async with self._store.read() as connection:
                return await read_statuses(connection)
        except StoreError as error:
            raise Unavailable(str(error)) from error

    async def homes(self) -> Sequence[EvseHome]:
        """Return whose every EVSE is, and where it stands, in the order of the ids. Raises: Unavailable."""
        try:
            async with self._store.read() as connection:
                return [EvseHome(*row) for row in await read_homes(connection)]
        except StoreError as error:
            raise Unavailable(str(error)) from error


def _station_search(query: StationQuery, silent: Collection[StationId]) -> StationSearch:
    return StationSearch(
        silent=silent,
        connected=query.connected,
        version=query.version,
        vendor=query.vendor,
        part=query.q,
        problems=query.problems,
        offset=query.offset,
        limit=query.limit,
    )


def _station_overview(found: FoundStations, live: Mapping[StationId, ConnectedStation]) -> StationOverview:
    stations = tuple((station_item(row, live.get(row.station)), problem) for row, problem in found.stations)
    return StationOverview(stations, found.count, found.problems, found.vendors)
