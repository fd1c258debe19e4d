"""Serve one account: take a turn, send what it says, rest, and again.

Thin: no decision is made here. Before it: `turns`. After it: the account's upstream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from bridge.core.full_load import Census
from bridge.core.model import Accepted, Deferred, Held, Moment, Refused, WrongAction
from bridge.lane.model import LaneOptions, Rest, SendAll, SendOne, Sent, Settling, Todo
from bridge.lane.settling import RowsTurn, settle_rows
from bridge.lane.turns import LOOK_EVERY, Opening, Taken, Turn, open_lanes, take_turns
from bridge.store.errors import StoreError
from bridge.store.writer import Writer
from bridge.upstreams.port import Answer, Upstream

log = structlog.get_logger(__name__)

_SETTLE_CHUNK = 500
"""Rows of a fullLoad that one transaction settles, so that stations wait for none of it."""


class AccountLane:
    """Serves one account until it is stopped. Run `run` as one named task."""

    def __init__(
        self,
        writer: Writer,
        upstream: Upstream,
        *,
        clock: Callable[[], Moment],
        jitter: Callable[[], float],
        node: str,
        options: LaneOptions,
    ) -> None:
        self._writer = writer
        self._upstream = upstream
        self._clock = clock
        self._jitter = jitter
        self._node = node
        self._options = options
        self._woken = asyncio.Event()
        self._stopping = False
        self._pace = timedelta(minutes=1) / options.per_minute
        self._next_at: datetime | None = None
        self._counted: tuple[datetime, Census] | None = None
        self._live_since: datetime | None = None
        self._shown_at: datetime | None = None
        self._waiting_for_storage = False
        self._guarded: str | None = None
        self._withheld: dict[str, str] = {}
        self._failing = False
        self._log = log.bind(account=options.account)

    def wake(self) -> None:
        """Say that something may have become due."""
        self._woken.set()

    def stop(self) -> None:
        """Ask `run` to return once the request in flight is settled."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Serve the account. Raises: LaneLost; StoreError where storage is broken for good.

        Cancellation leaves the request in flight marked so: the next owner treats it as in doubt.
        """
        opened = self._clock()
        epoch = await self._open(opened)
        settling: Settling | None = None
        reclaim = False
        while not self._stopping or settling is not None:
            self._woken.clear()
            try:
                if settling is not None and settling.sent.full:
                    await self._settle_rows(settling, epoch)
                turn = self._turn(settling, epoch, reclaim)
                taken = await self._writer.submit(take_turns, turn)
            except StoreError as error:
                reclaim = True
                self._log_storage(error)
                await self._rest(self._options.idle)
                continue
            reclaim = False
            self._log_storage(None)
            self._take_in(taken, turn)
            settling = await self._do(taken.todo)

    def _turn(self, settling: Settling | None, epoch: int, reclaim: bool) -> Turn:
        at = self._clock()
        young = self._counted is not None and at.steady - self._counted[0] < LOOK_EVERY
        return Turn(
            options=self._options,
            epoch=epoch,
            takes_full_load=self._upstream.takes_full_load,
            live_since=self._live_since,
            at=at,
            jitter=self._jitter(),
            settling=settling,
            closing=self._stopping,
            census=self._counted[1] if self._counted is not None and young else None,
            show=self._shown_at is None or at.steady - self._shown_at >= LOOK_EVERY,
            reclaim=reclaim,
        )

    def _take_in(self, taken: Taken, turn: Turn) -> None:
        """Remember since when the account has been live, and the last count of its rows."""
        self._live_since = (self._live_since or turn.at.steady) if taken.live else None
        if isinstance(taken.todo, Rest) and taken.todo.withheld:
            self._shown_at = turn.at.steady
        if taken.census is None:
            self._counted = None
        elif taken.census is not turn.census:
            self._counted = (turn.at.steady, taken.census)

    async def _open(self, at: Moment) -> int:
        opening = Opening(self._options, self._upstream.takes_full_load, self._node, at)
        while True:
            try:
                return await self._writer.submit(open_lanes, opening)
            except StoreError as error:
                self._log_storage(error)
                await self._rest(self._options.idle)

    async def _do(self, todo: Todo) -> Settling | None:
        match todo:
            case SendOne():
                return await self._send(todo.sent, lambda: self._upstream.push(todo.record))
            case SendAll():
                self._log.info("full_load_started", records=len(todo.records), why=todo.why)
                return await self._send(todo.sent, lambda: self._upstream.full_load(todo.records))
            case Rest():
                self._log_rest(todo)
                if not self._stopping:
                    await self._rest(self._until(todo.until))
                return None
            case _:
                assert_never(todo)

    async def _send(self, sent: Sent, request: Callable[[], Coroutine[None, None, Answer]]) -> Settling:
        """Send at the account's pace: what has to wait was chosen meanwhile, so that choosing costs no rate."""
        if self._next_at is not None and (rest := self._next_at - self._clock().steady) > timedelta(0):
            await asyncio.sleep(rest.total_seconds())
        self._next_at = self._clock().steady + self._pace
        answer = await request()
        self._log_answer(sent, answer)
        return Settling(sent, answer)

    async def _settle_rows(self, settling: Settling, epoch: int) -> None:
        """Settle what a fullLoad carried; safe to do again where storage failed in the middle."""
        account, sent, keys = self._options.account, settling.sent, list(settling.sent.values)
        for first in range(0, len(keys), _SETTLE_CHUNK):
            chunk = keys[first : first + _SETTLE_CHUNK]
            turn = RowsTurn(account, epoch, sent, chunk, settling.answer, self._clock(), self._options.reconcile)
            await self._writer.submit(settle_rows, turn)

    def _until(self, until: datetime | None) -> timedelta:
        if until is None:
            return self._options.idle
        return min(self._options.idle, max(until - self._clock().steady, timedelta(0)))

    async def _rest(self, how_long: timedelta) -> None:
        try:
            async with asyncio.timeout(how_long.total_seconds()):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _log_answer(self, sent: Sent, answer: Answer) -> None:
        """One line when the hub breaks, one when it recovers; refusals each, since each names an EVSE."""
        match answer.outcome:
            case Accepted():
                if self._failing:
                    self._failing = False
                    self._log.info("upstream_recovered")
                if sent.full:
                    self._log.info("full_load_accepted", records=len(sent.values))
            case Deferred(why=why) | Held(why=why):
                if not self._failing:
                    self._failing = True
                    self._log.warning("upstream_failed", why=why, http=answer.http, code=answer.code)
            case Refused(why=why) | WrongAction(why=why):
                self._log.info("push_refused", why=why, http=answer.http, code=answer.code, rows=len(sent.values))
            case _:
                assert_never(answer.outcome)

    def _log_storage(self, error: StoreError | None) -> None:
        """One line when storage fails, one when it is back."""
        if error is not None and not self._waiting_for_storage:
            self._log.warning("lane_waiting_for_storage", why=str(error))
        if error is None and self._waiting_for_storage:
            self._log.info("lane_storage_recovered")
        self._waiting_for_storage = error is not None

    def _log_rest(self, todo: Rest) -> None:
        if todo.guarded != self._guarded:
            self._guarded = todo.guarded
            if todo.guarded is not None:
                self._log.warning("full_load_guarded", why=todo.guarded)
        for evse_id, value in todo.withheld:
            if self._withheld.get(evse_id) != value:
                self._withheld[evse_id] = value
                self._log.info("push_withheld", evse=evse_id, value=value)
