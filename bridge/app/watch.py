"""Keep the long-lived tasks running: start anew what dies or hangs, count it, and say so while it lasts.

Thin: how long to wait, and what hanging is, is decided in `core.watching`. Never starts a second run of a task before
the first one is gone, so that an account has one lane at any moment. What must end the process (a lane that another
process owns, storage that can be trusted no more) is passed on, not restarted. Before it: `serve`, which gives it the
tasks. After it: health, metrics and status, which show `tasks`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from bridge.core.backoff import delay
from bridge.core.model import Moment
from bridge.core.watching import Rounds, WatchOptions, hangs, looked
from bridge.lane import LaneLost
from bridge.store.errors import StoreBroken
from bridge.web.task_shapes import TaskItem, TaskState

log = structlog.get_logger(__name__)

Run = Callable[[], Coroutine[None, None, None]]
"""Starts a task's work from its beginning; what a run before it left half done is in the store."""

WentRound = Callable[[timedelta], None]
"""Is told by a task that it goes round, and for how long at most it may not do so again."""

_FATAL = (LaneLost, StoreBroken)


@dataclass(slots=True)
class _Kept:
    """One task, over all of its runs."""

    name: str
    run: asyncio.Task[None] | None = None
    """None: it waits to be started anew."""
    began: datetime | None = None
    """When (steady) its last run began."""
    rounds: int = 0
    patience: timedelta | None = None
    seen: Rounds = field(default_factory=Rounds)
    failures: int = 0
    """In a row, without having been well between them."""
    restarts: int = 0
    stalls: int = 0
    hanging: bool = False
    why: str = ""
    since: datetime | None = None
    """When (wall) it failed first in this row."""

    def went_round(self, patience: timedelta) -> None:
        self.rounds += 1
        self.patience = patience

    @property
    def state(self) -> TaskState:
        if self.hanging:
            return "stalled"
        if self.run is None and self.failures:
            return "down"
        return "recovering" if self.failures else "running"

    def item(self) -> TaskItem:
        return TaskItem(
            name=self.name,
            state=self.state,
            restarts=self.restarts,
            stalls=self.stalls,
            why=self.why,
            since=self.since,
        )


class Watch:
    """The watch over this process's tasks. Give each to `keep`, and run `run` beside them."""

    def __init__(
        self,
        clock: Callable[[], Moment],
        *,
        waited: Callable[[], timedelta],
        jitter: Callable[[], float],
        fatal: Callable[[Exception], None],
        options: WatchOptions | None = None,
    ) -> None:
        """Prepare; nothing runs before `keep`.

        Args:
            clock: Both clocks.
            waited: How long the oldest item of the writer has waited; zero where there is none.
            jitter: Numbers in [0, 1).
            fatal: Is told of what must end the process.
            options: How patient it is.
        """
        self._clock = clock
        self._waited = waited
        self._jitter = jitter
        self._fatal = fatal
        self._options = options or WatchOptions()
        self._kept: dict[str, _Kept] = {}
        self._stopping = asyncio.Event()
        self._looked_at: datetime | None = None

    def went_round(self, name: str) -> WentRound:
        """Return what a task tells that it goes round; one that never does is not said to hang."""
        return self._of(name).went_round

    def tasks(self) -> tuple[TaskItem, ...]:
        """Return how each task does, in the order in which they were made known."""
        return tuple(kept.item() for kept in self._kept.values())

    def stop(self) -> None:
        """Start nothing anew from now on: what ends may end."""
        self._stopping.set()

    async def keep(self, name: str, run: Run) -> None:
        """Run a task until `stop`, again whenever it ends before that. Cancellation ends the run first."""
        kept = self._of(name)
        while not self._stopping.is_set():
            await self._run_once(kept, run)
            await self._pause(delay(kept.failures, self._jitter(), self._options.restart))
            kept.restarts += not self._stopping.is_set()

    async def run(self) -> None:
        """Look at every task again and again until cancelled."""
        while True:
            await asyncio.sleep(self._options.look_every.total_seconds())
            self.look()

    def look(self) -> None:
        """Find who hangs, and cancel it so that it is started anew; find who is well again."""
        at, options = self._clock(), self._options
        passed = timedelta(0) if self._looked_at is None else at.steady - self._looked_at
        self._looked_at = at.steady
        excused = self._waited() > options.slow_storage
        for kept in self._kept.values():
            kept.seen = looked(kept.seen, kept.rounds, passed, excused=excused, options=options)
            if kept.run is None:
                continue
            if hangs(kept.seen, kept.patience):
                self._end_hanging(kept, kept.run, at)
            elif kept.failures and kept.began is not None and at.steady - kept.began >= options.well_after:
                kept.failures, kept.why, kept.since = 0, "", None
                log.info("task_recovered", task=kept.name)

    # --- one run ------------------------------------------------------------------------------------------------------

    async def _run_once(self, kept: _Kept, run: Run) -> None:
        kept.seen, kept.patience, kept.began = Rounds(kept.rounds), None, self._clock().steady
        kept.run = task = asyncio.create_task(run(), name=kept.name)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            kept.run = None
        self._ended(kept, task)

    def _ended(self, kept: _Kept, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, _FATAL):
            self._stopping.set()
            self._fatal(error)
        elif not self._stopping.is_set() and not kept.hanging:
            self._note_death(kept, error)
        elif error is not None:
            log.error("task_failed", task=kept.name, exc_info=error)
        kept.hanging = False

    def _note_death(self, kept: _Kept, error: BaseException | None) -> None:
        """Log it; the traceback once for each kind in a row. What the error says may be anything, and is not shown."""
        why = "it ended by itself" if error is None else f"it ended with {type(error).__name__}"
        log.error("task_failed", task=kept.name, why=why, exc_info=None if why == kept.why else error)
        self._note_failure(kept, why, self._clock())

    def _end_hanging(self, kept: _Kept, task: asyncio.Task[None], at: Moment) -> None:
        """Cancel it; where it does not end by that, again after the same time."""
        idle = kept.seen.idle
        kept.seen = Rounds(kept.rounds)
        if not kept.hanging:
            kept.hanging = True
            kept.stalls += 1
            log.error("task_stalled", task=kept.name, idle_s=idle.total_seconds(), where=_where(task))
            self._note_failure(kept, f"it did nothing for {idle.total_seconds():.0f} s", at)
        task.cancel()

    def _note_failure(self, kept: _Kept, why: str, at: Moment) -> None:
        kept.failures += 1
        kept.why = why
        kept.since = kept.since or at.now

    async def _pause(self, how_long: timedelta) -> None:
        try:
            async with asyncio.timeout(how_long.total_seconds()):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _of(self, name: str) -> _Kept:
        return self._kept.setdefault(name, _Kept(name))


def log_unhandled(loop: asyncio.AbstractEventLoop, count: Callable[[str], None]) -> None:
    """Log and count what nobody awaits or catches: a task that died unseen, a callback that raised."""

    def unhandled(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        count("unhandled_error")
        log.error("unhandled_error", what=context["message"], exc_info=context.get("exception"))

    loop.set_exception_handler(unhandled)


def _where(task: asyncio.Task[None]) -> list[str]:
    """Return where a task waits: the line of each coroutine that awaits the next one, the innermost last."""
    lines: list[str] = []
    waiting: Any = task.get_coro()
    while (frame := getattr(waiting, "cr_frame", None)) is not None:
        lines.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        waiting = waiting.cr_await
    return lines
