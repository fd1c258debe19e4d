"""Open a station's WebSocket, and end the tasks that use it.

Never speaks OCPP. Before it: `link`, which decides when to connect; `handshakes`, which says how. After it: the server.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import NegotiationError
from websockets.typing import Subprotocol

from simulators.fleet.credentials import Credentials
from simulators.fleet.handshakes import SUBPROTOCOLS, connection_factory, handshake
from simulators.fleet.layout import StationSpec, Version
from simulators.fleet.quirks import Quirk
from simulators.fleet.station_certificates import CA_FILE, client_file
from simulators.trust import trusting

OVER_TLS = frozenset({2, 3})
WITH_CERTIFICATE = 3
"""Security profiles. Source: OCPP 2.0.1 Part 2, A00."""

_PROBE = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Line:
    """How a station reaches its server."""

    url: str
    """The station's identity is appended to it as the last path segment."""
    speed: float = 1.0
    """How much faster than real the behaviour runs."""
    response_timeout: timedelta = timedelta(seconds=30)
    secure_url: str = ""
    """Where stations of security profile 2 and 3 connect to; `url` where it is empty."""
    ca: Path | None = None
    """Certificates of the authorities that the server's must be signed by; None: what this machine trusts."""
    certificates: Path | None = None
    """The folder with the stations' own, as `station_certificates` writes it."""

    def url_of(self, security: int) -> str:
        """Return where a station of this security profile connects to."""
        return self.secure_url if self.secure_url and security in OVER_TLS else self.url


async def open_connection(spec: StationSpec, line: Line, credentials: Credentials) -> ClientConnection:
    """Open the WebSocket with the station's id in the path, its subprotocol and what proves its identity.

    Raises: OSError (ssl.SSLError is one), TimeoutError, websockets' InvalidHandshake (InvalidStatus where the server
    refuses).
    """
    if Quirk.MALFORMED_REQUEST in spec.quirks:
        await _stammer(line.url_of(spec.security))
    if Quirk.PROBE_THEN_REAL in spec.quirks:
        await _probe(spec, line, credentials)
    return await _open(spec, line, credentials)


async def _stammer(url: str) -> None:
    """Send what is no HTTP request on a connection of its own."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    _, writer = await asyncio.open_connection(parts.hostname, port)
    writer.write(b"GT / HTP\r\n\r\n")
    with suppress(OSError):
        await writer.drain()
    writer.close()


async def _probe(spec: StationSpec, line: Line, credentials: Credentials) -> None:
    probe = await _open(replace(spec, version=Version.V16), line, credentials)
    await asyncio.sleep(_PROBE.total_seconds() / line.speed)
    await probe.close()


async def _open(spec: StationSpec, line: Line, credentials: Credentials) -> ClientConnection:
    opening = handshake(spec, credentials, line.url_of(spec.security))
    connection = await connect(
        opening.url,
        subprotocols=None if opening.offered is None else [Subprotocol(opening.offered)],
        additional_headers=opening.headers,
        create_connection=connection_factory(spec),  # type: ignore[arg-type]  # it calls it and no more
        ssl=_tls(line, spec) if opening.url.startswith("wss:") else None,
        compression=None,
        proxy=None,
        open_timeout=15,
        close_timeout=2,
        ping_interval=30,
        ping_timeout=30,
    )
    if connection.subprotocol != opening.offered:
        await connection.close(code=1002)
        raise NegotiationError(f"the server did not choose {SUBPROTOCOLS[spec.version]}")
    return connection


def _tls(line: Line, spec: StationSpec) -> ssl.SSLContext:
    """Return the context of a station: of its own where it has a certificate, of all the others else."""
    ca = line.ca or (line.certificates / CA_FILE if line.certificates else None)
    if spec.security != WITH_CERTIFICATE or line.certificates is None:
        return _shared(ca)
    context = trusting(ca)
    context.load_cert_chain(client_file(line.certificates, spec.station))
    return context


_shared = lru_cache(maxsize=4)(trusting)
"""One context for all stations without a certificate: each takes memory."""


async def end_tasks(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: on Python 3.11 `asyncio.wait_for`, which the `ocpp` package waits with, swallows a cancellation
    that arrives together with the answer.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=0.2)
        for task in done:
            if not task.cancelled():
                task.exception()  # the first to end has already told why
