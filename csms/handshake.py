"""Decide what a WebSocket handshake asks for: subprotocol, browser or station, headers that devices forget.

Pure: works on header values alone and never on a socket. Before it: `server`. Beside it: `auth`, who decides on the
credentials.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from csms.auth import Refuse
from csms.events import OcppVersion

_SEPARATORS = re.compile(r'[\s,;"]+')
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


def lacks_connection_header(upgrade: Sequence[str], connection: Sequence[str]) -> bool:
    """Tell whether this is a WebSocket request that only forgot `Connection: Upgrade`.

    Autel MaxiCharger AC (firmware 1.38) does, and retries for ever when refused.
    """
    wants = any("websocket" in value.lower() for value in upgrade)
    says = any("upgrade" in value.lower() for value in connection)
    return wants and not says
