"""Drop clients that do not take their answers, never ask, or are too many, so that they hold nothing of ours.

aiohttp has no bound for either: a client that stops reading keeps its answer in memory for as long as it likes. Never
looks at what is asked. Before it: TCP. After it: `routes`, through `server`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How much of the bridge its clients may hold."""

    answer: timedelta = timedelta(seconds=30)
    """For a client to take an answer."""
    first_request: timedelta = timedelta(seconds=30)
    """From its connection to the end of its first request's head."""
    connections: int = 500
    """At once; one more is closed at once."""


class Stalled:
    """The clients of one server. Put `middleware` around every other, and listen with `protocol`."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._silent: set[object] = set()
        """Connections of the last `first_request` that have not asked yet."""
        self._turning_away = False

    @property
    def middleware(self) -> Middleware:
        """Write every answer here, where its time is bounded."""

        @web.middleware
        async def write_in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._silent.discard(request.protocol)
            answer = await handler(request)
            try:
                async with asyncio.timeout(self._patience.answer.total_seconds()):
                    await answer.prepare(request)
                    await answer.write_eof()
            except ConnectionResetError:
                return answer
            except TimeoutError:
                log.warning("web_client_stalled", remote=request.remote, path=request.path[:256])
                if request.transport is not None:
                    request.transport.abort()
            return answer

        return write_in_time

    def protocol(self, server: web.Server) -> asyncio.Protocol:
        """Make what serves one more connection, or what turns it away."""
        full = len(server.connections) >= self._patience.connections
        self._log_too_many(full=full)
        if full:
            return _TurnedAway()
        made = server()
        self._silent.add(made)
        asyncio.get_running_loop().call_later(self._patience.first_request.total_seconds(), self._drop_silent, made)
        return made

    def _drop_silent(self, made: web.RequestHandler) -> None:
        if made in self._silent:
            self._silent.discard(made)
            made.force_close()

    def _log_too_many(self, *, full: bool) -> None:
        """One line when there are too many, not one for each."""
        if full and not self._turning_away:
            log.warning("web_clients_turned_away", connections=self._patience.connections)
        self._turning_away = full


class _TurnedAway(asyncio.Protocol):
    """One connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it before anything is read."""
        if isinstance(transport, asyncio.Transport):
            transport.abort()
