"""Listen on every address that stations connect to, and stop listening.

Decides nothing about a station. Before it: TCP. Beside it: `doorway`, one per listener, and `admission`, which lets
handshakes through. After it: `server`, with each WebSocket that was let through.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from csms.admission import Admission, select_subprotocol
from csms.doorway import Doorway, ListenerTls, keep_tls_lean
from csms.gate import Gate
from csms.options import ListenerOptions, ServerOptions
from csms.ports import Attempts, Counter
from csms.websocket import StationSocket

# OCPP 2.0.1 Part 4 §3.3: the CSMS SHALL support RFC 7692. Small windows: there may be thousands of stations.
_DEFLATE = ServerPerMessageDeflateFactory(
    server_max_window_bits=9, client_max_window_bits=9, compress_settings={"memLevel": 4}
)

_WAITING = 16_384
"""Connections that wait for the event loop."""

OnStation = Callable[[ServerConnection], Awaitable[None]]
"""Serves one WebSocket until it is closed."""


class ListenFailed(OSError):
    """A listener's address cannot be used; none listens."""

    def __init__(self, listener: ListenerOptions, error: OSError) -> None:
        super().__init__(error.errno, error.strerror or str(error))
        self.listener = listener


class Listeners:
    """The listeners of one server, all of which share its places."""

    def __init__(
        self,
        options: ServerOptions,
        counter: Counter,
        attempts: Attempts | None,
        *,
        own: Callable[[asyncio.Task[None]], None],
    ) -> None:
        """`own` keeps the tasks of TLS handshakes; `attempts` are told of connections that end before HTTP."""
        self._options = options
        gate = Gate(connections=options.max_connections, pending_per_address=options.max_pending_per_address)
        self._doorways = {
            listener.name: Doorway(listener, gate, counter, attempts, timeout=options.open_timeout, own=own)
            for listener in options.all_listeners
        }
        self._servers: dict[str, Server] = {}

    @property
    def ports(self) -> Mapping[str, int]:
        """The port of each listener that listens."""
        return {name: _port(server) for name, server in self._servers.items()}

    def reload_tls(self, listener: str, tls: ListenerTls) -> None:
        """Let a listener's next handshakes use this. Raises: KeyError."""
        self._doorways[listener].tls = tls

    async def start(self, on_station: OnStation, admission: Admission) -> None:
        """Listen everywhere. Raises: ListenFailed, and then nothing listens."""
        for name, doorway in self._doorways.items():
            try:
                self._servers[name] = await self._serve(doorway, on_station, admission)
            except OSError as error:
                self.close()
                await self.cut()
                raise ListenFailed(doorway.options, error) from error

    async def _serve(self, doorway: Doorway, on_station: OnStation, admission: Admission) -> Server:
        options, listener = self._options, doorway.options
        if listener.tls:
            keep_tls_lean()
        if listener.tls and doorway.tls is None:
            raise AssertionError("reload_tls comes before start, for each listener with TLS")
        station_socket = partial(
            StationSocket, doorway=doorway, unreadable=admission.on_unreadable, open_timeout=options.open_timeout
        )
        server = await serve(
            on_station,
            listener.host,
            listener.port,
            process_request=admission.on_request,
            process_response=admission.on_response,
            select_subprotocol=select_subprotocol,
            extensions=[_DEFLATE],
            compression=None,
            create_connection=cast("Any", station_socket),
            server_header=options.server_header,
            open_timeout=None,
            close_timeout=options.close_timeout.total_seconds(),
            ping_interval=None,
            max_size=options.max_size,
        )
        _lengthen_queues(server)
        return server

    def close(self) -> None:
        """Accept nobody any more; open connections stay."""
        for server in self._servers.values():
            server.close(close_connections=False)

    async def cut(self) -> None:
        """Cut every connection that is left, and wait until all of them are gone."""
        servers, self._servers = self._servers, {}
        for server in servers.values():
            for connection in server.connections:
                connection.transport.abort()
        for server in servers.values():
            await server.wait_closed()


def _lengthen_queues(server: Server) -> None:
    """Let the kernel keep more connections than the event loop takes at once, in which time nobody is answered.

    What finds no place there is dropped, and its device tries again after 1, 2, 4, 8, 16 and 32 s: a storm would last
    for minutes. The kernel cuts the number to its own limit.
    """
    for listening in server.sockets:
        with socket.socket(fileno=os.dup(listening.fileno())) as same:
            same.listen(_WAITING)


def _port(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port
