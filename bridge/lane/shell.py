"""Serve one account: take a turn, send what it says, rest, and again.

Thin: no decision is made here. Before it: `turns`. After it: the account's upstream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import assert_never

import structlog

from bridge.core.model import Accepted, Deferred, Held, Moment, Refused, WrongAction
from bridge.lane.turns import (
    LaneOptions,
    Rest,
    RowsTurn,
    SendAll,
    SendOne,
    Sent,
    Settling,
    Todo,
    Turn,
    open_lanes,
    settle_rows,
    take_turns,
)
from bridge.store.errors import StoreError
from bridge.store.writer import Writer
from bridge.upstreams.port import Answer, Upstream

log = structlog.get_logger(__name__)

_SETTLE_CHUNK = 500
"""Rows of a fullLoad that one transaction settles, so that stations wait for none of it."""

_LOOK_EVERY = timedelta(seconds=1)


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
        self._looked_at: datetime | None = None
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
        while not self._stopping or settling is not None:
            self._woken.clear()
            turn = Turn(
                options=self._options,
                epoch=epoch,
                takes_full_load=self._upstream.takes_full_load,
                opened_at=opened.steady,
                at=self._clock(),
                jitter=self._jitter(),
                settling=settling,
                closing=self._stopping,
                look=self._looks(settling),
            )
            try:
                if settling is not None and settling.sent.full:
                    await self._settle_rows(settling)
                todo: Todo = await self._writer.submit(take_turns, turn)
            except StoreError as error:
                self._log.warning("lane_waiting_for_storage", why=str(error))
                await self._rest(self._options.idle)
                continue
            settling = await self._do(todo)

    async def _open(self, at: Moment) -> int:
        payload = (self._options, self._node, at)
        while True:
            try:
                return await self._writer.submit(open_lanes, payload)
            except StoreError as error:
                self._log.warning("lane_waiting_for_storage", why=str(error))
                await self._rest(self._options.idle)

    async def _do(self, todo: Todo) -> Settling | None:
        match todo:
            case SendOne():
                return await self._send(todo.sent, self._upstream.push(todo.record))
            case SendAll():
                self._log.info("full_load_started", records=len(todo.records), why=todo.why)
                return await self._send(todo.sent, self._upstream.full_load(todo.records))
            case Rest():
                self._log_rest(todo)
                if not self._stopping:
                    await self._rest(self._until(todo.until))
                return None
            case _:
                assert_never(todo)

    async def _send(self, sent: Sent, request: Coroutine[None, None, Answer]) -> Settling:
        started = self._clock().steady
        answer = await request
        self._log_answer(sent, answer)
        rest = self._pace - (self._clock().steady - started)
        if rest > timedelta(0):
            await asyncio.sleep(rest.total_seconds())
        return Settling(sent, answer)

    async def _settle_rows(self, settling: Settling) -> None:
        """Settle what a fullLoad carried; safe to do again where storage failed in the middle."""
        account, values = self._options.account, settling.sent.values
        keys = list(values)
        for first in range(0, len(keys), _SETTLE_CHUNK):
            chunk = {key: values[key] for key in keys[first : first + _SETTLE_CHUNK]}
            turn = RowsTurn(account, chunk, settling.answer, self._clock(), self._options.reconcile)
            await self._writer.submit(settle_rows, turn)

    def _looks(self, settling: Settling | None) -> bool:
        """Look for a due fullLoad after each rest and each fullLoad, and once a second while rows are pushed."""
        steady = self._clock().steady
        recent = self._looked_at is not None and steady - self._looked_at < _LOOK_EVERY
        if recent and settling is not None and not settling.sent.full:
            return False
        self._looked_at = steady
        return True

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

    def _log_rest(self, todo: Rest) -> None:
        if todo.guarded != self._guarded:
            self._guarded = todo.guarded
            if todo.guarded is not None:
                self._log.warning("full_load_guarded", why=todo.guarded)
        for evse_id, value in todo.withheld:
            if self._withheld.get(evse_id) != value:
                self._withheld[evse_id] = value
                self._log.info("push_withheld", evse=evse_id, value=value)
