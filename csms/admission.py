"""Let a station's handshake through or refuse it: authenticate before the upgrade, negotiate, record the connection.

Opens no session. Before it: `listeners`, for each HTTP request. Beside it: `visit`, which gathers what is shown, and
`profiles`, `auth` and `handshake`, which decide; this module does what they say. After it: `server`, with a socket that
has a claim and an epoch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from csms.auth import CHALLENGE, Admit, Refuse, Throttle, identity_of
from csms.connections import Connections
from csms.events import AttemptRefused, Epoch, SecurityProfile, StationConnected, StationDisconnected
from csms.gate import network_of
from csms.handshake import (
    Negotiated,
    assumed,
    compresses,
    from_browser,
    has_hung_up,
    how_to_connect,
    lacks_connection_header,
    negotiate,
    wants_websocket,
    why_unreadable,
    without_login,
)
from csms.keys import KeyCheck
from csms.line import Line
from csms.options import ServerOptions
from csms.ports import Attempts, Counter, EventRefused, NotRecorded, Recorder, Registry, Superseded
from csms.profiles import Login, Presented, weigh
from csms.quirks import at_handshake
from csms.records import StationRecord
from csms.session import Session
from csms.unknown import UNKNOWN, Strangers
from csms.visit import presented_by, stranger
from csms.websocket import Claim, StationSocket

_HEALTH_PATH = "/livez"
_STORAGE_DOWN = Refuse(503, "storage is not available", (("Retry-After", "10"),))
_CROWDED = Refuse(503, "too many stations connect at this moment", (("Retry-After", "30"),))
_ALIVE = Refuse(409, "this station is connected already, and alive")
_WRONG = Refuse(401, "credentials wrong", CHALLENGE)
_TELLING = (401, 403, 404)
"""Answers that depend on whether there is such a station, and on what it is allowed."""
_NO_WEBSOCKET = "no WebSocket handshake"
_NO_HTTP = "no HTTP request"
_BROKEN = "a broken WebSocket handshake"


class Admission:
    """Decides about every handshake of one server."""

    def __init__(
        self,
        options: ServerOptions,
        registry: Registry,
        recorder: Recorder,
        counter: Counter,
        keys: KeyCheck,
        connections: Connections[Session],
        strangers: Strangers,
        attempts: Attempts | None,
        *,
        clock: Callable[[], datetime],
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
        self._keys = keys
        self._connections = connections
        self._clock = clock
        self._strangers = strangers
        self._attempts = attempts
        self._monotonic = monotonic
        self._own = own
        self._line = Line(options.handshakes_at_once)
        self._throttle = Throttle(limit=options.failures_allowed, window=options.failures_window)
        self._log: structlog.stdlib.BoundLogger = structlog.get_logger()

    async def on_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Decide about a handshake before the upgrade; None lets `websockets` go on with it."""
        socket = station_socket(connection)
        if (refusal := stranger(socket)) is not None:
            return self._refuse(socket, request, refusal)
        headers = request.headers
        upgrade = headers.get_all("Upgrade")
        if not upgrade:
            page = self._answer_page(socket, request)
            if request.method == "HEAD":
                page.body = b""  # RFC 9110 §9.3.2; Content-Length still says what GET would bring
            return page
        self._forgive(request, upgrade)
        in_turn = await socket.stand_in(self._line, self._options.line_patience)
        decision = await self._decide(socket, request) if in_turn else _CROWDED
        if isinstance(decision, Refuse):
            return self._refuse(socket, request, decision)
        socket.claim = decision
        socket.abandoned = self.on_abandoned
        compress = compresses(self._options.compression, decision.record.compression, decision.negotiated.version)
        _offer(headers, decision.negotiated, compress=compress)
        return None

    def _answer_page(self, socket: StationSocket, request: Request) -> Response:
        """Answer what is no WebSocket at all: health checks, and people who want to know what this is."""
        if request.path.partition("?")[0] == _HEALTH_PATH:
            return socket.respond(200, "ok\n")
        secure = socket.doorway.options.tls or socket.doorway.options.proxy is not None
        response = socket.respond(426, how_to_connect(_first(request.headers, "Host") or "", secure=secure))
        response.headers["Upgrade"] = "websocket"
        return response

    def _forgive(self, request: Request, upgrade: list[str]) -> None:
        """Mend what devices write wrong and what cannot mean anything else."""
        headers = request.headers
        if lacks_connection_header(upgrade, headers.get_all("Connection")):
            headers["Connection"] = "Upgrade"
            self._counter.count("handshake_without_connection_header")
        if request.protocol == "HTTP/1.0" and wants_websocket(upgrade):
            request.protocol = "HTTP/1.1"
            self._counter.count("handshake_of_http_1_0")

    async def _decide(self, socket: StationSocket, request: Request) -> Claim | Refuse:
        headers = request.headers
        if from_browser(_first(headers, "Origin"), _first(headers, "Host"), _first(headers, "User-Agent")):
            return Refuse(403, "web pages may not connect here")
        presented = presented_by(socket, request, anonymous=self._options.anonymous_station, now=self._clock())
        if isinstance(presented, Refuse):
            return presented
        offers = headers.get_all("Sec-WebSocket-Protocol")
        admitted = await self._authenticate(socket, presented, offers)
        if isinstance(admitted, Refuse):
            return replace(admitted, telling=admitted.status in _TELLING)
        record = admitted.record
        default = assumed(record, self._options.default_version)
        negotiated = negotiate(offers, default)
        if isinstance(negotiated, Refuse):
            return negotiated
        live = self._connections.get(record.station)
        # Nobody proved anything: whoever is there first and alive stays.
        if admitted.profile is SecurityProfile.NONE and live is not None and await live.alive():
            return _ALIVE
        certificate = presented.certificate if admitted.profile is SecurityProfile.TLS_CERTIFICATE else None
        return Claim(record, negotiated, socket.remote, admitted.profile, admitted.key_salt, certificate)

    async def _authenticate(self, socket: StationSocket, presented: Presented, offers: list[str]) -> Admit | Refuse:
        sender, identity = network_of(socket.address), presented.identity
        if not identity:
            return await self._prove(UNKNOWN, presented)
        blocked = self._throttle.blocked(sender, identity, self._monotonic())
        if blocked is not None:
            return blocked
        with self._throttle.trying(sender, identity):
            return await self._try(socket, presented, offers, sender)

    async def _try(self, socket: StationSocket, presented: Presented, offers: list[str], sender: str) -> Admit | Refuse:
        """Look up who it says it is, have it proved, and note how that went."""
        identity = presented.identity
        try:
            found = await self._registry.find(identity)
        except NotRecorded:
            return _STORAGE_DOWN
        record = None if found is None else at_handshake(found)
        decision = await self._prove(await self._weigh(socket, presented, record, offers), presented)
        match decision:
            case Admit():
                self._throttle.succeeded(sender, identity)
            case Refuse(401):
                self._throttle.failed(sender, identity, self._monotonic())
            case Refuse(403 | 404) if self._options.uniform_reject:
                # What looks like a wrong password must also be slowed down like one.
                self._throttle.failed(sender, identity, self._monotonic())
        return decision

    async def _weigh(
        self, socket: StationSocket, presented: Presented, record: StationRecord | None, offers: list[str]
    ) -> Login | Refuse:
        """Weigh what is shown; a station that the registry does not know is what `strangers` make of it."""
        allowed, exact = socket.doorway.options.profiles, self._options.exact_identity
        if record is None:
            found = await self._strangers.record_of(presented.identity, socket.address, presented.authorization, offers)
            if isinstance(found, Refuse):
                return found
            if found.quarantined:
                # A guest has nothing to prove with, on whatever listener it comes.
                return Login(found, SecurityProfile.NONE)
            record = found
        elif exact and record.station != presented.identity:
            return UNKNOWN
        return weigh(presented, record, allowed, exact=exact)

    async def _prove(self, decision: Login | Refuse, presented: Presented) -> Admit | Refuse:
        """Have the password checked that a login still depends on."""
        if isinstance(decision, Refuse):
            if self._options.uniform_reject:
                self._keys.pretend("".join(presented.authorization).encode())
            return decision
        if decision.password is None:
            return Admit(decision.record, decision.profile)
        credential = await self._keys.proves(decision.record, decision.password)
        if credential is None:
            return Refuse(401, "credentials wrong", CHALLENGE)
        return Admit(decision.record, decision.profile, credential.salt)

    def _refuse(self, socket: StationSocket, request: Request, refusal: Refuse) -> Response:
        self._counter.count(f"handshake_refused_{refusal.status}")
        self._log.info(
            "handshake_refused",
            status=refusal.status,
            reason=refusal.reason,
            path=without_login(request.path.partition("?")[0])[:256],
            remote=socket.remote,
            listener=socket.doorway.options.name,
        )
        self._tell(socket, request, refusal.status, refusal.reason)
        return _response(socket, _WRONG if refusal.telling and self._options.uniform_reject else refusal)

    def on_unreadable(self, socket: StationSocket) -> None:
        """Say that something came that is no HTTP: plain bytes on the port, or TLS on a plain listener.

        Whoever hangs up before a request is there, as load balancers do to see that somebody listens, is no attempt.
        """
        self._counter.count("handshake_unreadable")
        error = socket.protocol.handshake_exc
        reason = why_unreadable(error) if error is not None else ""
        self._log.info(
            "handshake_unreadable", reason=reason, remote=socket.remote, listener=socket.doorway.options.name
        )
        if self._attempts is not None and not has_hung_up(reason):
            self._attempts.refused(AttemptRefused("", socket.address, 0, _NO_HTTP))

    def _tell(self, socket: StationSocket, request: Request, status: int, reason: str) -> None:
        """Keep a refused attempt for the operator."""
        if self._attempts is not None:
            who, agent = identity_of(request.path) or "", _first(request.headers, "User-Agent") or ""
            self._attempts.refused(AttemptRefused(who, socket.address, status, reason, agent))

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
        elif response.status_code == 426 and not request.headers.get_all("Upgrade"):
            self._tell(socket, request, response.status_code, _NO_WEBSOCKET)

    def _enter(self, socket: StationSocket, request: Request, claim: Claim) -> Response | None:
        """Give a guest its place; nothing of it is recorded before the station learns that it is connected."""
        showed = bool(request.headers.get_all("Authorization"))
        entered = self._strangers.enter(socket, claim, socket.address, showed_credentials=showed)
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


def select_subprotocol(connection: ServerConnection, offers: object) -> Subprotocol | None:
    """Return what the claim negotiated, in the station's spelling; None where it offered nothing."""
    claim = station_socket(connection).claim
    spelling = None if claim is None else claim.negotiated.spelling
    return None if spelling is None else Subprotocol(spelling)


def _offer(headers: Headers, negotiated: Negotiated, *, compress: bool) -> None:
    """Leave in the request what was chosen, so that what devices write around it cannot fail the handshake."""
    if "Sec-WebSocket-Protocol" in headers:
        del headers["Sec-WebSocket-Protocol"]
    if negotiated.spelling is not None:
        headers["Sec-WebSocket-Protocol"] = negotiated.spelling
    if not compress and "Sec-WebSocket-Extensions" in headers:
        del headers["Sec-WebSocket-Extensions"]


def _first(headers: Headers, name: str) -> str | None:
    values = headers.get_all(name)
    return values[0] if values else None


def _response(socket: StationSocket, refusal: Refuse) -> Response:
    response = socket.respond(refusal.status, f"{refusal.reason}\n")
    for name, value in refusal.headers:
        response.headers[name] = value
    return response
