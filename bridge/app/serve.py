"""Run the bridge: open everything in order, wait until told to stop, close everything in order.

The composition root, with `parts`, which opens. One TaskGroup holds every long-lived task, each with a name and kept
running by `watch`. Ctrl-C and SIGTERM end it within 10 s: commits in flight finish, sockets close with 1001, a request
to a hub that hangs is cut and counts as in doubt.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from bridge.app.counts import Counts
from bridge.app.health import TICKER
from bridge.app.parts import Parts, lane_task, open_parts
from bridge.app.rounds import Rounds
from bridge.app.service_manager import ServiceManager, service_manager
from bridge.app.watch import Run, log_unhandled
from bridge.settings import Settings
from bridge.web.health_shapes import Status
from bridge.web.ports_file import Ports
from bridge.web.services import Unavailable

log = structlog.get_logger(__name__)

_LANES_STOP = timedelta(seconds=3)


Started = Callable[[Ports, Status], None]
"""Is told once that the bridge listens, and what it found."""


def serve(settings: Settings, started: Started | None = None) -> int:
    """Run until Ctrl-C or SIGTERM and return the process's exit code.

    Raises: StoreError, TokenUnusable, PepperUnusable, CredentialUnusable, CannotListen, OSError, each before a
    station is listened to.
    """
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(Rounds())) as runner:
        return runner.run(_serve(settings, started))


@dataclass(slots=True)
class _Stop:
    """The order to stop, and why where it is a failure."""

    event: asyncio.Event = field(default_factory=asyncio.Event)
    failure: str | None = None

    def ask(self) -> None:
        self.event.set()

    def fail(self, error: Exception) -> None:
        self.failure = str(error)
        self.event.set()


async def _serve(settings: Settings, started: Started | None) -> int:
    stop = _Stop()
    _collect_rarely()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.ask)
    counts = Counts()
    log_unhandled(loop, counts.count)
    async with AsyncExitStack() as stack:
        parts = await _unless_stopped(open_parts(settings, counts, stack, stop.fail), stop)
        if parts is not None:
            for warning in settings.warnings():
                log.warning("configuration_questionable", why=warning)
            await _tell(parts, started)
            _settle_memory()
            manager = service_manager(os.environ)
            manager.ready()
            try:
                await _run(parts, stop, manager)
            except* Exception as errors:
                log.exception("bridge_ended_badly")
                stop.failure = f"ended by {_named(errors)}: the log has more; what was answered is stored"
    if stop.failure is not None:
        print(f"ocpp-bridge: {stop.failure}", file=sys.stderr)
        return 1
    log.info("bridge_stopped", counts=counts.all())
    return 0


def _collect_rarely() -> None:
    """Let the garbage collector look seldom: start-up makes what stays, a transaction what goes by itself.

    With its usual thresholds it went through everything every few thousand statuses, and stations waited 70 ms for it;
    of reading the state at start it took a quarter.
    """
    gc.set_threshold(50_000, 20, 50)


def _settle_memory() -> None:
    """Spare the garbage collector what start-up made."""
    gc.collect()
    gc.freeze()


async def _unless_stopped(opening: Coroutine[Any, Any, Parts], stop: _Stop) -> Parts | None:
    """Return what was opened; None where the order to stop came first, and opening was given up."""
    task = asyncio.create_task(opening, name="open")
    stopped = asyncio.create_task(stop.event.wait(), name="wait for the order to stop")
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if task.done():
        return task.result()
    log.info("bridge_stopping")
    task.cancel()
    await asyncio.wait({task})
    return None


async def _tell(parts: Parts, started: Started | None) -> None:
    if started is None:
        return
    try:
        started(parts.ports, await parts.services.status())
    except Unavailable as error:
        log.warning("status_not_shown", why=str(error))


def _named(errors: BaseExceptionGroup[Exception]) -> str:
    """Return the kinds of the errors; what they say may be anything, and is not shown."""
    kinds = [
        _named(error) if isinstance(error, BaseExceptionGroup) else type(error).__name__ for error in errors.exceptions
    ]
    return " and ".join(dict.fromkeys(kinds))


async def _run(parts: Parts, stop: _Stop, manager: ServiceManager) -> None:
    """Run the tasks until the order to stop; then let lanes settle what is in flight while stations are closed."""
    async with asyncio.TaskGroup() as group:

        def keep(name: str, run: Run) -> asyncio.Task[None]:
            return group.create_task(parts.watch.keep(name, run), name=f"keep {name}")

        moving = [
            keep(TICKER, parts.ticker.run),
            keep("enforcer", parts.enforcer.run),
            keep("events", parts.services.events.run),
            keep("credentials", parts.credentials.run),
            keep("listener certificates", parts.listeners.run),
            keep("newcomers", parts.newcomers.run),
            keep("watch", parts.watch.run),
            keep("loop lag", parts.lag.run),
            keep("retention", parts.retention.run),
            keep("database marks", parts.marks.run),
            keep("key uses", parts.services.key_ring.run),
        ]
        if parts.gathering is not None:
            moving.append(keep("gathering", parts.gathering.run))
        lanes = [keep(lane_task(name), lane.run) for name, lane in parts.lanes]
        if parts.wire_log is not None:
            keep("wire log", parts.wire_log.run)
        if manager.patience is not None:
            moving.append(keep("signs of life", lambda: manager.keep_alive(parts.waited)))
        await stop.event.wait()
        log.info("bridge_stopping")
        parts.services.stopping = True
        manager.stopping()
        parts.watch.stop()
        for task in moving:
            task.cancel()
        for _, lane in parts.lanes:
            lane.stop()
        closing = [
            group.create_task(parts.web.close(), name="close web"),
            group.create_task(parts.central.stop(), name="close stations"),
        ]
        if lanes:
            await asyncio.wait(lanes, timeout=_LANES_STOP.total_seconds())
        for task in lanes:
            task.cancel()
        await asyncio.wait(closing)
        if parts.wire_log is not None:
            parts.wire_log.stop()
