"""Run charging stations: a session per connection, the newest of each station; start and stop in order.

Never reads an OCPP message. Before it: `listeners`, and `admission`, which lets handshakes through. After it:
`session`, one per connection; `connections` decides which one lives.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from websockets.asyncio.server import ServerConnection

from csms import operator_calls, schemas
from csms.admission import Admission, station_socket
from csms.calls import Host
from csms.commands import CallIds
from csms.connected import ConnectedStation, connected_station
from csms.connections import Connections
from csms.doorway import ListenerTls
from csms.events import (
    ChangeAnswer,
    ChangeOutcome,
    ConnectorAddress,
    StationId,
)
from csms.flapping import CALM_AFTER, Flapping
from csms.flapping_watch import FlappingWatch
from csms.guests import guest_host
from csms.keepalive import keep_alive
from csms.keys import KeyCheck
from csms.listeners import Listeners, ListenFailed
from csms.operator_calls import CallAnswer
from csms.options import ServerOptions
from csms.ports import Attempts, Counter, Newcomers, Recorder, Registry, Replies, WireLog
from csms.quirks import Quirks
from csms.reconnects import Reconnects, calmer
from csms.session import Session
from csms.unknown import Strangers

__all__ = ["CentralSystem", "ConnectedStation", "ListenFailed", "ServerOptions"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CentralSystem:
    """The OCPP server: `start` it, look at `connected`, `stop` it; once."""

    def __init__(
        self,
        options: ServerOptions,
        registry: Registry,
        recorder: Recorder,
        replies: Replies,
        counter: Counter,
        pepper: bytes,
        *,
        newcomers: Newcomers | None = None,
        attempts: Attempts | None = None,
        calm_after: timedelta = CALM_AFTER,
        clock: Callable[[], datetime] = _utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        wire_log: WireLog | None = None,
    ) -> None:
        """Use `pepper` for the credentials' digests, and `jitter` for numbers in [0, 1).

        Without `newcomers` every unknown station is rejected. `calm_after` is how long a station must not have flapped.
        """
        self._options = options
        self._counter = counter
        self._clock = clock
        self._monotonic = monotonic
        self._jitter = jitter
        self._host = Host(recorder, replies, counter, CallIds(), monotonic, clock, wire_log)
        self._guest_host = None if newcomers is None else guest_host(self._host, newcomers)
        self._connections: Connections[Session] = Connections()
        self._guests: Connections[Session] = Connections()
        self._flapping = FlappingWatch(counter, monotonic, self._own, calm_after)
        self._reconnects = Reconnects()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keys = KeyCheck(pepper)
        self._admission = Admission(
            options,
            registry,
            recorder,
            counter,
            self._keys,
            self._connections,
            Strangers(options, newcomers, pepper),
            attempts,
            clock=clock,
            monotonic=monotonic,
            own=self._own,
        )
        self._listeners = Listeners(options, counter, attempts, own=self._own)
        self._log: structlog.stdlib.BoundLogger = structlog.get_logger()

    # --- for the host -------------------------------------------------------------------------------------------------

    async def start(self) -> int:
        """Listen on every listener, and return the first one's port; `ports` has all.

        Raises: ListenFailed, an OSError that names the listener: its address cannot be used, and none listens.
        """
        await asyncio.to_thread(schemas.load)  # a third of a second, which no station is to wait for
        await self._listeners.start(self._on_station, self._admission)
        pings = keep_alive(self._sessions, self._options.ping_interval, self._monotonic, self._counter)
        self._own(asyncio.create_task(pings, name="ping stations"))
        ports = self._listeners.ports
        self._log.info("server_started", listeners=dict(ports))
        return next(iter(ports.values()))

    @property
    def ports(self) -> Mapping[str, int]:
        """The port of each listener that listens."""
        return self._listeners.ports

    def reload_tls(self, listener: str, tls: ListenerTls) -> None:
        """Let a listener's handshakes use this from now on; open sessions stay. Before `start`, for each TLS listener.

        Raises: KeyError: there is no such listener.
        """
        self._listeners.reload_tls(listener, tls)

    async def stop(self) -> None:
        """Stop accepting, answer what is in work, close every socket with 1001; cut what takes longer."""
        if not self._listeners.ports:
            return
        self._listeners.close()
        limit = self._options.stop_timeout.total_seconds()
        closing = [asyncio.create_task(session.stop(), name=f"stop {session.station}") for session in self._sessions()]
        if closing:
            await asyncio.wait(closing, timeout=limit)
        await _cancel([*closing, *self._tasks])
        self._keys.close()
        try:
            async with asyncio.timeout(limit / 2):
                await self._listeners.cut()
        except TimeoutError:
            self._log.warning("server_stop_incomplete", sessions=len(self._connections))
        self._log.info("server_stopped")

    @property
    def connected(self) -> Mapping[StationId, ConnectedStation]:
        """The stations that are connected now, as a copy."""
        takeovers = self._connections.takeovers
        return {
            session.station: connected_station(session, takeovers=takeovers(session.station))
            for session in self._connections
        }

    @property
    def guests(self) -> frozenset[StationId]:
        """The stations in quarantine that are connected now, as they spell themselves."""
        return frozenset(session.station for session in self._guests)

    def flapping(self) -> tuple[Flapping, ...]:
        """Return the stations whose connections replace each other now: two devices with one identity, probably."""
        return self._flapping.flapping()

    async def ask(self, station: StationId) -> None:
        """Send one TriggerMessage(StatusNotification) to a station that is connected but silent; wait for nothing.

        What comes back is noted as every frame is. Does nothing where the station is away, or is being asked already.
        """
        session = self._connections.get(station)
        if session is not None:
            session.probe()

    def is_connected(self, station: StationId) -> bool:
        """Tell whether a socket of the station is open."""
        return self._connections.get(station) is not None

    def connected_ids(self) -> frozenset[StationId]:
        """Return the stations of which a socket is open."""
        return self._connections.stations()

    def quirks_of(self, station: StationId) -> Quirks | None:
        """Return the quirk profiles that apply to a station's connection, and why; None where it is away."""
        session = self._connections.get(station)
        return None if session is None else session.quirks

    async def resync(self, station: StationId) -> None:
        """Ask a station that was lost, and came back on the socket it had, for every connector's status."""
        session = self._connections.get(station)
        if session is not None:
            session.resync()

    async def change_availability(
        self, station: StationId, address: ConnectorAddress, *, operative: bool
    ) -> ChangeAnswer:
        """Ask a station to take one connector (1.6), or one EVSE or connector of it (2.x), in or out of service.

        Never the whole station. AWAY where nothing was sent; every other outcome after the station's answer, or after
        `answer_timeout`. Source: OCPP 1.6 §5.2; OCPP 2.0.1 Part 2, G03.
        """
        session = self._connections.get(station)
        if session is None:
            return ChangeAnswer(ChangeOutcome.AWAY)
        return await session.change_availability(address, operative=operative)

    async def call(
        self,
        station: StationId,
        action: str,
        payload: Mapping[str, Any],
        *,
        timeout: timedelta | None = None,
        force: bool = False,
    ) -> CallAnswer:
        """Send a station one CALL of its OCPP version and return how it ended; every outcome is a value.

        Args:
            station: As the registry spells it.
            action: Any whose request the standard lets us send.
            payload: The request; nothing is sent where its schema refuses it.
            timeout: For the answer, counted from the sending, and as much before that for the station's turn; None:
                `answer_timeout`. At most `LONGEST_TIMEOUT`.
            force: Send it though a quirk profile of the station forbids it.
        """
        session = self._connections.get(station)
        if session is None:
            return operator_calls.AWAY
        wait = self._options.answer_timeout if timeout is None else timeout
        return await session.call(action, payload, min(wait, operator_calls.LONGEST_TIMEOUT), force=force)

    def disconnect(self, station: StationId) -> None:
        """Close the station's session, if there is one: its credential changed, or it left the registry."""
        session = self._connections.get(station)
        if session is not None:
            self._own(asyncio.create_task(session.dismiss(), name=f"dismiss {station}"))

    def dismiss_guests(self, stations: Iterable[StationId]) -> None:
        """Close the sessions of guests, in whatever spelling: they came into the registry, or are to be forgotten."""
        folded = {station.casefold() for station in stations}
        for guest in self._guests:
            if guest.station.casefold() in folded:
                self._own(asyncio.create_task(guest.dismiss(), name=f"dismiss guest {guest.station}"))

    # --- sessions -----------------------------------------------------------------------------------------------------

    async def _on_station(self, connection: ServerConnection) -> None:
        socket = station_socket(connection)
        if socket.claim is None or socket.epoch is None:
            raise AssertionError("an upgraded socket was admitted and recorded by its handshake")
        guest = socket.claim.record.quarantined
        host = self._guest_host if guest else self._host
        if host is None:
            raise AssertionError("without newcomers no guest is admitted")
        connections = self._guests if guest else self._connections
        options = self._options if guest else self._options_for(socket.claim.record.station)
        session = Session(socket, socket.claim, socket.epoch, host, options, since=self._clock(), jitter=self._jitter())
        loser = connections.add(session)
        if loser is session:
            await session.supersede()
            return
        if loser is not None:
            self._take_over(loser, session, guest=guest)
        session.log.info("guest_connected" if guest else "station_connected")
        try:
            await session.run()
        finally:
            if connections.remove(session):
                await session.farewell()
            code, reason = socket.end
            session.log.info("guest_left" if guest else "station_disconnected", code=code, reason=reason)

    def _sessions(self) -> Iterator[Session]:
        """Yield every session, those of guests, too."""
        yield from self._connections
        yield from self._guests

    def _options_for(self, station: StationId) -> ServerOptions:
        return calmer(self._options, self._reconnects.connected(station, self._monotonic()))

    def _take_over(self, loser: Session, winner: Session, *, guest: bool) -> None:
        self._own(asyncio.create_task(loser.supersede(), name=f"close replaced {loser.station} {loser.epoch}"))
        if guest:
            return
        self._counter.count("connection_taken_over", winner.station)
        winner.log.info("connection_taken_over", old_epoch=loser.epoch, old_remote=loser.remote)
        self._flapping.taken_over(loser, winner)

    def _own(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._disown)

    def _disown(self, task: asyncio.Task[None]) -> None:
        """Let go of a task that is over; nobody awaits it, so what ended it is told here."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._counter.count("task_failed")
            self._log.error("task_failed", task=task.get_name(), exc_info=error)


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
