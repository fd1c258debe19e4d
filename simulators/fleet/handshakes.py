"""Say how a station opens its WebSocket: the path, the headers, the subprotocol, as it should or as its quirks want it.

Opens nothing. Before it: `quirks`, `credentials`. After it: `line`, which connects so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

from simulators.fleet import station16, station21, station201
from simulators.fleet.credentials import Credentials
from simulators.fleet.layout import StationSpec, Version
from simulators.fleet.quirks import Quirk

_PREFIX = "/steve/websocket/CentralSystemService"
SUBPROTOCOLS = {
    Version.V16: station16.SUBPROTOCOL,
    Version.V201: station201.SUBPROTOCOL,
    Version.V21: station21.SUBPROTOCOL,
}


@dataclass(frozen=True, slots=True)
class Handshake:
    """One opening handshake."""

    url: str
    headers: dict[str, str]
    offered: str | None
    """The subprotocol that the client library offers, and that the server must choose; None where it offers none."""


def handshake(spec: StationSpec, credentials: Credentials, url: str) -> Handshake:
    """Return the handshake of a station with the server at `url`.

    Source: OCPP-J 1.6 §3.1, §6.2; OCPP 2.0.1 Part 4 §3.1.
    """
    headers = {}
    authorization = credentials.header()
    if authorization is not None:
        headers["Authorization"] = authorization
    if Quirk.EMPTY_SUBPROTOCOL in spec.quirks:
        headers["Sec-WebSocket-Protocol"] = ""
    if Quirk.CONTENT_LENGTH in spec.quirks:
        headers["Content-Length"] = "0"
    return Handshake(f"{url.rstrip('/')}{_path(spec)}", headers, _offered(spec))


def _path(spec: StationSpec) -> str:
    name = spec.station.lower() if Quirk.OTHER_CASE_ID in spec.quirks else spec.station
    path = f"/{quote(name, safe='')}"
    if Quirk.PREFIX_PATH in spec.quirks:
        return _PREFIX + path
    return f"{path}//" if Quirk.TRAILING_SLASH in spec.quirks else path


def _offered(spec: StationSpec) -> str | None:
    if {Quirk.NO_SUBPROTOCOL, Quirk.EMPTY_SUBPROTOCOL} & spec.quirks:
        return None
    name = SUBPROTOCOLS[spec.version]
    return name.upper() if Quirk.UPPERCASE_SUBPROTOCOL in spec.quirks else name


def connection_factory(spec: StationSpec) -> Callable[..., ClientConnection] | None:
    """Return what makes a connection that writes what the library would not; None where the library does."""
    if not {Quirk.NO_PONG, Quirk.NO_CONNECTION_HEADER, Quirk.HTTP_1_0} & spec.quirks:
        return None

    def make(protocol: ClientProtocol, **options: Any) -> ClientConnection:
        _change(protocol, spec)
        return ClientConnection(protocol, **options)

    return make


def _change(protocol: ClientProtocol, spec: StationSpec) -> None:
    send_frame, send_request = protocol.send_frame, protocol.send_request

    def without_pongs(frame: Frame) -> None:
        if frame.opcode is not Opcode.PONG:
            send_frame(frame)

    def without_connection(request: Request) -> None:
        del request.headers["Connection"]
        send_request(request)

    def as_http_1_0(request: Request) -> None:
        protocol.writes.append(request.serialize().replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1))

    if Quirk.HTTP_1_0 in spec.quirks:
        send_request = as_http_1_0
        protocol.send_request = as_http_1_0  # type: ignore[method-assign]
    if Quirk.NO_PONG in spec.quirks:
        protocol.send_frame = without_pongs  # type: ignore[method-assign]
    if Quirk.NO_CONNECTION_HEADER in spec.quirks:
        protocol.send_request = without_connection  # type: ignore[method-assign]
