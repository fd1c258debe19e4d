"""Tell clients what changes, from what is committed. Implements `bridge.web.event_services`.

One task reads how the things stand that were noticed since it read last, a few times a second at most and only while
somebody listens, and puts what it finds into every client's mailbox. It reads behind every commit that was on its way
when it was woken. Before it: `noticed`. After it: `core.feed`; the web and the command line, one stream each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from bridge.app.evse_lookup import evse_meant
from bridge.app.noticed import Noticed, Noticing
from bridge.app.shown import delivery_item
from bridge.core.feed import EventName, Interest, Mailbox, Notice, Ring, reset
from bridge.core.model import AccountName, Moment
from bridge.core.modes import Mode, effective_mode
from bridge.settings import Settings
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.event_readings import (
    ChangedEvse,
    LaneMark,
    pass_commits,
    read_changed_evses,
    read_changed_stations,
    read_lane_marks,
)
from bridge.store.writer import Writer
from bridge.web.event_services import Event, EventWish
from bridge.web.event_shapes import (
    DeliveryEvent,
    ResetEvent,
    StationEvent,
    StatusEvent,
    TemporaryEvent,
    UpstreamEvent,
)
from bridge.web.services import NotFound, NotRunning, Unavailable
from bridge.web.shapes import Shape, UpstreamList

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """How much of the bridge its listeners may hold."""

    streams: int = 250
    """At once; one more is refused."""
    kept: int = 2000
    """Notices for who comes back, and at most so many that one client has not taken."""
    many: int = 500
    """Things that changed between two readings; of more nothing is read, and everybody reads everything anew."""
    pace: timedelta = timedelta(milliseconds=200)
    """Shortest time between two readings."""
    look: timedelta = timedelta(seconds=5)
    """How often accounts are read though nothing was noticed: a lag grows by itself."""
    accounts_pace: timedelta = timedelta(seconds=1)
    """Shortest time between two readings of how accounts do, which cost with the number of rows."""
    stays: timedelta = timedelta(minutes=1)
    """How long changes are collected after the last client has gone: it may come back."""
    again: timedelta = timedelta(seconds=1)
    """Where storage failed, so long to the next try."""


class _Client:
    """One stream."""

    def __init__(self, mailbox: Mailbox, generation: Callable[[], str]) -> None:
        self._mailbox = mailbox
        self._generation = generation
        self._woken = asyncio.Event()

    def put(self, notice: Notice) -> None:
        if self._mailbox.put(notice):
            self._woken.set()

    async def next(self, wait: timedelta) -> Event | None:
        """Return the next event, or None where none came in time."""
        if not self._mailbox:
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait.total_seconds()):
                    await self._woken.wait()
        notice = self._mailbox.take()
        return None if notice is None else Event(f"{self._generation()}-{notice.number}", notice.name, notice.data)


class StoreEvents:
    """The streams of this process."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        writer: Writer,
        noticing: Noticing | None,
        *,
        clock: Callable[[], Moment],
        new_generation: Callable[[], str],
        upstreams: Callable[[], Awaitable[UpstreamList]],
        options: FeedOptions | None = None,
        went_round: Callable[[timedelta], None] = lambda _patience: None,
    ) -> None:
        """`noticing` None: the bridge is stopped. `new_generation` makes a name that no other process has."""
        self._settings = settings
        self._store = store
        self._writer = writer
        self._noticing = noticing
        self._clock = clock
        self._new_generation = new_generation
        self._upstreams = upstreams
        self._options = options or FeedOptions()
        self._went_round = went_round
        self._generation = new_generation()
        self._number = 0
        self._ring = Ring(self._options.kept)
        self._clients: set[_Client] = set()
        self._joined: set[_Client] = set()
        self._left_at: datetime | None = None
        self._accounts_at: datetime | None = None
        self._shown: dict[str, UpstreamEvent] = {}
        self._waiting_for_storage = False

    # --- streams ----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def follow(self, wish: EventWish, last_id: str | None) -> AsyncIterator[_Client]:
        """Open a stream. Raises: NotFound, NotRunning, Unavailable."""
        noticing = self._noticing
        if noticing is None:
            raise NotRunning("only a running bridge tells what changes: it is stopped")
        interest = await self._interest(wish)
        if len(self._clients) >= self._options.streams:
            raise Unavailable(f"{self._options.streams} clients are told what changes already: try again later")
        client = _Client(Mailbox(interest, self._options.kept), lambda: self._generation)
        missed = self._missed(last_id) if noticing.listening else None
        noticing.listening = True
        self._clients.add(client)
        if missed is None:
            self._joined.add(client)
            noticing.woken.set()
        for notice in missed or ():
            client.put(notice)
        try:
            yield client
        finally:
            self._clients.discard(client)
            self._joined.discard(client)
            self._left_at = self._clock().steady

    def _missed(self, last_id: str | None) -> tuple[Notice, ...] | None:
        """Return what followed an event that was told; None where that is not known."""
        generation, _, number = (last_id or "").rpartition("-")
        if generation != self._generation or not (number.isascii() and number.isdigit() and len(number) < 19):
            return None
        return None if int(number) > self._number else self._ring.after(int(number))

    async def _interest(self, wish: EventWish) -> Interest:
        if wish.account is not None and wish.account not in self._settings.accounts:
            raise NotFound("account", wish.account)
        evse_id = station = ""
        if wish.evse_id is not None:
            question = partial(evse_meant, spelling=wish.evse_id, operators=wish.operators)
            try:
                async with self._store.read() as connection:
                    found = await connection.run_sync(question)
            except StoreError as error:
                raise Unavailable(str(error)) from error
            evse_id, station = found.evse_id, found.station
        return Interest(wish.names, evse_id, station, wish.account or "", wish.operators)

    # --- the task ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read and tell until cancelled. Raises: StoreError where storage is broken for good."""
        noticing, options = self._noticing, self._options
        if noticing is None:
            raise AssertionError("a stopped bridge tells nobody")
        while True:
            self._went_round(options.look + timedelta(seconds=30))
            with suppress(TimeoutError):
                async with asyncio.timeout(options.look.total_seconds()):
                    await noticing.woken.wait()
            noticing.woken.clear()
            if not noticing.listening:
                continue
            rest = options.pace if await self._round(noticing) else options.again
            self._stop_listening(noticing)
            await asyncio.sleep(rest.total_seconds())

    def _stop_listening(self, noticing: Noticing) -> None:
        """Collect nothing any more once the last client has been gone for a while."""
        if self._clients or self._left_at is None or self._clock().steady - self._left_at < self._options.stays:
            return
        noticing.listening = False
        noticing.take()
        self._generation = self._new_generation()
        self._ring.clear(self._number)
        self._shown.clear()

    async def _round(self, noticing: Noticing) -> bool:
        """Tell how everything stands that was noticed; return whether it could be read."""
        joined, self._joined = self._joined, set()
        noticed = noticing.take()
        try:
            await self._writer.submit(pass_commits, None)
            for client in joined:
                client.put(reset(self._number, "connected"))
            await self._tell(noticed)
        except (StoreError, Unavailable) as error:
            self._joined |= joined & self._clients
            noticing.everything("the database could not be read for a while")
            self._log_storage(str(error))
            return False
        self._log_storage(None)
        return True

    async def _tell(self, noticed: Noticed) -> None:
        if not noticed.everything and len(noticed) > self._options.many:
            noticed.everything = f"{len(noticed)} things changed at once"
        if noticed.everything:
            self._publish(EventName.RESET, "", ResetEvent(why=noticed.everything))
        else:
            await self._tell_each(noticed)
        await self._tell_accounts(noticed)

    async def _tell_each(self, noticed: Noticed) -> None:
        at = self._clock()
        keys = noticed.evses | {key for key, _ in noticed.temporaries.values()}
        async with self._store.read() as connection:
            evses = await read_changed_evses(connection, keys, at.steady) if keys else []
            lanes = await read_lane_marks(connection) if keys else {}
            stations = await read_changed_stations(connection, noticed.stations) if noticed.stations else []
        for evse in evses:
            if evse.key in noticed.evses:
                self._tell_evse(evse, lanes, at)
        for station in stations:
            self._publish(
                EventName.STATION,
                station.station,
                StationEvent(id=station.station, connected=station.connected),
                station=station.station,
                operators=station.operators,
            )
        named = {evse.key: evse for evse in evses}
        for number, (key, what) in noticed.temporaries.items():
            if (found := named.get(key)) is not None:
                self._publish(
                    EventName.TEMPORARY,
                    str(number),
                    TemporaryEvent(id=number, evse_id=found.evse_id, what=what),
                    evse_id=found.evse_id,
                    operators=frozenset({found.operator}),
                )

    def _tell_evse(self, evse: ChangedEvse, lanes: Mapping[AccountName, LaneMark], at: Moment) -> None:
        operators = frozenset({evse.operator})
        status = StatusEvent(
            evse_id=evse.evse_id, status=evse.status, live=evse.live, rule=evse.rule, changed_at=evse.changed_at
        )
        self._publish(EventName.STATUS, evse.evse_id, status, evse_id=evse.evse_id, operators=operators)
        for delivery in evse.deliveries:
            configured = self._settings.accounts.get(delivery.account)
            if configured is None:
                continue
            lane = lanes.get(delivery.account, LaneMark(None, None))
            mode = effective_mode(configured.mode, None if lane.mode is None else Mode(lane.mode))
            item = delivery_item(delivery, mode, lane.held is not None, at.steady)
            shown = DeliveryEvent(
                account=delivery.account,
                evse_id=evse.evse_id,
                desired=item.desired,
                acked=item.acked,
                acked_at=item.acked_at,
                state=item.state,
                why=item.why,
            )
            self._publish(
                EventName.DELIVERY,
                f"{delivery.account} {evse.evse_id}",
                shown,
                evse_id=evse.evse_id,
                account=delivery.account,
                operators=operators,
            )

    async def _tell_accounts(self, noticed: Noticed) -> None:
        """Tell how accounts do: those that were noticed about once a second, all of them now and then."""
        steady, options = self._clock().steady, self._options
        since = None if self._accounts_at is None else steady - self._accounts_at
        if since is not None and since < (options.accounts_pace if noticed.accounts else options.look):
            if noticed.accounts and self._noticing is not None:
                for account in noticed.accounts:
                    self._noticing.account(account)
            return
        self._accounts_at = steady
        for item in (await self._upstreams()).items:
            shown = UpstreamEvent.model_validate(item.model_dump(include=set(UpstreamEvent.model_fields)))
            before = self._shown.get(item.name)
            if shown == before:
                continue
            self._shown[item.name] = shown
            if before is not None and (before.mode, before.held is None) != (shown.mode, shown.held is None):
                why = f"{item.name} is {shown.mode}{'' if shown.held is None else ', and held'} now"
                self._publish(EventName.RESET, "", ResetEvent(why=why))
            self._publish(EventName.UPSTREAM, item.name, shown, account=item.name, operators=self._served_by(item.name))

    def _served_by(self, account: str) -> frozenset[str]:
        """Return the operators whose EVSEs an account shows."""
        return frozenset(name for name, table in self._settings.operators.items() if account in table.accounts)

    def _publish(
        self,
        name: EventName,
        key: str,
        data: Shape,
        *,
        evse_id: str = "",
        account: str = "",
        station: str = "",
        operators: frozenset[str] | None = None,
    ) -> None:
        self._number += 1
        notice = Notice(self._number, name, key, data.model_dump_json(), evse_id, account, station, operators)
        self._ring.add(notice)
        for client in self._clients:
            client.put(notice)

    def _log_storage(self, error: str | None) -> None:
        """One line when storage fails, one when it is back."""
        if error is not None and not self._waiting_for_storage:
            log.warning("events_waiting_for_storage", why=error)
        if error is None and self._waiting_for_storage:
            log.info("events_storage_recovered")
        self._waiting_for_storage = error is not None
