"""Let TCP connections of one listener in: a place at the gate, then TLS where the listener has it.

Reads no HTTP. Before it: asyncio, with each accepted socket. After it: `websocket`, with a transport that is ready for
the WebSocket handshake.

TLS is done here, and not by the listening socket, for three reasons: each handshake takes the context of the moment, so
that a certificate is replaced without touching a session; one that fails is shown with OpenSSL's reason, which asyncio
keeps to itself; and a TLS session of an old context cannot be resumed under a new one.
"""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import structlog

from csms.events import AttemptRefused
from csms.gate import Gate, Place
from csms.options import ListenerOptions
from csms.ports import Attempts, Counter
from csms.proxy import is_proxy

_TLS_RECORD = 16 * 1024
"""Bytes of plain text in one record at most. Source: RFC 8446 §5.1."""

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nConnection: close\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 37\r\n\r\ntoo many connections; try again soon\n"
)


@dataclass(frozen=True, slots=True)
class ListenerTls:
    """What one listener proves itself with, and whom it believes."""

    context: ssl.SSLContext | None
    """None: TLS ends at a proxy."""
    authorities: bytes | None = field(default=None, repr=False)
    """PEM of client_ca: who may stand behind a client certificate; None: nobody."""


class Guest(Protocol):
    """Who is waiting for the way to be ready: a station's socket."""

    place: Place | None

    def enter(self, transport: asyncio.Transport) -> None:
        """Begin the WebSocket handshake on this transport."""
        ...

    def data_received(self, data: bytes) -> None:
        """Take bytes that came with the end of the TLS handshake."""
        ...


class Doorway:
    """One listener's way in."""

    def __init__(
        self,
        options: ListenerOptions,
        gate: Gate,
        counter: Counter,
        attempts: Attempts | None,
        *,
        timeout: timedelta,
        own: Callable[[asyncio.Task[None]], None],
    ) -> None:
        """`timeout` bounds a TLS handshake; `own` keeps its task; `attempts` are told of whoever does not get in."""
        self.options = options
        self.tls: ListenerTls | None = None
        """What counts for the next handshake."""
        self._gate = gate
        self._counter = counter
        self._attempts = attempts
        self._timeout_s = timeout.total_seconds()
        self._own = own
        self._log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(listener=options.name)

    def arrived(self, guest: Guest, transport: asyncio.Transport) -> None:
        """Take a TCP connection: refuse it, let it through, or begin TLS."""
        peer = str((transport.get_extra_info("peername") or ("",))[0])
        place = self._gate.enter(peer, shared=self._is_shared(peer))
        if isinstance(place, str):
            self._turn_away(transport, peer, place)
            return
        guest.place = place
        if not self.options.tls:
            guest.enter(transport)
            return
        task = asyncio.get_running_loop().create_task(self._secure(guest, place, transport, peer), name=f"tls {peer}")
        self._own(task)

    def _is_shared(self, peer: str) -> bool:
        return self.options.proxy is not None and is_proxy(peer, self.options.proxy)

    def _turn_away(self, transport: asyncio.Transport, peer: str, why: str) -> None:
        self._counter.count("connection_turned_away")
        self._log.warning("connection_turned_away", reason=why, remote=peer)
        self._tell(peer, f"turned away: {why}")
        transport.set_protocol(asyncio.Protocol())
        if not self.options.tls:
            transport.write(_FULL)
        transport.close()

    async def _secure(self, guest: Guest, place: Place, transport: asyncio.Transport, peer: str) -> None:
        """Do the TLS handshake, and hand the guest its transport with whatever has arrived meanwhile."""
        if self.tls is None or self.tls.context is None:
            raise AssertionError("a TLS listener is not started without its context")
        waiting = _Waiting()
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport, waiting, self.tls.context, server_side=True, ssl_handshake_timeout=self._timeout_s
            )
        except OSError as error:
            place.leave()
            self._failed(error, peer)
            return
        except asyncio.CancelledError:
            place.leave()
            raise
        if secured is None or waiting.over:
            place.leave()
            return
        secured.set_protocol(guest)  # type: ignore[arg-type]  # a station's socket is an asyncio.Protocol
        guest.enter(secured)
        if waiting.received:
            guest.data_received(bytes(waiting.received))

    def _failed(self, error: OSError, peer: str) -> None:
        why = why_tls_failed(error)
        self._counter.count("tls_handshake_failed")
        self._log.info("tls_handshake_failed", remote=peer, reason=why)
        self._tell(peer, f"TLS: {why}")

    def _tell(self, peer: str, reason: str) -> None:
        """Keep for the operator what ended before HTTP: nobody knows who it was."""
        if self._attempts is not None:
            self._attempts.refused(AttemptRefused("", peer, 0, reason))


def keep_tls_lean() -> None:
    """Let each TLS connection have a buffer for one record, where asyncio gives it one of 256 KiB.

    That is 2.5 GiB for ten thousand stations, none of which sends more than a few hundred bytes at a time. Concerns
    every TLS connection that this process opens from now on; a longer message takes several reads.
    """
    asyncio.sslproto.SSLProtocol.max_size = _TLS_RECORD


class _Waiting(asyncio.Protocol):
    """Keeps what arrives between the end of the TLS handshake and the guest's turn, a few loop steps later."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.over = False

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.over = True


def why_tls_failed(error: OSError) -> str:
    """Return OpenSSL's reason in words: "certificate verify failed: certificate has expired"."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"certificate verify failed: {error.verify_message}"
        case ssl.SSLError(reason=str(reason)):
            return reason.replace("_", " ").lower()
        case ConnectionResetError():
            return "the peer closed the connection"
        case ConnectionAbortedError():
            return "the peer did not finish in time"
    return error.strerror or "the connection broke"
