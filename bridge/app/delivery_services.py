"""Answer questions about requests to hubs, and order parked rows to be tried again, over the open store.

Implements `bridge.web.delivery_services`. Reads go to the store's read connections; every order is an item of the one
writer. Before it: `web`, or the command line with the bridge stopped. After it: `store.delivery_readings`, `edits`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog

from bridge.app.deliveries_shown import log_detail, log_item, throughput_of
from bridge.app.wakes import Wakes
from bridge.core.documents import DocumentKind
from bridge.core.identifiers import canonical_spelling, spelled_with_stars
from bridge.core.mapping.until import shown
from bridge.core.model import AccountName, EvseId, Moment
from bridge.core.modes import Mode, effective_mode
from bridge.edits.retries import NothingSuch, NotWaiting, Ordered, RetryOrder, retry_rows
from bridge.settings import Settings
from bridge.store.delivery_readings import LogFilter, count_pushes, find_evses, read_log, read_push
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.lane_readings import read_lanes
from bridge.store.stations import EvseKey
from bridge.store.writer import Writer
from bridge.web.delivery_services import DeliveryQuery
from bridge.web.delivery_shapes import DeliveryLogDetail, DeliveryLogPage, RetryReport, Throughput
from bridge.web.services import Conflict, NotFound, Unavailable, ValueRefused

log = structlog.get_logger(__name__)

_Result = TypeVar("_Result")
_LAST_HOUR = timedelta(hours=1)


class StoreDeliveries:
    """The delivery log of this process's store."""

    def __init__(
        self, settings: Settings, store: Store, writer: Writer, *, clock: Callable[[], Moment], wakes: Wakes
    ) -> None:
        self._settings = settings
        self._store = store
        self._writer = writer
        self._clock = clock
        self._wakes = wakes

    async def list(self, query: DeliveryQuery) -> DeliveryLogPage:
        """Return pushes, the newest first. Raises: NotFound, ValueRefused, Unavailable."""
        which = LogFilter(
            account=None if query.account is None else self._known(query.account),
            evse=None if query.evse_id is None else (await self._evse(query.evse_id, query.operators))[0],
            outcomes=query.outcomes,
            kind=query.kind,
            since=query.since,
            before=query.before,
            operators=query.operators,
            below=None if query.cursor is None else _number(query.cursor),
        )
        found = await self._read(partial(read_log, which=which, limit=query.limit + 1))
        page = found[: query.limit]
        more = len(found) > query.limit
        return DeliveryLogPage(
            items=tuple(log_item(each) for each in page), next_cursor=str(page[-1].number) if more else None
        )

    async def get(self, number: int, operators: frozenset[str] | None = None) -> DeliveryLogDetail:
        """Return one with what was sent and answered. Raises: NotFound, Unavailable."""
        found = await self._read(partial(read_push, number=number, operators=operators))
        if found is None:
            raise NotFound("delivery", str(number))
        return log_detail(found)

    async def retry(
        self, evse_id: str, account: str, *, by: str, operators: frozenset[str] | None = None
    ) -> RetryReport:
        """Send now what an account's hub should have of an EVSE. Raises: NotFound, Conflict, Unavailable."""
        name = self._known(account)
        key, meant = await self._evse(evse_id, operators)
        ordered = await self._order(RetryOrder(name, meant, self._clock()), f"status of {meant} at {account}", by)
        self._wakes.settled(name, [key])
        return _report(ordered).model_copy(
            update={"account": account, "evse_id": meant, "value": shown(ordered.value) or "deletion"}
        )

    async def retry_document(self, account: str, kind: str, key: str, *, by: str) -> RetryReport:
        """As `retry`, of a document. Raises: NotFound, Conflict, Unavailable."""
        name = self._known(account)
        if kind not in set(DocumentKind):
            raise NotFound("kind of document", kind)
        order = RetryOrder(name, key, self._clock(), DocumentKind(kind))
        ordered = await self._order(order, f"{kind} {key[:256]} at {account}", by)
        return _report(ordered).model_copy(update={"account": account, "kind": kind, "document": key})

    async def throughput(
        self, account: str, since: datetime | None, until: datetime | None, buckets: int
    ) -> Throughput:
        """Return what was sent in spans of equal length. Raises: NotFound, ValueRefused, Unavailable."""
        name = self._known(account)
        end = until or self._clock().now
        begin = since or end - _LAST_HOUR
        if begin >= end:
            raise ValueRefused("until", "should be later than since")
        counted = await self._read(partial(count_pushes, account=name, since=begin, until=end, spans=buckets))
        return throughput_of(account, begin, end, buckets, counted)

    async def _order(self, order: RetryOrder, what: str, by: str) -> Ordered:
        await self._check_sends(order.account)
        try:
            ordered = await self._writer.submit(retry_rows, order)
        except NothingSuch as error:
            raise NotFound("delivery:", what) from error
        except NotWaiting as error:
            raise Conflict(f"{what}: {error}") from error
        except StoreError as error:
            raise Unavailable(str(error)) from error
        log.info("retry_ordered", account=order.account, what=what, was=str(ordered.retried.was), by=by)
        self._wakes.account(order.account)
        return ordered

    async def _check_sends(self, account: AccountName) -> None:
        try:
            async with self._store.read() as connection:
                lanes = {lane.account: lane for lane in await read_lanes(connection, self._clock().steady)}
        except StoreError as error:
            raise Unavailable(str(error)) from error
        lane = lanes.get(account)
        stored = None if lane is None or lane.mode is None else Mode(lane.mode)
        mode = effective_mode(self._settings.accounts[account].mode, stored)
        if mode is not Mode.LIVE:
            raise Conflict(f"{account} is {mode}: it sends nothing until `upstream enable {account}` is given")

    async def _evse(self, spelling: str, operators: frozenset[str] | None) -> tuple[EvseKey, EvseId]:
        exact, key = spelled_with_stars(spelling), canonical_spelling(spelling)
        found = await self._read(partial(find_evses, exact=exact, key=key, operators=operators))
        if not found:
            raise NotFound("EVSE", spelling)
        if len(found) > 1:
            raise NotFound("EVSE", f"{spelling}: it may be {' or '.join(evse_id for _, evse_id in found)}; say which")
        first: tuple[EvseKey, EvseId] = found[0]
        return first

    async def _read(self, question: Callable[[Any], _Result]) -> _Result:
        try:
            async with self._store.read() as connection:
                return await connection.run_sync(question)
        except StoreError as error:
            raise Unavailable(str(error)) from error

    def _known(self, name: str) -> AccountName:
        if name not in self._settings.accounts:
            raise NotFound("account", name)
        return AccountName(name)


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise ValueRefused("cursor", "should be the next_cursor of an earlier page")
    return int(cursor)


def _report(ordered: Ordered) -> RetryReport:
    retried = ordered.retried
    return RetryReport.model_validate(
        {"account": "", "was": str(retried.was), "why": retried.why, "waits": retried.waits}
    )
