"""Let a station's handshake through or refuse it: authenticate before the upgrade, negotiate, record the connection.

Opens no session. Before it: `server`, for each HTTP request on its port. Beside it: `auth` and `handshake`, which
decide; this module does what they say. After it: `server` again, with a socket that has a claim and an epoch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from csms.auth import Admit, Refuse, Throttle, admit, identity_of
from csms.connections import Connections
from csms.events import AttemptRefused, Epoch, OcppVersion, StationConnected, StationDisconnected
from csms.handshake import Negotiated, from_browser, lacks_connection_header, negotiate
from csms.options import ServerOptions
from csms.ports import Attempts, Counter, EventRefused, NotRecorded, Recorder, Registry, Superseded
from csms.quirks import at_handshake
from csms.session import Session
from csms.unknown import Strangers
from csms.websocket import Claim, StationSocket

_HEALTH_PATH = "/livez"
_STORAGE_DOWN = Refuse(503, "storage is not available", (("Retry-After", "10"),))
_ALIVE = Refuse(409, "this station is connected already, and alive")
_NO_WEBSOCKET = "no WebSocket handshake"
_BROKEN = "a broken WebSocket handshake"


class Admission:
    """Decides about every handshake of one server."""

    def __init__(
        self,
        options: ServerOptions,
        registry: Registry,
        recorder: Recorder,
        counter: Counter,
        pepper: bytes,
        connections: Connections[Session],
        strangers: Strangers,
        attempts: Attempts | None,
        *,
        monotonic: Callable[[], float],
        own: Callable[[asyncio.Task[None]], None],
    ) -> None:
        """`own` keeps a task that outlives its handshake; `connections` are only looked at.

        `strangers` decide about identities that the registry does not know; `attempts` are told of every refusal.
        """
        self._options = options
        self._registry = registry
        self._recorder = recorder
        self._counter = counter
        self._pepper = pepper
        self._connections = connections
        self._strangers = strangers
        self._attempts = attempts
        self._monotonic = monotonic
        self._own = own
        self._throttle = Throttle(limit=options.failures_allowed, window=options.failures_window)
        self._log: structlog.stdlib.BoundLogger = structlog.get_logger()

    async def on_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Decide about a handshake before the upgrade; None lets `websockets` go on with it."""
        socket = station_socket(connection)
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
        socket.abandoned = self.on_abandoned
        _offer(headers, decision.negotiated)
        return None

    async def _decide(self, socket: StationSocket, request: Request) -> Claim | Refuse:
        headers = request.headers
        if from_browser(_first(headers, "Origin"), _first(headers, "Host"), _first(headers, "User-Agent")):
            return Refuse(403, "web pages may not connect here")
        address = _address(socket)
        admitted = await self._authenticate(address, identity_of(request.path), headers)
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
        return Claim(record, negotiated, _remote(socket), admitted.profile, admitted.key_salt)

    async def _authenticate(self, address: str, identity: str | None, headers: Headers) -> Admit | Refuse:
        authorization = headers.get_all("Authorization")
        if identity is None:
            return admit(identity=None, record=None, authorization=(), pepper=self._pepper)
        blocked = self._throttle.blocked(address, identity, self._monotonic())
        if blocked is not None:
            return blocked
        try:
            found = await self._registry.find(identity)
        except NotRecorded:
            return _STORAGE_DOWN
        record = None if found is None else at_handshake(found)
        if record is None:
            offers = headers.get_all("Sec-WebSocket-Protocol")
            stranger = await self._strangers.record_of(identity, address, authorization, offers)
            if isinstance(stranger, Refuse):
                return stranger
            record = stranger
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
        self._tell(socket, request, refusal.status, refusal.reason)
        return _response(socket, refusal)

    def _tell(self, socket: StationSocket, request: Request, status: int, reason: str) -> None:
        """Keep a refused attempt for the operator."""
        if self._attempts is not None:
            identity = identity_of(request.path) or ""
            agent = _first(request.headers, "User-Agent") or ""
            self._attempts.refused(AttemptRefused(identity, _address(socket), status, reason, agent))

    async def on_response(self, connection: ServerConnection, request: Request, response: Response) -> Response | None:
        """Record the connection once the handshake is sure to succeed, and before the station learns of it."""
        socket = station_socket(connection)
        if response.status_code != 101 or socket.claim is None:
            self._tell_of_broken(socket, request, response)
            return None
        claim = socket.claim
        if claim.record.quarantined:
            return self._enter(socket, request, claim)
        connected = StationConnected(
            claim.record.station, claim.negotiated.version, claim.remote, claim.profile, claim.key_salt
        )
        opening = asyncio.create_task(self._recorder.open(connected), name=f"open {claim.record.station}")
        try:
            socket.epoch = await asyncio.shield(opening)
        except NotRecorded:
            return self._refuse(socket, request, _STORAGE_DOWN)
        except asyncio.CancelledError:
            # The handshake ran out of time while the host was committing: what it commits must be taken back.
            self._own(
                asyncio.create_task(self._take_back_late(claim, opening), name=f"take back {claim.record.station}")
            )
            raise
        return None

    def _tell_of_broken(self, socket: StationSocket, request: Request, response: Response) -> None:
        """Keep what `websockets` refused; every refusal of ours is kept already."""
        if socket.claim is not None:
            self._tell(socket, request, response.status_code, _BROKEN)
        elif response.status_code != 200 and not request.headers.get_all("Upgrade"):
            self._tell(socket, request, response.status_code, _NO_WEBSOCKET)

    def _enter(self, socket: StationSocket, request: Request, claim: Claim) -> Response | None:
        """Give a guest its place; nothing of it is recorded before the station learns that it is connected."""
        showed = bool(request.headers.get_all("Authorization"))
        entered = self._strangers.enter(socket, claim, _address(socket), showed_credentials=showed)
        if isinstance(entered, Refuse):
            return self._refuse(socket, request, entered)
        socket.epoch = entered
        return None

    async def _take_back_late(self, claim: Claim, opening: asyncio.Task[Epoch]) -> None:
        try:
            epoch = await opening
        except NotRecorded:
            return
        await self._take_back(claim, epoch)

    async def on_abandoned(self, socket: StationSocket) -> None:
        """Take back a connection that was recorded and whose handshake failed all the same."""
        if socket.claim is not None and socket.epoch is not None and not socket.claim.record.quarantined:
            await self._take_back(socket.claim, socket.epoch)

    async def _take_back(self, claim: Claim, epoch: Epoch) -> None:
        try:
            async with asyncio.timeout(self._options.stop_timeout.total_seconds()):
                await self._recorder.record(StationDisconnected(claim.record.station, epoch))
        except (TimeoutError, NotRecorded, EventRefused, Superseded):
            self._counter.count("disconnect_not_recorded", claim.record.station)


def station_socket(connection: ServerConnection) -> StationSocket:
    """Return the connection as what `create_connection` made of it."""
    if not isinstance(connection, StationSocket):
        raise AssertionError("create_connection makes nothing else")
    return connection


def _address(socket: StationSocket) -> str:
    """Return whose attempt this is: what throttles, networks and lists go by."""
    address: str = socket.remote_address[0]
    return address


def _remote(socket: StationSocket) -> str:
    address, port = socket.remote_address[:2]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def select_subprotocol(connection: ServerConnection, offers: object) -> Subprotocol | None:
    """Return what the claim negotiated, in the station's spelling; None where it offered nothing."""
    claim = station_socket(connection).claim
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
