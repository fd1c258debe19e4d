"""Decide what a WebSocket handshake asks for: subprotocol, browser or station, headers that devices forget.

Pure: works on header values alone and never on a socket. Before it: `admission`. Beside it: `auth`, who decides on the
credentials.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import urlsplit

from csms.auth import Refuse
from csms.events import OcppVersion
from csms.options import Compression
from csms.records import StationRecord

_SEPARATORS = re.compile(r'[\s,;"]+')
_LOGIN = re.compile(r"//[^/\s@]*@")
_VERSIONS = {version.value: version for version in OcppVersion}


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The session's OCPP version, and the client's own spelling of it to echo (None: it offered nothing)."""

    version: OcppVersion
    spelling: str | None


def negotiate(offers: Sequence[str], default: OcppVersion | None) -> Negotiated | Refuse:
    """Choose among the values of all Sec-WebSocket-Protocol headers: the station's first that we speak.

    Case, quotes, and spaces or semicolons in place of commas are tolerated, since devices send them. A station that
    offers nothing gets `default`, the version that the inventory names for it.

    Source: RFC 6455 §4.1, "ordered by preference"; OCPP 2.0.1 Part 4 §3.1.2, the version is negotiated, never taken
    from the URL; OCPP TC_B_58_CSMS: nothing in common refuses the upgrade.
    """
    offered = [name for value in offers for name in _SEPARATORS.split(value) if name]
    for spelling in offered:
        version = _VERSIONS.get(spelling.lower())
        if version is not None:
            return Negotiated(version, spelling)
    spoken = ", ".join(_VERSIONS)
    if offered:
        return Refuse(400, f"no common subprotocol; this server speaks {spoken}")
    if default is None:
        return Refuse(400, f"no subprotocol offered; this server speaks {spoken}")
    return Negotiated(default, None)


def assumed(record: StationRecord, default: OcppVersion | None) -> OcppVersion | None:
    """Return the version of a station that offers none: its own, or the server's where its connectors can be of that.

    The inventory counts 1.6 connectors without an EVSE and those of 2.x within one: a station that is taken for the
    other would report about connectors that nobody has.
    """
    if record.default_version is not None or default is None:
        return record.default_version
    of_16 = {address.evse == 0 for address in record.connectors}
    return default if of_16 <= {default is OcppVersion.V16} else None


def from_browser(origin: str | None, host: str | None, user_agent: str | None) -> bool:
    """Tell whether a web page opens this socket: cross-site pages must not borrow a user's way into our network.

    Client libraries in stations set Origin too: libwebsockets to the server's own host, arduinoWebSockets to
    `file://`. So a page is recognised by a browser's User-Agent, or by a web origin other than our own host.
    """
    if origin is None:
        return False
    if user_agent is not None and user_agent.startswith("Mozilla/"):
        return True
    if origin == "null":
        return True
    try:
        parts = urlsplit(origin)
        foreign = parts.hostname != urlsplit(f"//{host or ''}").hostname
    except ValueError:
        return True
    return parts.scheme in ("http", "https") and foreign


def wants_websocket(upgrade: Sequence[str]) -> bool:
    """Tell whether a request is for a WebSocket at all."""
    return any("websocket" in value.lower() for value in upgrade)


def lacks_connection_header(upgrade: Sequence[str], connection: Sequence[str]) -> bool:
    """Tell whether this is a WebSocket request that only forgot `Connection: Upgrade`.

    Autel MaxiCharger AC (firmware 1.38) does, and retries for ever when refused.
    """
    return wants_websocket(upgrade) and not any("upgrade" in value.lower() for value in connection)


def compresses(mode: Compression, own: bool | None, version: OcppVersion) -> bool:
    """Tell whether permessage-deflate is agreed to; `own` is the station's switch and wins.

    OCPP-J 1.6 §5.1 recommends none, and clients with context takeover get it wrong (Java-OCA-OCPP#413); OCPP 2.0.1
    Part 4 §3.3: the CSMS SHALL support RFC 7692.
    """
    if own is not None:
        return own
    match mode:
        case Compression.AUTO:
            return version is not OcppVersion.V16
        case Compression.ON:
            return True
        case Compression.OFF:
            return False
        case other:
            assert_never(other)


def has_hung_up(reason: str) -> bool:
    """Tell whether `why_unreadable` says that the peer left before its request was complete: often a port check."""
    return reason.startswith("stream ends")


def without_login(text: str) -> str:
    """Return a request target or line without the user and password that some stations write into their URL."""
    return _LOGIN.sub("//***@", text)


def why_unreadable(error: Exception) -> str:
    """Return what was wrong with something that is no HTTP request; never a header, which may hold a key."""
    first: BaseException = error
    while first.__cause__ is not None:
        first = first.__cause__
    reason = str(first)
    what, _, _ = reason.partition(":")
    return what if what.startswith("invalid HTTP header") else without_login(reason)[:256]


def how_to_connect(name: str, *, secure: bool) -> str:
    """Return what somebody reads who opens the port in a browser, or with a station that is set up as HTTP."""
    scheme = "wss" if secure else "ws"
    versions = ", ".join(_VERSIONS)
    return (
        "This is an OCPP WebSocket port for charging stations.\n"
        f"Set the station to {scheme}://{name or 'HOST:PORT'}/STATION-ID, with one of the subprotocols {versions}.\n"
    )
