"""Serve one account: take a turn, send what it says, rest, and again.

Thin: no decision is made here. Before it: `turns`. After it: the account's upstream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from datetime import datetime, timedelta
from typing import TypeVar, assert_never

import structlog

from bridge.core.full_load import Census
from bridge.core.model import Accepted, AccountName, Deferred, Held, Moment, Refused, WrongAction
from bridge.lane.answered import Answered, answered
from bridge.lane.document_settling import DocumentRowsTurn, settle_document_rows
from bridge.lane.model import (
    LaneOptions,
    Rest,
    SendAll,
    SendAllDocuments,
    SendDocument,
    SendOne,
    Sent,
    SentDocuments,
    SentSurvey,
    Settling,
    Survey,
    Todo,
)
from bridge.lane.settling import RowsTurn, settle_rows
from bridge.lane.turns import LOOK_EVERY, Opening, Taken, Turn, open_lanes, take_turns
from bridge.store.errors import StoreError
from bridge.store.stations import EvseKey
from bridge.store.writer import Writer
from bridge.upstreams.port import Answer, Upstream

log = structlog.get_logger(__name__)

_Key = TypeVar("_Key")

_ROUND = timedelta(seconds=30)
"""A turn that takes longer, and not because of the storage, is one that hangs."""

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
        went_round: Callable[[timedelta], None] = lambda _patience: None,
        settled: Callable[[AccountName, Collection[EvseKey]], None] = lambda _account, _evses: None,
        told: Callable[[Answered], None] | None = None,
    ) -> None:
        """`settled` is told, after the commit, about which EVSEs a request was; `told` at once of each answer."""
        self._went_round = went_round
        self._settled = settled
        self._answered = told
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
        self._documents_from: datetime | None = None
        self._counted: tuple[datetime, Census] | None = None
        self._counted_documents: tuple[datetime, Census] | None = None
        self._live_since: datetime | None = None
        self._shown_at: datetime | None = None
        self._waiting_for_storage = False
        self._guarded: str | None = None
        self._withheld: dict[str, str] = {}
        self._failing = False
        self._sent = 0
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
            self._went_round(_ROUND)
            try:
                if settling is not None:
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
            if settling is not None:
                self._settled(self._options.account, settling.sent.values if isinstance(settling.sent, Sent) else ())
            settling = await self._do(taken.todo)

    def _turn(self, settling: Settling | None, epoch: int, reclaim: bool) -> Turn:
        at = self._clock()
        return Turn(
            options=self._options,
            epoch=epoch,
            takes_full_load=self._upstream.takes_full_load,
            live_since=self._live_since,
            at=at,
            jitter=self._jitter(),
            settling=settling,
            closing=self._stopping,
            census=_young(self._counted, at.steady),
            show=self._shown_at is None or at.steady - self._shown_at >= LOOK_EVERY,
            reclaim=reclaim,
            documents_from=self._documents_from,
            document_census=_young(self._counted_documents, at.steady),
        )

    def _take_in(self, taken: Taken, turn: Turn) -> None:
        """Remember since when the account has been live, and the last count of its rows."""
        self._live_since = (self._live_since or turn.at.steady) if taken.live else None
        if isinstance(taken.todo, Rest) and taken.todo.withheld:
            self._shown_at = turn.at.steady
        steady = turn.at.steady
        self._counted = _counted(self._counted, taken.census, turn.census, steady)
        self._counted_documents = _counted(self._counted_documents, taken.document_census, turn.document_census, steady)

    async def _open(self, at: Moment) -> int:
        opening = Opening(self._options, self._upstream.takes_full_load, self._node, at)
        while True:
            # Left set it would end each rest at once; with a writer that refuses at once, nobody else would ever run.
            self._woken.clear()
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
            case SendDocument():
                return await self._send(todo.sent, lambda: self._upstream.push_document(todo.document))
            case SendAllDocuments():
                self._log.info("data_full_load_started", records=len(todo.documents), why=todo.why)
                return await self._send(todo.sent, lambda: self._upstream.full_load_documents(todo.documents))
            case Survey():
                return await self._send(todo.sent, self._upstream.survey)
            case Rest():
                self._log_rest(todo)
                if not self._stopping:
                    await self._rest(self._until(todo.until))
                return None
            case _:
                assert_never(todo)

    async def _send(
        self, sent: Sent | SentDocuments | SentSurvey, request: Callable[[], Coroutine[None, None, Answer]]
    ) -> Settling:
        """Send at the account's pace: what has to wait was chosen meanwhile, so that choosing costs no rate."""
        if self._next_at is not None and (rest := self._next_at - self._clock().steady) > timedelta(0):
            self._went_round(rest + _ROUND)
            await asyncio.sleep(rest.total_seconds())
        self._went_round(self._options.longest_request)
        began = self._clock().steady
        answer = await request()
        if self._answered is not None:
            self._answered(answered(self._options.account, sent, answer, began, self._clock().steady))
        self._next_at = began + self._pace * answer.requests
        if answer.pause_s:
            self._next_at = max(self._next_at, self._clock().steady + timedelta(seconds=answer.pause_s))
        if not isinstance(sent, Sent) and self._options.documents is not None:
            self._documents_from = began + timedelta(minutes=1) / self._options.documents.per_minute * answer.requests
        self._log_answer(sent, answer)
        self._sent += 1
        return Settling(sent, answer, self._sent)

    async def _settle_rows(self, settling: Settling, epoch: int) -> None:
        """Settle what a fullLoad carried; safe to do again where storage failed in the middle."""
        account, options, answer = self._options.account, self._options.reconcile, settling.answer
        match settling.sent:
            case Sent(full=True) as sent:
                for keys in _chunks(list(sent.values)):
                    self._went_round(_ROUND)
                    turn = RowsTurn(account, epoch, sent, keys, answer, self._clock(), options)
                    await self._writer.submit(settle_rows, turn)
            case SentDocuments(full=True) as documents:
                for names in _chunks(list(documents.values)):
                    self._went_round(_ROUND)
                    rows = DocumentRowsTurn(account, epoch, documents, names, answer, self._clock(), options)
                    await self._writer.submit(settle_document_rows, rows)
            case _:
                return

    def _until(self, until: datetime | None) -> timedelta:
        if until is None:
            return self._options.idle
        return min(self._options.idle, max(until - self._clock().steady, timedelta(0)))

    async def _rest(self, how_long: timedelta) -> None:
        self._went_round(how_long + _ROUND)
        try:
            async with asyncio.timeout(how_long.total_seconds()):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _log_answer(self, sent: Sent | SentDocuments | SentSurvey, answer: Answer) -> None:
        """One line when the hub breaks, one when it recovers; refusals each, since each names an EVSE."""
        records = 0 if isinstance(sent, SentSurvey) else len(sent.values)
        match answer.outcome:
            case Accepted():
                if self._failing:
                    self._failing = False
                    self._log.info("upstream_recovered")
                if isinstance(sent, Sent) and sent.full:
                    self._log.info("full_load_accepted", records=records)
                if isinstance(sent, SentDocuments) and sent.full:
                    self._log.info("data_full_load_accepted", records=records)
            case Deferred(why=why) | Held(why=why):
                if not self._failing:
                    self._failing = True
                    self._log.warning("upstream_failed", why=why, http=answer.http, code=answer.code)
            case Refused(why=why) | WrongAction(why=why):
                self._log.info("push_refused", why=why, http=answer.http, code=answer.code, rows=records)
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


def _young(counted: tuple[datetime, Census] | None, steady: datetime) -> Census | None:
    """Return a count that is young enough to decide by."""
    return counted[1] if counted is not None and steady - counted[0] < LOOK_EVERY else None


def _counted(
    before: tuple[datetime, Census] | None, found: Census | None, given: Census | None, steady: datetime
) -> tuple[datetime, Census] | None:
    """Return the count to keep: none, the one that the turn was given, or the one that it made."""
    if found is None:
        return None
    return before if found is given else (steady, found)


def _chunks(keys: list[_Key]) -> Iterator[list[_Key]]:
    for first in range(0, len(keys), _SETTLE_CHUNK):
        yield keys[first : first + _SETTLE_CHUNK]
