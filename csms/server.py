"""Accept charging stations: authenticate before the upgrade, negotiate the version, keep the newest connection.

Never reads an OCPP message. Before it: TCP. After it: `session`, one per connection; `auth`, `handshake` and
`connections` decide, this module does what they say.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from csms.auth import Admit, Refuse, Throttle, admit, identity_of
from csms.commands import CallIds
from csms.connections import Connections
from csms.events import Epoch, OcppVersion, StationConnected, StationDisconnected, StationId
from csms.handshake import Negotiated, from_browser, lacks_connection_header, negotiate
from csms.options import ServerOptions
from csms.ports import Counter, EventRefused, NotRecorded, Recorder, Registry, Replies, Superseded
from csms.session import Host, Session
from csms.websocket import Claim, StationSocket

__all__ = ["CentralSystem", "ConnectedStation", "ServerOptions"]

_HEALTH_PATH = "/livez"
_STORAGE_DOWN = Refuse(503, "storage is not available", (("Retry-After", "10"),))
_ALIVE = Refuse(409, "this station is connected already, and alive")
_NO_PINGS = timedelta(0)

# OCPP 2.0.1 Part 4 §3.3: the CSMS SHALL support RFC 7692. Small windows: there may be thousands of stations.
_DEFLATE = ServerPerMessageDeflateFactory(
    server_max_window_bits=9, client_max_window_bits=9, compress_settings={"memLevel": 4}
)


@dataclass(frozen=True, slots=True)
class ConnectedStation:
    """One station that is connected now, for operators."""

    station: StationId
    version: OcppVersion
    remote: str
    since: datetime
    epoch: Epoch
    takeovers: int
    """How often a newer connection replaced a live one since the station was last away."""


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
        clock: Callable[[], datetime] = _utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Use `pepper` for the credentials' digests, and `jitter` for numbers in [0, 1)."""
        self._options = options
        self._registry = registry
        self._counter = counter
        self._pepper = pepper
        self._clock = clock
        self._monotonic = monotonic
        self._jitter = jitter
        self._host = Host(recorder, replies, counter, CallIds(), monotonic)
        self._throttle = Throttle(limit=options.failures_allowed, window=options.failures_window)
        self._connections: Connections[Session] = Connections()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: Server | None = None
        self._log: structlog.stdlib.BoundLogger = structlog.get_logger()

    # --- for the host -------------------------------------------------------------------------------------------------

    async def start(self) -> int:
        """Listen, and return the port. Raises: OSError where the address cannot be used."""
        options = self._options
        self._server = await serve(
            self._on_station,
            options.host,
            options.port,
            process_request=self._on_request,
            process_response=self._on_response,
            select_subprotocol=_select_subprotocol,
            extensions=[_DEFLATE],
            compression=None,
            create_connection=StationSocket,
            server_header=options.server_header,
            open_timeout=options.open_timeout.total_seconds(),
            close_timeout=options.close_timeout.total_seconds(),
            ping_interval=None,
            max_size=options.max_size,
        )
        if options.ping_interval > _NO_PINGS:
            self._own(asyncio.create_task(self._keep_alive(), name="ping stations"))
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        self._log.info("server_started", host=options.host, port=port)
        return port

    async def stop(self) -> None:
        """Stop accepting, answer what is in work, close every socket with 1001; cut what takes longer."""
        if self._server is None:
            return
        self._server.close(close_connections=False)
        limit = self._options.stop_timeout.total_seconds()
        closing = [asyncio.create_task(session.stop(), name=f"stop {session.station}") for session in self._connections]
        if closing:
            await asyncio.wait(closing, timeout=limit)
        await _cancel([*closing, *self._tasks])
        for connection in self._server.connections:
            connection.transport.abort()
        try:
            async with asyncio.timeout(limit / 2):
                await self._server.wait_closed()
        except TimeoutError:
            self._log.warning("server_stop_incomplete", sessions=len(self._connections))
        self._server = None
        self._log.info("server_stopped")

    @property
    def connected(self) -> Mapping[StationId, ConnectedStation]:
        """The stations that are connected now, as a copy."""
        return {
            session.station: ConnectedStation(
                session.station,
                session.version,
                session.remote,
                session.since,
                session.epoch,
                self._connections.takeovers(session.station),
            )
            for session in self._connections
        }

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

    async def resync(self, station: StationId) -> None:
        """Ask a station that was lost, and came back on the socket it had, for every connector's status."""
        session = self._connections.get(station)
        if session is not None:
            session.resync()

    def disconnect(self, station: StationId) -> None:
        """Close the station's session, if there is one: its credential changed, or it left the registry."""
        session = self._connections.get(station)
        if session is not None:
            self._own(asyncio.create_task(session.dismiss(), name=f"dismiss {station}"))

    # --- handshake ----------------------------------------------------------------------------------------------------

    async def _on_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Decide about a handshake before the upgrade; None lets `websockets` go on with it."""
        socket = _station_socket(connection)
        headers = request.headers
        upgrade = headers.get_all("Upgrade")
        if not upgrade:
            # No WebSocket at all: health checks; for the rest `websockets` knows the right answer (426).
            healthy = request.path.partition("?")[0] == _HEALTH_PATH
            return socket.respond(200, "ok\n") if healthy else None
        if lacks_connection_header(upgrade, headers.get_all("Connection")):
            headers["Connection"] = "Upgrade"
            self._counter.count("handshake_without_connection_header")
        decision = await self._decide(socket, request)
        if isinstance(decision, Refuse):
            return self._refuse(socket, request, decision)
        socket.claim = decision
        socket.abandoned = self._on_abandoned
        _offer(headers, decision.negotiated)
        return None

    async def _decide(self, socket: StationSocket, request: Request) -> Claim | Refuse:
        headers = request.headers
        if from_browser(_first(headers, "Origin"), _first(headers, "Host"), _first(headers, "User-Agent")):
            return Refuse(403, "web pages may not connect here")
        address = socket.remote_address[0]
        admitted = await self._authenticate(address, identity_of(request.path), headers.get_all("Authorization"))
        if isinstance(admitted, Refuse):
            return admitted
        record = admitted.record
        negotiated = negotiate(headers.get_all("Sec-WebSocket-Protocol"), record.default_version)
        if isinstance(negotiated, Refuse):
            return negotiated
        live = self._connections.get(record.station)
        # Nobody proved anything: whoever is there first and alive stays.
        if record.credential is None and live is not None and await live.alive():
            return _ALIVE
        return Claim(record, negotiated, _remote(socket))

    async def _authenticate(self, address: str, identity: str | None, authorization: list[str]) -> Admit | Refuse:
        if identity is None:
            return admit(identity=None, record=None, authorization=(), pepper=self._pepper)
        blocked = self._throttle.blocked(address, identity, self._monotonic())
        if blocked is not None:
            return blocked
        try:
            record = await self._registry.find(identity)
        except NotRecorded:
            return _STORAGE_DOWN
        decision = admit(identity=identity, record=record, authorization=authorization, pepper=self._pepper)
        match decision:
            case Admit():
                self._throttle.succeeded(address, identity)
            case Refuse(401):
                self._throttle.failed(address, identity, self._monotonic())
        return decision

    def _refuse(self, socket: StationSocket, request: Request, refusal: Refuse) -> Response:
        self._counter.count(f"handshake_refused_{refusal.status}")
        self._log.info(
            "handshake_refused",
            status=refusal.status,
            reason=refusal.reason,
            path=request.path.partition("?")[0][:256],
            remote=_remote(socket),
        )
        return _response(socket, refusal)

    async def _on_response(self, connection: ServerConnection, request: Request, response: Response) -> Response | None:
        """Record the connection once the handshake is sure to succeed, and before the station learns of it."""
        socket = _station_socket(connection)
        if response.status_code != 101 or socket.claim is None:
            return None
        claim = socket.claim
        connected = StationConnected(claim.record.station, claim.negotiated.version, claim.remote)
        try:
            socket.epoch = await self._host.recorder.open(connected)
        except NotRecorded:
            return self._refuse(socket, request, _STORAGE_DOWN)
        return None

    async def _on_abandoned(self, socket: StationSocket) -> None:
        """Take back a connection that was recorded and whose handshake failed all the same."""
        if socket.claim is None or socket.epoch is None:
            return
        try:
            async with asyncio.timeout(self._options.stop_timeout.total_seconds()):
                await self._host.recorder.record(StationDisconnected(socket.claim.record.station, socket.epoch))
        except (TimeoutError, NotRecorded, EventRefused, Superseded):
            self._counter.count("disconnect_not_recorded", socket.claim.record.station)

    # --- sessions -----------------------------------------------------------------------------------------------------

    async def _on_station(self, connection: ServerConnection) -> None:
        socket = _station_socket(connection)
        if socket.claim is None or socket.epoch is None:
            raise AssertionError("an upgraded socket was admitted and recorded by its handshake")
        session = Session(
            socket, socket.claim, socket.epoch, self._host, self._options, since=self._clock(), jitter=self._jitter()
        )
        loser = self._connections.add(session)
        if loser is session:
            await session.supersede()
            return
        if loser is not None:
            self._take_over(loser, session)
        session.log.info("station_connected")
        try:
            await session.run()
        finally:
            if self._connections.remove(session):
                await session.farewell()
            session.log.info("station_disconnected", code=socket.close_code, reason=socket.close_reason)

    def _take_over(self, loser: Session, winner: Session) -> None:
        self._counter.count("connection_taken_over", winner.station)
        moved = _host_of(loser.remote) != _host_of(winner.remote)
        if moved:
            self._counter.count("connection_taken_over_by_other_address", winner.station)
        winner.log.info("connection_taken_over", old_epoch=loser.epoch, old_remote=loser.remote)
        self._own(asyncio.create_task(loser.supersede(), name=f"close replaced {loser.station} {loser.epoch}"))

    async def _keep_alive(self) -> None:
        """Ping every station once per interval, each at its own moment."""
        interval = self._options.ping_interval.total_seconds()
        while True:
            await asyncio.sleep(interval / 10)
            try:
                self._ping_due(interval)
            except Exception:  # noqa: BLE001 - the loop's top: no socket may end the pings of the others
                self._log.exception("ping_failed")
                self._counter.count("ping_failed")

    def _ping_due(self, interval_s: float) -> None:
        now = self._monotonic()
        for session in self._connections:
            if now - session.pinged_at >= interval_s:
                session.ping(now)

    def _own(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _station_socket(connection: ServerConnection) -> StationSocket:
    if not isinstance(connection, StationSocket):
        raise AssertionError("create_connection makes nothing else")
    return connection


def _remote(socket: StationSocket) -> str:
    address, port = socket.remote_address[:2]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _select_subprotocol(connection: ServerConnection, offers: object) -> Subprotocol | None:
    claim = _station_socket(connection).claim
    spelling = None if claim is None else claim.negotiated.spelling
    return None if spelling is None else Subprotocol(spelling)


def _offer(headers: Headers, negotiated: Negotiated) -> None:
    """Leave in the request what was chosen, so that what devices write around it cannot fail the handshake."""
    if "Sec-WebSocket-Protocol" in headers:
        del headers["Sec-WebSocket-Protocol"]
    if negotiated.spelling is not None:
        headers["Sec-WebSocket-Protocol"] = negotiated.spelling
    # OCPP-J 1.6 §5.1 recommends no compression; it costs memory, and clients with context takeover get it wrong.
    if negotiated.version is OcppVersion.V16 and "Sec-WebSocket-Extensions" in headers:
        del headers["Sec-WebSocket-Extensions"]


def _first(headers: Headers, name: str) -> str | None:
    values = headers.get_all(name)
    return values[0] if values else None


def _response(socket: StationSocket, refusal: Refuse) -> Response:
    response = socket.respond(refusal.status, f"{refusal.reason}\n")
    for name, value in refusal.headers:
        response.headers[name] = value
    return response


def _host_of(remote: str) -> str:
    return remote.rpartition(":")[0]
