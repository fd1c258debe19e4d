"""Run asyncio code in virtual time: where nothing is left to do, the clock jumps to the next thing that is due.

No thread and no real socket: what runs here is replaced there (`stepped_writer`, `wires`, `hubs`). One seed then gives
one run, step by step, and a day without events takes no time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Stuck(AssertionError):
    """Nothing is left to do, and nothing is due: whoever still waits would wait for ever."""


class _Jump(selectors.SelectSelector):
    """Waits for nothing: the time that it should have waited has passed when it returns."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise Stuck("nothing is left to do, and no timer runs")
        self.now += 0.0 if ready else timeout or 0.0
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time` is virtual, in seconds since its beginning."""

    def __init__(self, on_task: Callable[[asyncio.Task[Any], Context], None]) -> None:
        """`on_task` is told of every task with the context that it runs in."""
        self._jump = _Jump()
        super().__init__(self._jump)
        self._on_task = on_task
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        """Return the virtual time."""
        return self._jump.now

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, work: Any, context: Context | None = None
    ) -> asyncio.Task[Any]:
        context = context if context is not None else copy_context()
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
        self._on_task(task, context)
        return task


def run_virtually(
    main: Callable[[], Coroutine[Any, Any, _Result]],
    on_task: Callable[[asyncio.Task[Any], Context], None] = lambda _task, _context: None,
) -> _Result:
    """Run `main` to its end in virtual time and return its result; whatever it left running is cancelled."""
    loop = VirtualLoop(on_task)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main())
