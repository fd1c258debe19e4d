"""Write: one thread, one transaction per batch, one hop back per batch.

The next batch is whatever arrived while the last one was committing, so a lone item waits for nobody and a thousand
share a dozen commits. Batches of several follow each other no sooner than every 6 ms, so that a steady stream is not
committed two by two. An item's result is handed back only after its commit. Never decides what is written: handlers
do. Before it: `intake`, `lane`, `ticker`, `web`, through `submit`. After it: the store's writing connection.

What fails, and whom it hits:

* a handler says so for one item (`ItemFailed`): that item; what its neighbours wrote is committed with them;
* a handler or a constraint raises: the batch is rolled back and run again item by item, each in a transaction of its
  own; only the culprit gets its exception. So a handler may run more than once for an item, and keeps nothing outside;
* the storage is unavailable: every item of the batch, and the writer goes on with the next one;
* the storage is broken: every item, now and later; the process must end.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from queue import Empty, SimpleQueue
from time import perf_counter, sleep
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bridge.store.condition import Condition
from bridge.store.engine import Store
from bridge.store.errors import StoreBroken, StoreError, StoreInUse, StoreUnavailable, StoreUnsafe
from bridge.store.jobs import Handler, Job, P, R, apply, fail
from bridge.store.working_copies import drop_copies

_Call = Callable[[], None]

_BATCH_LIMIT = 500
_SPACING = timedelta(milliseconds=6)
"""A transaction costs as much CPU by itself as three or four statuses in it."""


@dataclass(frozen=True, slots=True)
class BatchStats:
    """What one batch did and how long it took."""

    items: int
    failed: int
    commits: int
    """1; or one for each item that had to run alone and succeeded; or 0 where the storage failed."""
    duration: timedelta
    """From the first statement to the end of the last commit."""


class Writer:
    """The one writer of a store. Every method but `once_committed` is called on the event loop that called `start`."""

    def __init__(
        self,
        store: Store,
        *,
        on_broken: Callable[[StoreBroken], None] = lambda _error: None,
        batch_limit: int = _BATCH_LIMIT,
        spacing: timedelta = _SPACING,
    ) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            store: Its engine's only connection belongs to the writer from `start` to `stop`.
            on_broken: Called once, on the event loop, when the storage can be trusted no more.
            batch_limit: Most items in one transaction.
            spacing: From the beginning of a batch of several items to that of the next one, at least.
        """
        self.last_batch: BatchStats | None = None
        self.items_written = 0
        self.batches_written = 0
        self._store = store
        self._on_broken = on_broken
        self._batch_limit = batch_limit
        self._spacing_s = spacing.total_seconds()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._once_committed: list[_Call] = []
        """Of the transaction that runs."""
        self._committed: list[_Call] = []
        """Of the batch that runs, whose transactions are committed."""
        self._refusal: StoreError | None = StoreUnavailable("the writer has not been started")
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._ended: asyncio.Future[None]
        self._connection: sa.Connection | None = None
        self._oldest_at: float | None = None
        self._condition = Condition()

    # --- on the event loop ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread. Called once, with the event loop running."""
        if self._thread is not None:
            raise AssertionError("a writer is started once")
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        # A daemon: a disk that hangs for ever must not keep the process; what was answered is committed by then.
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._refusal = None
        self._thread.start()

    def submit_nowait(self, handler: Handler[P, R], payload: P) -> asyncio.Future[R]:
        """Queue one item and return the future of its result, which is set after its commit.

        Items commit in the order of these calls. Consecutive items with equal handlers reach it as one group.
        Cancelling the future does not take the item back.

        Raises: StoreUnavailable (not started, or stopped), StoreBroken.
        """
        if self._refusal is not None:
            raise self._refusal
        future: asyncio.Future[R] = self._loop.create_future()
        self._queue.put(Job(handler, payload, future))
        return future

    async def submit(self, handler: Handler[P, R], payload: P) -> R:
        """Write one item and return its result, after its commit.

        Cancellation does not take the item back.

        Raises: StoreUnavailable, StoreBroken, and what the handler raised for this item.
        """
        return await self.submit_nowait(handler, payload)

    @property
    def waited(self) -> timedelta:
        """How long the oldest item of the batch that runs now has waited; zero where none runs."""
        oldest_at = self._oldest_at
        return timedelta(seconds=0.0 if oldest_at is None else perf_counter() - oldest_at)

    @property
    def thread(self) -> int | None:
        """The system's id of its thread; None where it does not run."""
        return self._thread.native_id if self._thread is not None and self._thread.is_alive() else None

    async def stop(self, timeout: timedelta = timedelta(seconds=10)) -> None:
        """Commit what was submitted, then end the thread. Raises: StoreUnavailable where `timeout` passed first."""
        if self._thread is None:
            return
        if self._refusal is None:
            self._refusal = StoreUnavailable("the writer was stopped")
            self._queue.put(None)
        try:
            await asyncio.wait_for(asyncio.shield(self._ended), timeout.total_seconds())
        except TimeoutError as error:
            self._fail_queued(self._refusal)
            self._queue.put(None)
            raise StoreUnavailable(
                f"the last transaction did not finish within {timeout.total_seconds():g} s"
            ) from error

    def _deliver(self, jobs: list[Job], calls: list[_Call], stats: BatchStats) -> None:
        self.last_batch = stats
        self.items_written += stats.items - stats.failed
        self.batches_written += 1
        for job in jobs:
            if job.future.done():
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)
        for call in calls:
            self._loop.call_soon(call)  # one that fails is none of the others' business

    def _break(self, error: StoreBroken) -> None:
        self._refusal = error
        self._fail_queued(error)
        self._on_broken(error)

    def _fail_queued(self, error: StoreError) -> None:
        with suppress(Empty):
            while True:
                job = self._queue.get_nowait()
                if job is not None and not job.future.done():
                    job.future.set_exception(error)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    # --- in the thread ----------------------------------------------------------------------------------------------

    def once_committed(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Have this called on the event loop once the transaction that runs is committed, or may be; for handlers.

        It comes with the results of the batch, so that the loop is woken once. Where a handler fails, it is forgotten
        with what the transaction wrote.
        """
        self._once_committed.append(partial(callback, *arguments))

    def _run(self) -> None:
        broken: StoreBroken | None = None
        stopping = False
        not_before = 0.0
        while broken is None and not stopping:
            jobs, stopping = self._next_batch(not_before)
            if jobs:
                not_before = perf_counter() + self._spacing_s if len(jobs) > 1 else 0.0
                broken = self._write(jobs)
        self._drop_connection()
        if broken is not None:
            self._post(self._break, broken)
        self._post(self._end)

    def _next_batch(self, not_before: float = 0.0) -> tuple[list[Job], bool]:
        """Wait for an item and for that moment, and take what is there; the flag says that nothing will follow."""
        queue = self._queue
        job = queue.get()
        if job is not None and (rest := not_before - perf_counter()) > 0:
            sleep(rest)
        jobs: list[Job] = []
        ahead = min(queue.qsize(), self._batch_limit - 1)
        while job is not None:
            jobs.append(job)
            if not ahead:
                return jobs, False
            ahead -= 1
            try:
                job = queue.get_nowait()
            except Empty:  # a `stop` that ran out of time has just failed the rest
                return jobs, False
        return jobs, True

    def _write(self, jobs: list[Job]) -> StoreBroken | None:
        began = perf_counter()
        self._oldest_at = jobs[0].submitted_at
        broken: StoreBroken | None = None
        commits = 0
        try:
            commits = self._write_batch(jobs)
        except StoreBroken as error:
            broken = error
            fail(jobs, error)
        except StoreError as error:
            self._condition.bad(error)
            fail(jobs, error)
        except Exception as error:  # noqa: BLE001 - the loop's top: a fault of ours must not leave callers waiting for ever
            broken = StoreBroken(f"the writer failed: {type(error).__name__}")
            broken.__cause__ = error
            fail(jobs, broken)
        stats = BatchStats(
            items=len(jobs),
            failed=sum(job.error is not None for job in jobs),
            commits=commits,
            duration=timedelta(seconds=perf_counter() - began),
        )
        self._oldest_at = None
        calls, self._committed = self._committed, []
        self._post(self._deliver, jobs, calls, stats)
        return broken

    def _write_batch(self, jobs: list[Job]) -> int:
        """Commit the jobs together, or else one by one; return the number of commits.

        Raises: StoreUnavailable, StoreBroken: they hit every job that is not settled.
        """
        try:
            self._transact(jobs)
        except (StoreUnavailable, StoreBroken):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises belongs to the item that brought it
            if len(jobs) == 1:
                jobs[0].fail(error)
                return 0
        else:
            return 1
        return sum(self._write_batch([job]) for job in jobs)

    def _transact(self, jobs: list[Job], *, again: bool = True) -> None:
        """Run the jobs in one transaction and settle them after its commit.

        A connection lost before the COMMIT was sent has stored nothing, so the jobs run once more on a new one. Lost
        during the COMMIT, they may or may not be stored: they fail as unavailable, and who sends them again must be
        able to apply them twice.
        """
        committing = False
        self._once_committed.clear()
        try:
            if self._connection is None:
                self._connection = self._store.engine.connect()
            with self._connection.begin():
                results = apply(self._connection, jobs)
                committing = True
                self._committed += self._once_committed
            wrote = self._store.after_commit(self._connection)
        except SQLAlchemyError as error:
            failure = self._store.failure(error)
            if failure is None:
                raise
            self._drop_connection()
            lost = isinstance(error, DBAPIError) and error.connection_invalidated
            if not (lost and again and not committing):
                raise failure from error
        except (StoreInUse, StoreUnsafe) as error:
            raise StoreUnavailable(str(error)) from error
        else:
            if wrote:
                self._condition.good()
            for job, result in zip(jobs, results, strict=True):
                job.settle(result)
            return
        self._transact(jobs, again=False)

    def _drop_connection(self) -> None:
        """Give the connection back; the next batch takes a working one."""
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                drop_copies(self._connection)
                self._connection.close()
            self._connection = None

    def _post(self, callback: Callable[..., None], *arguments: Any) -> None:
        # A loop that was closed without `stop` has nobody left who could be told.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)
