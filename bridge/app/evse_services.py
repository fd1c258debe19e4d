"""Show EVSEs and connectors to operators: the part of `services` that is about them.

Before it: `web`, or the command line with the bridge stopped. After it: `store.evse_search` finds, `store.readings`
reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import cast

from bridge.app.shown import connector_items, evse_item
from bridge.core.identifiers import canonical_spelling
from bridge.core.model import AccountName, EvseId, Moment
from bridge.core.modes import Mode, effective_mode
from bridge.core.temporary import EvseAmbiguous, EvseUnknown, find_evse
from bridge.settings import Settings
from bridge.store.connector_readings import ConnectorKey, ConnectorReading, read_connectors
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.evse_search import AccountsNow, EvseSearch, Found, count_evses, search_evses
from bridge.store.lane_readings import LaneReading, read_lanes
from bridge.store.readings import EvseReading, read_evses
from bridge.store.temporary import find_evses
from bridge.store.transaction import Snapshot
from bridge.web.connector_shapes import ConnectorPage
from bridge.web.evse_counts import EvseCounts
from bridge.web.evse_query import EvseQuery
from bridge.web.page import Page
from bridge.web.paging import Part, decode_cursor, next_page
from bridge.web.services import NotFound, Unavailable, ValueRefused
from bridge.web.shapes import EvseItem, EvsePage

_ALL = "connectors"
_AT_ONCE = 200
"""EVSEs that are read and shown in one go: the event loop, which stations are answered on, is free between two."""

Lanes = Mapping[AccountName, LaneReading]


class EvseServices:
    """What `StoreServices` does about EVSEs and connectors; it brings the parts."""

    _settings: Settings
    _store: Store
    _clock: Callable[[], Moment]
    _connected: Callable[[], Collection[str]]
    """The stations that are connected now."""

    async def list_evses(self, query: EvseQuery) -> EvsePage:
        """Return a page of the EVSEs that are asked for. Raises: NotFound, WrongCursor, Unavailable."""
        self.check(query)
        at = self._clock()
        try:
            async with self._store.read() as connection:
                return await self.read_page(connection, query, await read_lanes_by_name(connection, at), at)
        except StoreError as error:
            raise Unavailable(str(error)) from error

    async def count_evses(self, operators: frozenset[str] | None = None) -> EvseCounts:
        """Return how many EVSEs of these operators there are of each kind. Raises: Unavailable."""
        at = self._clock()
        try:
            async with self._store.read() as connection:
                return await self.read_counts(connection, operators, await read_lanes_by_name(connection, at), at)
        except StoreError as error:
            raise Unavailable(str(error)) from error

    def check(self, query: EvseQuery) -> None:
        """Raise what is wrong with a question before it is asked: NotFound (its account), WrongCursor."""
        if query.account is not None and query.account not in self._settings.accounts:
            raise NotFound("account", query.account)
        _search(query)

    async def read_page(self, connection: Snapshot, query: EvseQuery, lanes: Lanes, at: Moment) -> EvsePage:
        """Return a page of the EVSEs that are asked for, of the connection's moment."""
        found = await search_evses(connection, _search(query), self._accounts(lanes, at))
        shown, cursor = next_page(found, Page(query.limit), f"evses by {query.sort}", _place)
        items: list[EvseItem] = []
        for first in range(0, len(shown), _AT_ONCE):
            part = shown[first : first + _AT_ONCE]
            readings = await read_evses(connection, at.steady, keys=[each.key for each in part])
            by_id = {reading.evse_id: reading for reading in readings}
            items += [self._evse_item(by_id[each.evse_id], lanes, at) for each in part]
        return EvsePage(items=tuple(items), next_cursor=cursor)

    async def read_counts(
        self, connection: Snapshot, operators: frozenset[str] | None, lanes: Lanes, at: Moment
    ) -> EvseCounts:
        """Return how many EVSEs of these operators there are of each kind, of the connection's moment."""
        found = await count_evses(connection, operators, self._accounts(lanes, at))
        return EvseCounts(
            evses=sum(found.statuses.values()),
            problems=found.problems,
            offline=found.offline,
            statuses=found.statuses,
        )

    async def get_evse(self, evse_id: str) -> EvseItem:
        """Return one EVSE, in any spelling. Raises: NotFound, ValueRefused (ids collide), Unavailable."""
        at = self._clock()
        try:
            async with self._store.read() as connection:
                meant = EvseId(evse_id.upper())
                found = await read_evses(connection, at.steady, evse_id=meant)
                if not found:
                    spellings = await connection.run_sync(find_evses, canonical_spelling(evse_id))
                    ids = find_evse(evse_id, {id_: id_ for id_ in spellings})
                    found = await read_evses(connection, at.steady, evse_id=ids)
                lanes = await read_lanes_by_name(connection, at)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        except EvseUnknown as error:
            raise NotFound("EVSE", evse_id) from error
        except EvseAmbiguous as error:
            raise ValueRefused("evse_id", str(error)) from error
        return self._evse_item(found[0], lanes, at)

    async def list_connectors(
        self,
        page: Page | None = None,
        *,
        station: str | None = None,
        evse_id: str | None = None,
        operators: frozenset[str] | None = None,
    ) -> ConnectorPage:
        """Return connectors with what was reported, all without a page. Raises: WrongCursor, Unavailable."""
        question = partial(
            read_connectors,
            station_id=station,
            evse_id=None if evse_id is None else EvseId(evse_id.upper()),
            operators=None if operators is None else sorted(operators),
            after=None if page is None else connector_key(page, _ALL),
            limit=None if page is None else page.limit + 1,
        )
        try:
            async with self._store.read() as connection:
                found = await connection.run_sync(question)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        shown, cursor = (found, None) if page is None else next_page(found, page, _ALL, _address)
        return ConnectorPage(items=connector_items(shown, self._connected()), next_cursor=cursor)

    def _evse_item(self, reading: EvseReading, lanes: Lanes, at: Moment) -> EvseItem:
        return evse_item(
            reading,
            connected=reading.station in self._connected(),
            modes={name: self._mode(name, lanes.get(AccountName(name))) for name in self._settings.accounts},
            held={name for name, lane in lanes.items() if lane.held is not None},
            steady=at.steady,
        )

    def _accounts(self, lanes: Lanes, at: Moment) -> AccountsNow:
        names = tuple(map(AccountName, self._settings.accounts))
        return AccountsNow(
            all=names,
            live=frozenset(name for name in names if self._mode(name, lanes.get(name)) is Mode.LIVE),
            held=frozenset(name for name, lane in lanes.items() if lane.held is not None),
            steady=at.steady,
        )

    def _mode(self, name: str, lane: LaneReading | None) -> Mode:
        stored = None if lane is None or lane.mode is None else Mode(lane.mode)
        return effective_mode(self._settings.accounts[name].mode, stored)


async def read_lanes_by_name(connection: Snapshot, at: Moment) -> Lanes:
    """Return every account's lane, by its name."""
    return {lane.account: lane for lane in await read_lanes(connection, at.steady)}


def connector_key(page: Page, of: str) -> ConnectorKey | None:
    """Return the connector that the page before ended with; None for the first page. Raises: WrongCursor."""
    return None if page.cursor is None else cast("ConnectorKey", decode_cursor(page.cursor, of, str, int, int))


def _search(query: EvseQuery) -> EvseSearch:
    after = None if query.cursor is None else decode_cursor(query.cursor, f"evses by {query.sort}", int, str)
    return EvseSearch(
        statuses=query.statuses,
        station=query.station,
        operator=query.operator,
        operators=query.operators,
        account=None if query.account is None else AccountName(query.account),
        states=query.states,
        connected=query.connected,
        problems=query.problems,
        part=query.q,
        by_problem=query.sort == "problems",
        after=cast("tuple[int, EvseId] | None", after),
        limit=query.limit + 1,
    )


def _place(found: Found) -> tuple[Part, ...]:
    return found.rank, found.evse_id


def _address(reading: ConnectorReading) -> tuple[Part, ...]:
    return reading.station, reading.address.evse, reading.address.connector
