"""Keep the event loop's and the writer's thread on one processor while the process is busy.

Thin: when is decided in `core.gathering`; which processor, by the system, where it runs the event loop. Other threads
are never kept anywhere. Nothing is done where the process may use one processor only or the system lets no thread
choose, and nothing more once somebody else has said where a thread runs (`taskset`): that holds.
Before it: `serve`. After it: the system's scheduler.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from bridge.core.gathering import GatherOptions, Processors, Step, next_step, placed_by_others

log = structlog.get_logger(__name__)

_THREADS = Path("/proc/self/task")
_OWN_STAT = Path("/proc/thread-self/stat")
_PROCESSOR = 36
"""Of the fields behind the thread's name. Source: proc(5), /proc/pid/stat, (39) processor."""
_REST_S = 0.02
"""For so long the system may place the two before a processor is chosen anew."""


@dataclass(frozen=True, slots=True)
class _Held:
    """Threads that share a processor by our doing."""

    processor: Processors
    threads: tuple[int, int]
    since: float


class Gathering:
    """The placing of two threads. Run `run` as one named task, on the event loop's thread."""

    def __init__(self, partner: Callable[[], int | None], options: GatherOptions | None = None) -> None:
        """`partner` returns the system's id of the thread that joins the event loop's; None: it does not run."""
        self._partner = partner
        self._options = options or GatherOptions()
        self._everywhere: Processors = frozenset()
        """Where the event loop's thread may run, as the process was started."""
        self._held: _Held | None = None
        self._left: dict[int, Processors] = {}
        """Where each thread may run since it was last seen or placed."""

    async def run(self) -> None:
        """Look every second until cancelled; then both threads may run anywhere again."""
        if hasattr(os, "sched_setaffinity"):
            try:
                await self._look_again_and_again()
            except OSError as error:
                log.info("threads_not_placed", why=str(error))
            finally:
                with suppress(OSError):  # who may not place threads any more has said so
                    self._free()
        await asyncio.Event().wait()  # a task that ends is started anew

    async def _look_again_and_again(self) -> None:
        """Look until others have placed a thread. Raises: OSError where the system does not let us."""
        self._left = _found()
        self._everywhere = self._left[threading.get_native_id()]
        while len(self._everywhere) > 1:
            share = await self._share()
            if not self._look():
                return
            step = self._next(share)
            if step is Step.GATHER:
                await self._gather()
            elif step is Step.FREE:
                self._free()

    async def _share(self) -> float:
        """Return the CPU that the process uses until the next look, as a share of one processor."""
        used, began = time.process_time(), time.monotonic()
        await asyncio.sleep(self._options.look_every.total_seconds())
        return (time.process_time() - used) / (time.monotonic() - began)

    def _look(self) -> bool:
        """Tell whether every thread may run where we left it; one that was started meanwhile may run anywhere then."""
        found = _found()
        if elsewhere := placed_by_others(self._left, found):
            log.info("threads_placed_by_others")
            if self._held is not None and self._held.processor in elsewhere:
                self._held = None  # others chose the same processor: what is ours cannot be told from what is theirs
            return False
        newcomers = self._newcomers(found)
        self._left = found
        self._place(newcomers, self._everywhere)
        return True

    def _next(self, share: float) -> Step:
        held = None if self._held is None else timedelta(seconds=time.monotonic() - self._held.since)
        return next_step(held, share, self._options)

    async def _gather(self) -> None:
        if self._held is not None:
            self._free()
            await asyncio.sleep(_REST_S)
        own, partner, found = threading.get_native_id(), self._partner(), _found()
        if partner is None or found.get(partner) != self._everywhere or placed_by_others(self._left, found):
            return
        self._held = _Held(frozenset({_processor()}), (own, partner), time.monotonic())
        self._place(self._held.threads, self._held.processor)

    def _free(self) -> None:
        """Let those run anywhere that we hold, and what they have started since the last look."""
        if (held := self._held) is None:
            return
        found = _found()
        self._place((each for each in held.threads if found.get(each) == held.processor), self._everywhere)
        self._place(self._newcomers(_found()), self._everywhere)
        self._held = None

    def _newcomers(self, found: Mapping[int, Processors]) -> list[int]:
        """Return the threads that began where the one that started them is held."""
        processor = None if self._held is None else self._held.processor
        return [thread for thread, where in found.items() if where == processor and thread not in self._left]

    def _place(self, threads: Iterable[int], where: Processors) -> None:
        """Let threads run there alone. Raises: OSError."""
        for thread in threads:
            with suppress(ProcessLookupError):  # it ended
                os.sched_setaffinity(thread, where)
                self._left[thread] = where


def _found() -> dict[int, Processors]:
    """Return where each thread of this process may run. Raises: OSError."""
    found = {}
    for thread in map(int, os.listdir(_THREADS)):
        with suppress(ProcessLookupError):  # it ended
            found[thread] = frozenset(os.sched_getaffinity(thread))
    return found


def _processor() -> int:
    """Return the processor that runs this thread. Raises: OSError."""
    stat = _OWN_STAT.read_text(encoding="utf-8", errors="replace")  # the name in it may be anything
    return int(stat[stat.rindex(")") + 1 :].split()[_PROCESSOR])
