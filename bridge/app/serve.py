"""Run the bridge: open everything in order, wait until told to stop, close everything in order.

The composition root. One TaskGroup holds every long-lived task, each with a name. Ctrl-C and SIGTERM end it within
10 s: commits in flight finish, sockets close with 1001, a request to a hub that hangs is cut and counts as in doubt.
"""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from bridge.app import options as fill
from bridge.app.attempts import RefusedAttempts
from bridge.app.clock import SystemClock
from bridge.app.counts import Counts
from bridge.app.credentials import Credentials
from bridge.app.listener_certificates import ListenerCertificates, watch_listeners
from bridge.app.listener_items import shown_listeners
from bridge.app.listening import announce, listening
from bridge.app.newcomers import Newcomers
from bridge.app.pepper import ensure_pepper
from bridge.app.plans import accounts_without_data, document_plans
from bridge.app.registry import StoreRegistry
from bridge.app.services import StoreServices
from bridge.app.upstreams import open_upstream
from bridge.app.wakes import Wakes
from bridge.app.wire_services import StoredWireLog, open_wire_log
from bridge.core.model import AccountName
from bridge.edits import CredentialOrder, RefreshOrder, credentials_changed, refresh_documents
from bridge.enforcer import Enforcer, EnforcerOptions
from bridge.intake import Intake
from bridge.lane import AccountLane
from bridge.settings import Settings
from bridge.store.engine import Store, open_store
from bridge.store.errors import StoreBroken, StoreError
from bridge.store.writer import Writer
from bridge.ticker import Ticker
from bridge.web.ports_file import Ports, remove_ports
from bridge.web.server import WebServer, start_web
from bridge.web.services import Unavailable
from bridge.web.shapes import Status
from bridge.web.token import ensure_token
from bridge.wire_log import FileWireLog
from csms.auth import StationKeys
from csms.replies import LocalReplies
from csms.server import CentralSystem

log = structlog.get_logger(__name__)

_LANES_STOP = timedelta(seconds=3)
_WRITER_STOP = timedelta(seconds=3)
_STORE_STOP = timedelta(seconds=5)


Started = Callable[[Ports, Status], None]
"""Is told once that the bridge listens, and what it found."""


def serve(settings: Settings, started: Started | None = None) -> int:
    """Run until Ctrl-C or SIGTERM and return the process's exit code.

    Raises: StoreError, TokenUnusable, PepperUnusable, CredentialUnusable, CannotListen, OSError, each before a
    station is listened to.
    """
    return asyncio.run(_serve(settings, started))


@dataclass(slots=True)
class _Stop:
    """The order to stop, and why where it is a failure."""

    event: asyncio.Event = field(default_factory=asyncio.Event)
    failure: str | None = None

    def ask(self) -> None:
        self.event.set()

    def fail(self, error: StoreBroken) -> None:
        self.failure = str(error)
        self.event.set()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What runs."""

    central: CentralSystem
    newcomers: Newcomers
    ticker: Ticker
    enforcer: Enforcer
    lanes: Sequence[tuple[str, AccountLane]]
    credentials: Credentials
    listeners: ListenerCertificates
    web: WebServer
    counts: Counts
    services: StoreServices
    ports: Ports
    wire_log: FileWireLog | None


async def _serve(settings: Settings, started: Started | None) -> int:
    stop = _Stop()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.ask)
    counts = Counts()
    async with AsyncExitStack() as stack:
        parts = await _unless_stopped(_open(settings, counts, stack, stop), stop)
        if parts is not None:
            for warning in settings.warnings():
                log.warning("configuration_questionable", why=warning)
            await _tell(parts, started)
            _settle_memory()
            await _run(parts, stop)
    if stop.failure is not None:
        print(f"ocpp-bridge: {stop.failure}", file=sys.stderr)
        return 1
    log.info("bridge_stopped", counts=counts.all())
    return 0


def _settle_memory() -> None:
    """Spare the garbage collector what start-up made and what a transaction makes and drops.

    With its usual thresholds it went through everything every few thousand statuses, and stations waited 70 ms for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _unless_stopped(opening: Coroutine[Any, Any, _Parts], stop: _Stop) -> _Parts | None:
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


async def _tell(parts: _Parts, started: Started | None) -> None:
    if started is None:
        return
    try:
        started(parts.ports, await parts.services.status())
    except Unavailable as error:
        log.warning("status_not_shown", why=str(error))


async def _open_store(settings: Settings, stack: AsyncExitStack) -> Store:
    """Open the database and upgrade its schema, in a thread: a lock, a server or a migration may take its time.

    Cancelled, it waits a little for that thread, which then closes what it opened; one that hangs for longer is left
    to end with the process, and what it held ends with it.
    """
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[Store] = loop.create_future()

    def work() -> None:
        settle: Callable[[], None]
        try:
            settle = partial(opened.set_result, _opened(settings))
        except Exception as error:  # noqa: BLE001 - the thread's top: whoever awaits the future gets it
            settle = partial(opened.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waited this long
            loop.call_soon_threadsafe(settle)

    threading.Thread(target=work, name="open-store", daemon=True).start()
    try:
        store = await asyncio.shield(opened)
    except asyncio.CancelledError:
        await asyncio.wait({opened}, timeout=_STORE_STOP.total_seconds())
        if opened.done() and opened.exception() is None:
            await _logged(opened.result().close)
        raise
    stack.push_async_callback(_logged, store.close)
    return store


def _opened(settings: Settings) -> Store:
    store = open_store(settings.store_url, state_dir=settings.state_dir)
    try:
        store.upgrade()
    except BaseException:
        store.engine.dispose()
        store.release()
        raise
    return store


async def _open(settings: Settings, counts: Counts, stack: AsyncExitStack, stop: _Stop) -> _Parts:
    """Open every part in the order of the data's way; `stack` closes them the other way round."""
    store = await _open_store(settings, stack)
    token, pepper = ensure_token(settings.state_dir), ensure_pepper(settings.state_dir)
    writer = Writer(store, on_broken=stop.fail)
    writer.start()
    stack.push_async_callback(_logged, lambda: writer.stop(_WRITER_STOP))

    clock, wakes = SystemClock(), Wakes(asyncio.get_running_loop())
    derive_options = fill.derive_options(settings)
    intake = Intake(writer, clock=clock, node=fill.NODE, options=derive_options, woken=wakes.derived, heard=wakes.heard)
    replies = LocalReplies(clock.wall, fill.reply_options(settings))
    newcomers, attempts = Newcomers(writer, clock), RefusedAttempts(clock)
    stack.push_async_callback(_logged, newcomers.write)
    wire_log = open_wire_log(settings, pepper, counts)
    if wire_log is not None:
        stack.push_async_callback(wire_log.close)
    central = CentralSystem(
        fill.server_options(settings),
        StoreRegistry(store),
        intake,
        replies,
        counts,
        pepper,
        newcomers=newcomers,
        attempts=attempts,
        clock=clock.wall,
        wire_log=None if wire_log is None else wire_log.ring,
    )
    newcomers.connected = lambda: central.guests
    ticker = Ticker(writer, clock=clock, options=fill.ticker_options(settings), woken=wakes.derived, prober=central)
    wakes.ticker = ticker
    await ticker.start()
    stack.push_async_callback(_logged, ticker.stop)
    refresh = RefreshOrder(document_plans(settings), clock(), accounts_without_data(settings))
    await writer.submit(refresh_documents, refresh)
    credentials = Credentials(clock, partial(_probe, writer, wakes, clock))
    wakes.lanes = {
        AccountName(name): await _open_lane(settings, name, writer, clock, stack, credentials)
        for name in settings.accounts
    }
    listeners = watch_listeners(settings, clock, central)
    enforcer = Enforcer(writer, central, clock=clock, jitter=random.random, options=EnforcerOptions())
    wakes.enforcer = enforcer
    services = StoreServices(
        settings,
        store,
        writer,
        clock=clock,
        keys=StationKeys(pepper),
        derive=derive_options,
        wakes=wakes,
        central=central,
        certificates=credentials.certificates,
        listeners=partial(shown_listeners, settings, listeners.certificates, clock),
        counts=counts.all,
        counts_of=counts.of_station,
        newcomers=newcomers,
        attempts=attempts,
        wire_log=StoredWireLog(settings.state_dir, wire_log),
    )
    with listening("web", settings.web.host, settings.web.port):
        web = await start_web(fill.web_options(settings), services, token)
    stack.push_async_callback(web.close)
    with listening("ocpp", settings.ocpp.host, settings.ocpp.port):
        await central.start()
    stack.push_async_callback(central.stop)
    stack.callback(remove_ports, settings.state_dir)
    ports = announce(settings, central.ports, web.port)
    lanes = [(str(name), lane) for name, lane in wakes.lanes.items()]
    return _Parts(
        central, newcomers, ticker, enforcer, lanes, credentials, listeners, web, counts, services, ports, wire_log
    )


async def _probe(writer: Writer, wakes: Wakes, clock: SystemClock, account: AccountName) -> None:
    """Let a held account try its new credential at once; where storage fails it is probed within a minute anyway."""
    try:
        await writer.submit(credentials_changed, CredentialOrder(account, clock()))
    except StoreError as error:
        log.warning("probe_not_ordered", account=account, why=str(error))
    else:
        wakes.account(account)


async def _open_lane(
    settings: Settings,
    name: str,
    writer: Writer,
    clock: SystemClock,
    stack: AsyncExitStack,
    credentials: Credentials,
) -> AccountLane:
    upstream = open_upstream(name, settings, credentials)
    stack.push_async_callback(upstream.close)
    return AccountLane(
        writer,
        upstream,
        clock=clock,
        jitter=random.random,
        node=fill.NODE,
        options=fill.lane_options(settings, name),
    )


async def _run(parts: _Parts, stop: _Stop) -> None:
    """Run the tasks until the order to stop; then let lanes settle what is in flight while stations are closed."""
    async with asyncio.TaskGroup() as group:
        moving = [
            group.create_task(parts.ticker.run(), name="ticker"),
            group.create_task(parts.enforcer.run(), name="enforcer"),
            group.create_task(parts.credentials.run(), name="credentials"),
            group.create_task(parts.listeners.run(), name="listener certificates"),
            group.create_task(parts.newcomers.run(), name="newcomers"),
        ]
        lanes = [group.create_task(lane.run(), name=f"lane {name}") for name, lane in parts.lanes]
        if parts.wire_log is not None:
            group.create_task(parts.wire_log.run(), name="wire log")
        await stop.event.wait()
        log.info("bridge_stopping")
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


async def _logged(close: Callable[[], Awaitable[None]]) -> None:
    """Close a part of the store; that it fails at the very end changes nothing of what is committed."""
    try:
        await close()
    except StoreError as error:
        log.warning("close_failed", why=str(error))
