"""Answer what EVSEs were. Implements `bridge.web.history_services` over the open store.

Before it: `web`, or the command line with the bridge stopped. After it: `store.history_readings`, `core.timeline`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bridge.app.evse_lookup import evse_meant
from bridge.core.model import Moment
from bridge.core.timeline import Change, Span, counts, spans
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.evse_lookup import FoundEvse
from bridge.store.history_readings import changes_of, moves, newest_of
from bridge.store.transaction import Transaction
from bridge.web.history_services import DEFAULT_BUCKETS, DEFAULT_LIMIT, USUAL_RANGE
from bridge.web.history_shapes import EvseHistory, HistorySpan, StatusBucket, StatusHistory
from bridge.web.services import Unavailable, ValueRefused

_GRAIN = timedelta(seconds=10)
"""Ranges of an hour and more begin and end on a multiple of this, so that what several people look at is read once."""
_COARSE = timedelta(hours=1)
_KEPT = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Asked = tuple[datetime, datetime, int, frozenset[str] | None]


class StoreHistory:
    """The history in this process's store."""

    def __init__(self, store: Store, *, clock: Callable[[], Moment]) -> None:
        self._store = store
        self._clock = clock
        self._counted: dict[_Asked, StatusHistory] = {}
        self._counting = asyncio.Lock()

    async def of_evse(
        self,
        evse_id: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
        newest: bool = False,
        operators: frozenset[str] | None = None,
    ) -> EvseHistory:
        """Return what an EVSE was. Raises: NotFound, ValueRefused, Unavailable."""
        begin, end = self._range(since, until)
        after = None if cursor is None or newest else _number(cursor)

        def read(conn: Transaction) -> tuple[FoundEvse, list[tuple[int, Change]]]:
            found = evse_meant(conn, evse_id, operators)
            if newest:
                return found, newest_of(conn, found.key, begin, end, limit)
            return found, changes_of(conn, found.key, begin, end, after, limit)

        try:
            async with self._store.read() as connection:
                found, numbered = await connection.run_sync(read)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        cut = len(numbered) > limit
        more, earlier = cut and not newest, cut and newest
        shown = numbered[-limit:] if newest else numbered[:limit]
        ends = numbered[limit][1].at if more else None if end >= self._clock().now else end
        return EvseHistory(
            evse_id=found.evse_id,
            since=begin,
            until=end,
            items=tuple(map(_item, spans([change for _, change in shown], begin, ends))),
            next_cursor=str(numbered[limit - 1][0]) if more else None,
            earlier=earlier,
        )

    async def counts(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        buckets: int = DEFAULT_BUCKETS,
        operators: frozenset[str] | None = None,
    ) -> StatusHistory:
        """Return how many EVSEs were what over time. Raises: ValueRefused, Unavailable."""
        begin, end = self._range(since, until)
        if end - begin >= _COARSE:
            begin, end = _coarse(begin), _coarse(end)
        asked = (begin, end, buckets, operators)
        async with self._counting:
            if end - begin < _COARSE:
                return await self._count(asked)
            if asked not in self._counted:
                self._counted[asked] = await self._count(asked)
            while len(self._counted) > _KEPT:
                self._counted.pop(next(iter(self._counted)))
            return self._counted[asked]

    async def _count(self, asked: _Asked) -> StatusHistory:
        begin, end, buckets, operators = asked
        try:
            async with self._store.read() as connection:
                moved = await connection.run_sync(moves, begin, end, buckets, operators)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        width = (end - begin) / buckets
        return StatusHistory(
            since=begin,
            until=end,
            bucket_s=width.total_seconds(),
            buckets=tuple(
                StatusBucket(at=begin + width * (number + 1), counts=each)
                for number, each in enumerate(counts(moved, buckets))
            ),
        )

    def _range(self, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
        """Return the range that is meant, not beyond now. Raises: ValueRefused."""
        now = self._clock().now
        end = min(until or now, now)
        begin = end - USUAL_RANGE if since is None else since
        if begin >= end:
            raise ValueRefused("since", "should be before until, and before now")
        return begin, end


def _coarse(moment: datetime) -> datetime:
    return _EPOCH + (moment - _EPOCH) // _GRAIN * _GRAIN


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise ValueRefused("cursor", "should be the next_cursor of the page before")
    return int(cursor)


def _item(span: Span) -> HistorySpan:
    return HistorySpan.model_validate(
        {"status": span.status, "live": span.live, "rule": span.rule, "from": span.begin, "to": span.end}
    )
