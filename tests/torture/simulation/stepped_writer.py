"""Run the shipped writer in virtual time: its batches, transactions and failures, without its thread.

A batch takes the time that the seed says. On its way it passes the moments at which a process may die: before the
commit, and after the commit before anybody is told.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from bridge.store.engine import Store
from bridge.store.errors import StoreBroken, StoreUnavailable
from bridge.store.jobs import Handler
from bridge.store.writer import Writer

P = TypeVar("P")
R = TypeVar("R")


class Killed(BaseException):
    """The process ends here, and nothing after this is run."""


class SteppedWriter(Writer):
    """The shipped `Writer`, whose thread is a sequence of steps on the loop."""

    def __init__(
        self,
        store: Store,
        *,
        takes_s: Callable[[], float],
        before_commit: Callable[[], None],
        after_commit: Callable[[], None],
        killed: Callable[[], None],
        on_broken: Callable[[StoreBroken], None],
    ) -> None:
        """Take `takes_s()` seconds for a batch; both hooks may raise `Killed`, and then `killed` is called.

        `before_commit` may also raise `sqlite3.OperationalError`, as a full disk does.
        """
        super().__init__(store, on_broken=on_broken)
        self._takes_s = takes_s
        self._after_commit = after_commit
        self._killed = killed
        self._stepping = False
        self.dead = False

        def at_commit(_connection: sa.Connection) -> None:
            try:
                before_commit()
            except sqlite3.OperationalError as error:
                raise sa.exc.OperationalError("COMMIT", {}, error) from error

        sa.event.listen(store.engine, "commit", at_commit)

    def start(self) -> None:
        """Begin to take items; no thread is started."""
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._refusal = None

    def submit_nowait(self, handler: Handler[P, R], payload: P) -> asyncio.Future[R]:
        """Queue one item; the next step takes it."""
        if self.dead:
            raise StoreUnavailable("the process was killed")
        future = super().submit_nowait(handler, payload)
        if not self._stepping:
            self._stepping = True
            self._loop.call_later(self._takes_s(), self._step)
        return future

    def die(self) -> None:
        """End as a process does that is killed: nothing is committed any more, and nobody is told anything."""
        self.dead = True
        self._drop_connection()

    async def stop(self, timeout: timedelta = timedelta(seconds=10)) -> None:
        """Commit what was submitted, then take no more."""
        while not self.dead and (not self._queue.empty() or self._stepping):  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(0.001)
        self._refusal = StoreUnavailable("the writer was stopped")
        self._drop_connection()

    def _step(self) -> None:
        if self.dead:
            return
        jobs, _ = self._next_batch()
        try:
            broken = self._write(jobs)
            self._after_commit()
        except Killed:
            self._killed()
            return
        if broken is not None:
            self._post(self._break, broken)
        self._stepping = not self._queue.empty()
        if self._stepping:
            self._loop.call_later(self._takes_s(), self._step)

    def _post(self, callback: Callable[..., None], *arguments: Any) -> None:
        self._loop.call_soon(self._unless_dead, callback, arguments)

    def _unless_dead(self, callback: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        if not self.dead:
            callback(*arguments)
