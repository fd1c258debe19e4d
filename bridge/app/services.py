"""Answer operators' questions and carry out their orders over the open store. Implements `bridge.web.services`.

Reads go to the store's read connections; every order is an item of the one writer. Before it: `web`, or the command
line with the bridge stopped. After it: `store.readings`, `edits`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from importlib.metadata import version as installed
from secrets import token_hex
from typing import Protocol

from bridge.app import options as fill
from bridge.app.attempts import RefusedAttempts
from bridge.app.belonging import owns
from bridge.app.delivery_services import StoreDeliveries
from bridge.app.event_services import StoreEvents
from bridge.app.evse_services import EvseServices, Lanes
from bridge.app.explanations import StoreExplanations
from bridge.app.follow import Follow, Sessions
from bridge.app.full_load_services import FullLoadServices
from bridge.app.health import health_of, not_sending, readiness_of, task_warnings
from bridge.app.history import StoreHistory
from bridge.app.inventory_edits import StoreInventoryEdits
from bridge.app.inventory_services import InventoryServices
from bridge.app.key_ring import StoreKeyRing
from bridge.app.key_services import StoreKeys
from bridge.app.listener_items import listener_warnings
from bridge.app.listing_services import ListingServices
from bridge.app.newcomers import Newcomers
from bridge.app.overview_services import StoreOverviews
from bridge.app.plans import document_plans, mirror_plans, mirrors
from bridge.app.quarantine_services import StoreQuarantine
from bridge.app.quirk_services import StoreQuirks
from bridge.app.station_services import Central, StoreStations
from bridge.app.stations_shown import flapping_warnings
from bridge.app.sync_services import SyncServices
from bridge.app.temporary_services import StoreTemporaries
from bridge.app.upstreams_shown import certificate_item, certificate_warnings, upstream_item, values_shown
from bridge.app.wakes import Wakes
from bridge.app.wire_services import StoredWireLog
from bridge.core.model import AccountName, Moment
from bridge.core.modes import Mode
from bridge.derive import DeriveOptions
from bridge.edits import ModeOrder, set_modes
from bridge.passing import note
from bridge.settings import Account, OicpAccount, Settings
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.lane_readings import LaneReading, read_lanes
from bridge.store.previews import preview, preview_documents, totals
from bridge.store.writer import Writer
from bridge.upstreams.certificates import Certificate
from bridge.web.health_shapes import Health, Readiness, Status
from bridge.web.meters import Meters
from bridge.web.services import Conflict, NotFound, Unavailable
from bridge.web.shapes import ListenerItem, UpstreamItem, UpstreamList, UpstreamPreview
from bridge.web.task_shapes import LoopLag, TaskItem
from csms.auth import StationKeys
from csms.events import StationId
from csms.flapping import Flapping
from csms.quirks import Quirks

_HUNG = timedelta(seconds=30)
"""A batch that takes so long is not asked again: each question would wait behind it."""


class Stations(Central, Sessions, Protocol):
    """What the services need of the OCPP side: `csms.server.CentralSystem`."""

    def flapping(self) -> Sequence[Flapping]:
        """Return the stations whose connections replace each other now."""
        ...

    def quirks_of(self, station: StationId) -> Quirks | None:
        """Return the quirk profiles of the station's connection; None where it is away."""
        ...


class StoreServices(EvseServices, InventoryServices, ListingServices, FullLoadServices, SyncServices):
    """The services of this process. `central` is None where no station is listened to."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        writer: Writer,
        *,
        clock: Callable[[], Moment],
        keys: StationKeys,
        derive: DeriveOptions,
        wakes: Wakes,
        central: Stations | None,
        certificates: Callable[[], Mapping[str, Certificate]] = dict,
        listeners: Callable[[], Sequence[ListenerItem]] = tuple,
        counts: Callable[[], Mapping[str, int]] = dict,
        counts_of: Callable[[StationId], Mapping[str, int]] = lambda _: {},
        newcomers: Newcomers | None = None,
        attempts: RefusedAttempts | None = None,
        wire_log: StoredWireLog | None = None,
        tasks: Callable[[], tuple[TaskItem, ...]] = tuple,
        lag: Callable[[], LoopLag | None] = lambda: None,
        meters: Meters | None = None,
        told: Callable[[timedelta], None] = lambda _patience: None,
    ) -> None:
        """`certificates` gives each account's certificate now; `counts` what was counted, `counts_of` of one.

        `told` hears of each round of the task that tells what changes.
        """
        self._tasks = tasks
        self._lag = lag
        self._settings = settings
        self._store = store
        self._writer = writer
        self._clock = clock
        self._keys = keys
        self._derive = derive
        self._documents = document_plans(settings)
        self._wakes = wakes
        self._central = central
        self._connected = lambda: () if central is None else central.connected.keys()
        self._certificates = certificates
        self._listeners = listeners
        self._counts = counts
        self.wire_log = wire_log or StoredWireLog(settings.state_dir, None)
        self._started_at = clock().now if central is not None else None
        self.quirks = StoreQuirks(store, central)
        self.meters = meters
        self.stopping = False
        self.deliveries = StoreDeliveries(settings, store, writer, clock=clock, wakes=wakes)
        self.temporaries = StoreTemporaries(
            store,
            writer,
            clock=clock,
            derive=derive,
            wakes=wakes,
            enforced=settings.temporary.enforce,
            documents=mirror_plans(settings),
            mirrors=mirrors(settings),
        )
        self.key_ring = StoreKeyRing(store, writer, clock)
        self.api_keys = StoreKeys(store, writer, self.key_ring, clock, settings.operators)
        self.stations = StoreStations(store, writer, clock=clock, keys=keys, central=central, counts=counts_of)
        self.explanations = StoreExplanations(settings, store, clock=clock, derive=derive)
        self.history = StoreHistory(store, clock=clock)
        self.events = StoreEvents(
            settings,
            store,
            writer,
            wakes.noticing if central is not None else None,
            clock=clock,
            new_generation=partial(token_hex, 6),
            upstreams=self.list_upstreams,
            went_round=told,
        )
        self.overviews = StoreOverviews(
            store, clock, self, self._upstream_items, lambda: {} if central is None else central.connected
        )
        self._follow = Follow(wakes, central)
        self.inventory_edits = StoreInventoryEdits(
            settings,
            store,
            writer,
            clock=clock,
            keys=keys,
            derive=derive,
            documents=self._documents,
            follow=self._follow,
        )
        self.quarantine = StoreQuarantine(
            settings,
            store,
            writer,
            clock=clock,
            keys=keys,
            derive=derive,
            documents=self._documents,
            follow=self._follow,
            newcomers=newcomers,
            attempts=attempts,
        )

    async def status(self) -> Status:
        """Return the bridge at a glance. Raises: Unavailable."""
        try:
            async with self._store.read() as connection:
                counted = await connection.run_sync(totals)
                lanes = {lane.account: lane for lane in await read_lanes(connection, self._clock().steady)}
        except StoreError as error:
            raise Unavailable(str(error)) from error
        upstreams, listeners, tasks = self._upstream_items(lanes), tuple(self._listeners()), self._tasks()
        flapping = () if self._central is None else self._central.flapping()
        return Status(
            version=installed("ocpp-bridge"),
            started_at=self._started_at,
            stations=counted.stations,
            connected=0 if self._central is None else len(self._central.connected),
            evses=counted.evses,
            effective=counted.effective,
            upstreams=upstreams,
            listeners=listeners,
            warnings=(
                *self._settings.warnings(),
                *certificate_warnings(upstreams),
                *listener_warnings(listeners),
                *flapping_warnings(flapping),
                *task_warnings(tasks),
            ),
            quarantined=await self.quarantine.count(),
            refused_stations=self.quarantine.refused_recently(),
            counts=dict(self._counts()),
            tasks=tasks,
            loop_lag=self._lag(),
        )

    async def ready(self) -> Readiness:
        """Return whether statuses are recorded, and come true; not while the bridge stops."""
        if self.stopping:
            return Readiness(ready=False, why="the bridge is stopping")
        recording = await self._recording()
        return readiness_of(self._tasks()) if recording.ready else recording

    async def _recording(self) -> Readiness:
        """Return whether the writer commits: it is asked to note that we are alive."""
        if (waited := self._writer.waited) > _HUNG:
            return Readiness(ready=False, why=f"the database has not committed for {waited.total_seconds():.0f} s")
        try:
            async with asyncio.timeout(2):
                await self._writer.submit(note, (fill.NODE, self._clock().steady, {}))
        except TimeoutError:
            return Readiness(ready=False, why="the database has not committed for 2 s")
        except StoreError as error:
            return Readiness(ready=False, why=str(error))
        return Readiness(ready=True)

    async def health(self) -> Health:
        """Return how each part of the bridge does."""
        recording, listeners, tasks = await self._recording(), self._listeners(), self._tasks()
        try:
            async with asyncio.timeout(2):
                upstreams = (await self.list_upstreams()).items
        except Unavailable as error:
            return health_of(recording, (), unread=str(error), listeners=listeners, tasks=tasks)
        except TimeoutError:
            unread = "the database has not answered for 2 s"
            return health_of(recording, (), unread=unread, listeners=listeners, tasks=tasks)
        now = self._clock().now
        running = timedelta(0) if self._started_at is None else now - self._started_at
        told = [item for item in upstreams if not_sending(item, now, running)]
        return health_of(
            recording, upstreams, listeners=listeners, tasks=tasks, not_sending=[item.name for item in told]
        )

    async def list_upstreams(self) -> UpstreamList:
        """Return every account of the configuration. Raises: Unavailable."""
        return UpstreamList(items=self._upstream_items(await self._lanes()))

    async def get_upstream(self, name: str) -> UpstreamItem:
        """Return one account. Raises: NotFound, Unavailable."""
        return self._upstream_item(name, self._account(name), await self._lanes())

    async def upstream_preview(self, name: str) -> UpstreamPreview:
        """Return what the account would be sent if it were live now. Raises: NotFound, Unavailable."""
        account = self._account(name)
        lanes = await self._lanes()
        try:
            async with self._store.read() as connection:
                counted = await connection.run_sync(preview, AccountName(name))
                told = fill.lane_options(self._settings, name).documents
                kinds = frozenset() if told is None else told.kinds
                documents = await connection.run_sync(preview_documents, AccountName(name), kinds)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        lane = lanes.get(AccountName(name))
        policy = account.full_load if isinstance(account, OicpAccount) else None
        return UpstreamPreview(
            name=name,
            kind=account.kind,
            mode=self._mode(name, lane),
            total=counted.total,
            known=counted.known,
            unknown=counted.unknown,
            absent=counted.absent,
            values=values_shown(counted.values),
            documents={kind.value: count for kind, count in documents.items()},
            full_load=policy,
            asks_full_load=policy == "confirmed" and not (lane is not None and lane.full_load_confirmed),
            data=counted.data if isinstance(account, OicpAccount) and account.evse_data else None,
            foreign=tuple(id_ for id_ in counted.ids if not owns(account, id_)),
        )

    async def set_mode(self, name: str, mode: Mode, *, confirm_full_load: bool, by: str) -> UpstreamItem:
        """Store an account's mode and return the account. Raises: NotFound, Conflict, Unavailable."""
        account = self._account(name)
        if account.mode is Mode.OFF and mode is not Mode.OFF:
            raise Conflict(f'the configuration forces accounts.{name} off: remove mode = "off" there, and restart')
        order = ModeOrder(AccountName(name), mode, by, confirm_full_load, self._clock())
        try:
            await self._writer.submit(set_modes, order)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        self._wakes.account(AccountName(name))
        self._wakes.everything(f"{name} is {mode} now")
        return self._upstream_item(name, account, await self._lanes())

    def _account(self, name: str) -> Account:
        if name not in self._settings.accounts:
            raise NotFound("account", name)
        return self._settings.accounts[name]

    async def _lanes(self) -> dict[AccountName, LaneReading]:
        try:
            async with self._store.read() as connection:
                return {lane.account: lane for lane in await read_lanes(connection, self._clock().steady)}
        except StoreError as error:
            raise Unavailable(str(error)) from error

    def _upstream_items(self, lanes: Lanes) -> tuple[UpstreamItem, ...]:
        return tuple(self._upstream_item(name, account, lanes) for name, account in self._settings.accounts.items())

    def _upstream_item(self, name: str, account: Account, lanes: Lanes) -> UpstreamItem:
        lane = lanes.get(AccountName(name))
        usage = None if self.meters is None else self.meters.usage(name)
        item = upstream_item(name, account, self._mode(name, lane), lane, usage)
        shown = certificate_item(self._certificates().get(name), self._clock().now)
        return item.model_copy(update={"certificate": shown})
