"""Run asyncio code in virtual time: where nothing is left to do, the clock jumps to the next thing that is due.

No thread and no real socket: what runs here is replaced there (`stepped_writer`, `wires`, `hubs`). One seed then gives
one run, step by step, and a day without events takes no time.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_TURN_S = 1e-9
"""What one turn of the loop takes: whoever waits for a moment that rounding has left ahead must come to it."""
_ONE_BEHIND_THE_OTHER_S = 1e-6
"""Between what waits for the end of a standstill, so that its order stays what it was."""


@dataclass(eq=False)
class OwnTime:
    """The monotonic clock of one process, and until when (virtual) it stands still."""

    behind_s: float = 0.0
    """For so long its clock has stood still."""
    stands_until: float = 0.0
    _waiting: int = 0

    def next_turn(self) -> float:
        """Return when the next thing that must wait for the end of the standstill is due."""
        self._waiting += 1
        return self.stands_until + self._waiting * _ONE_BEHIND_THE_OTHER_S


OUTSIDE = OwnTime()
OWN_TIME: ContextVar[OwnTime] = ContextVar("own time", default=OUTSIDE)
"""Whose time a task lives in; where nothing is said, that of the world outside, which never stands still."""


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
        self.now += _TURN_S if ready else max(timeout or 0.0, _TURN_S)
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
        """Return the virtual time; to a process that stood still, what its own clock says."""
        return self._jump.now - OWN_TIME.get().behind_s

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call at this moment of the caller's own time."""
        when += OWN_TIME.get().behind_s
        own = OWN_TIME.get() if context is None else context.get(OWN_TIME, OUTSIDE)
        if own.stands_until > self._jump.now:
            when = max(when, own.next_turn())
        return super().call_at(when, callback, *args, context=context)  # type: ignore[arg-type]

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Call next; what a process has to do that stands still just now waits until it does no more."""
        own = OWN_TIME.get() if context is None else context.get(OWN_TIME, OUTSIDE)
        if own.stands_until > self._jump.now:
            return super().call_at(own.next_turn(), callback, *args, context=context)  # type: ignore[arg-type]
        return super().call_soon(callback, *args, context=context)  # type: ignore[arg-type]

    def stand_still(self, own: OwnTime, seconds: float, *, clock_goes_on: bool) -> None:
        """Let a process do nothing for so long: stopped, while its monotonic clock goes on, or its machine suspended.

        Linux: CLOCK_MONOTONIC "does not count time that the system is suspended" (clock_gettime(2)).
        """
        own.stands_until, own._waiting = self._jump.now + seconds, 0
        own.behind_s += 0.0 if clock_goes_on else seconds
        timers = [timer for timer in self._scheduled if _context_of(timer).get(OWN_TIME, OUTSIDE) is own]
        for timer in sorted(timers, key=asyncio.TimerHandle.when):
            timer._when = max(timer._when, own.next_turn()) if clock_goes_on else timer._when + seconds
        heapq.heapify(self._scheduled)

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


def _context_of(handle: asyncio.Handle) -> Context:
    found: Context = handle._context  # type: ignore[attr-defined]
    return found
