"""Open every part of the bridge in the order of the data's way, and let each know of those that it needs.

Runs nothing but what a part starts by itself. Before it: `serve`. After it: every other module of the bridge.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from bridge.app import options as fill
from bridge.app.attempts import RefusedAttempts
from bridge.app.clock import SystemClock
from bridge.app.counts import Counts
from bridge.app.credentials import Credentials
from bridge.app.database_marks import DatabaseMarks
from bridge.app.gathering import Gathering
from bridge.app.health import TICKER
from bridge.app.listener_certificates import ListenerCertificates, watch_listeners
from bridge.app.listener_items import shown_listeners
from bridge.app.listening import announce, listening
from bridge.app.loop_lag import LagMeter
from bridge.app.newcomers import Newcomers
from bridge.app.observed import Metered, ObservedRecorder, Observers
from bridge.app.opening import logged, open_in_thread
from bridge.app.ownership import StoreOwnership
from bridge.app.pepper import ensure_pepper
from bridge.app.plans import accounts_without_data, document_plans
from bridge.app.registry import StoreRegistry
from bridge.app.repeats import StoredRepeats
from bridge.app.services import StoreServices
from bridge.app.session_secret import ensure_session_secret
from bridge.app.tracing import observers_of, open_traces
from bridge.app.upstreams import open_upstream
from bridge.app.wakes import Wakes
from bridge.app.watch import Watch
from bridge.app.wire_services import StoredWireLog, open_wire_log
from bridge.core.model import AccountName
from bridge.edits import CredentialOrder, RefreshOrder, credentials_changed, refresh_documents
from bridge.enforcer import Enforcer, EnforcerOptions
from bridge.intake import Intake
from bridge.lane import AccountLane
from bridge.retention import Retention
from bridge.settings import Settings
from bridge.store.errors import StoreError
from bridge.store.writer import Writer
from bridge.ticker import Ticker
from bridge.web.meters import Meters
from bridge.web.ports_file import Ports, remove_ports
from bridge.web.server import WebServer, start_web
from bridge.web.token import ensure_token
from bridge.wire_log import FileWireLog
from csms.auth import StationKeys
from csms.replies import LocalReplies
from csms.server import CentralSystem

log = structlog.get_logger(__name__)

_WRITER_STOP = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Parts:
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
    retention: Retention
    marks: DatabaseMarks
    watch: Watch
    lag: LagMeter
    gathering: Gathering | None
    waited: Callable[[], timedelta]
    """How long the oldest item of the writer has waited."""


async def open_parts(
    settings: Settings, counts: Counts, stack: AsyncExitStack, fatal: Callable[[Exception], None]
) -> Parts:
    """Open every part in the order of the data's way; `stack` closes them the other way round.

    `fatal` is called, on the event loop, with what must end the process: StoreBroken, LaneLost.
    """
    store = await open_in_thread(settings, stack)
    token, pepper = ensure_token(settings.state_dir), ensure_pepper(settings.state_dir)
    store.on_broken = fatal
    writer = Writer(store, on_broken=fatal)
    writer.start()
    stack.push_async_callback(logged, lambda: writer.stop(_WRITER_STOP))

    clock, wakes = SystemClock(), Wakes()
    watch = Watch(clock, waited=lambda: writer.waited, jitter=random.random, fatal=fatal)
    lag = LagMeter(time.monotonic)
    marks = DatabaseMarks(writer, settings.state_dir, clock)
    await marks.begin(settings.status.restart_grace)
    stack.push_async_callback(logged, marks.count)
    derive_options = fill.derive_options(settings)
    intake = Intake(
        writer,
        clock=clock,
        node=fill.NODE,
        options=derive_options,
        woken=partial(writer.once_committed, wakes.derived),
        heard=wakes.heard,
        came_or_went=wakes.station,
    )
    meters = Meters(settings.accounts, time.monotonic)
    traces = open_traces(settings.telemetry)
    if traces is not None:
        stack.push_async_callback(logged, traces.close)
    observers = Observers([Metered(meters), *observers_of(traces)])
    replies = LocalReplies(clock.wall, fill.reply_options(settings))
    newcomers, attempts = Newcomers(writer, clock), RefusedAttempts(clock)
    stack.push_async_callback(logged, newcomers.write)
    wire_log = open_wire_log(settings, pepper, counts)
    if wire_log is not None:
        stack.push_async_callback(wire_log.close)
    central = CentralSystem(
        fill.server_options(settings),
        StoreRegistry(store),
        ObservedRecorder(intake, observers),
        replies,
        counts,
        pepper,
        newcomers=newcomers,
        attempts=attempts,
        clock=clock.wall,
        wire_log=None if wire_log is None else wire_log.ring,
    )
    newcomers.connected = lambda: central.guests
    ticker = Ticker(
        writer,
        clock=clock,
        options=fill.ticker_options(settings),
        woken=partial(writer.once_committed, wakes.derived),
        prober=central,
        went_round=watch.went_round(TICKER),
    )
    wakes.ticker = ticker
    await ticker.start()
    stack.push_async_callback(logged, ticker.stop)
    refresh = RefreshOrder(document_plans(settings), clock(), accounts_without_data(settings))
    await writer.submit(refresh_documents, refresh)
    credentials = Credentials(clock, partial(_probe, writer, wakes, clock))
    wakes.lanes = {
        AccountName(name): await _open_lane(settings, name, writer, clock, stack, credentials, watch, wakes, observers)
        for name in settings.accounts
    }
    listeners = watch_listeners(settings, clock, central)
    enforcer = Enforcer(
        writer,
        central,
        clock=clock,
        jitter=random.random,
        options=EnforcerOptions(),
        went_round=watch.went_round("enforcer"),
    )
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
        tasks=watch.tasks,
        lag=lag.lag,
        meters=meters,
        told=watch.went_round("events"),
    )
    secret = ensure_session_secret(settings.state_dir)
    access = fill.access_options(settings, services.key_ring, StoreOwnership(store), secret, clock.wall)
    repeats = StoredRepeats(writer, clock, pepper)
    await repeats.start()
    with listening("web", settings.web.host, settings.web.port):
        web = await start_web(fill.web_options(settings), services, token, access, repeats)
    stack.push_async_callback(logged, services.key_ring.write)
    stack.push_async_callback(web.close)
    with listening("ocpp", settings.ocpp.host, settings.ocpp.port):
        await central.start()
    stack.push_async_callback(central.stop)
    stack.callback(remove_ports, settings.state_dir)
    ports = announce(settings, central.ports, web.port)
    lanes = [(str(name), lane) for name, lane in wakes.lanes.items()]
    return Parts(
        central=central,
        newcomers=newcomers,
        ticker=ticker,
        enforcer=enforcer,
        lanes=lanes,
        credentials=credentials,
        listeners=listeners,
        web=web,
        counts=counts,
        services=services,
        ports=ports,
        wire_log=wire_log,
        watch=watch,
        lag=lag,
        gathering=Gathering(lambda: writer.thread) if settings.cpu_affinity == "auto" else None,
        retention=Retention(writer, clock, fill.retention_options(settings)),
        marks=marks,
        waited=lambda: writer.waited,
    )


def lane_task(account: str) -> str:
    """Return the name of the task that serves an account."""
    return f"lane {account}"


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
    watch: Watch,
    wakes: Wakes,
    observers: Observers,
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
        went_round=watch.went_round(lane_task(name)),
        settled=wakes.settled,
        told=observers.pushed,
    )
