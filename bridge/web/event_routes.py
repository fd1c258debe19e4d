"""Route the stream of events: server-sent events, one client each.

Never holds back what others do: a client that does not read is cut. Never decides what is told. Before it: `auth`.
After it: `event_services`. Source: HTML Living Standard, section 9.2, server-sent events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from aiohttp import web
from aiohttp_sse import EventSourceResponse

from bridge.core.feed import EventName
from bridge.core.roles import Role
from bridge.web.auth import PRINCIPAL
from bridge.web.event_services import EventServices, EventStream, EventWish
from bridge.web.problems import REQUEST_ID
from bridge.web.route_table import Parameter, Route
from bridge.web.services import ServiceError

log = structlog.get_logger(__name__)

PATH = "/api/v1/events"
_LONGEST_ID = 64
_OF_EVSES = frozenset({EventName.STATUS, EventName.DELIVERY, EventName.TEMPORARY, EventName.RESET})
"""What a key that is bound to operators is told: accounts and stations are everybody's."""
_ANEW = '{"why": "what was before is not known, or more changed than is told one by one"}'
"""What such a key is told of why everything is to be read anew: the reason may name an account."""

StillAllowed = Callable[[web.Request], Awaitable[bool]]
"""Tells whether who asked may still be told: its key may have expired or been revoked meanwhile."""


async def always(request: web.Request) -> bool:
    """Let a stream go on for as long as its client wants."""
    return True


def _nobody_counts(clients: int) -> None:
    """Count nothing."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How a stream is kept."""

    ping: timedelta = timedelta(seconds=15)
    """A comment is sent so often, and as often it is asked whether the client may still be told."""
    patience: timedelta = timedelta(seconds=30)
    """For a client to take what it is sent; then it is cut."""
    look: timedelta = timedelta(seconds=1)
    """How soon it is noticed that a client has gone."""
    retry: timedelta = timedelta(seconds=3)
    """What a browser is told to wait before it connects again."""


class EventRoutes:
    """The table of these routes."""

    def __init__(
        self,
        services: EventServices,
        still_allowed: StillAllowed = always,
        options: StreamOptions | None = None,
        counted: Callable[[int], None] = _nobody_counts,
    ) -> None:
        """`counted` is told how many clients there are, whenever it changes."""
        self._services = services
        self._counted = counted
        self._still_allowed = still_allowed
        self._options = options or StreamOptions()
        self._streaming: set[asyncio.Task[None]] = set()

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route(
            "GET",
            PATH,
            self.events,
            Role.VIEWER,
            "Tell what changes, as server-sent events.",
            "events",
            media="text/event-stream",
            query=(
                Parameter("events", "Only these, separated by commas: " + ", ".join(EventName) + "."),
                Parameter("evse_id", "Only what is about this EVSE and its station's connection."),
                Parameter("account", "Only what is about this account."),
            ),
            fails=(404, 503),
            scoped=True,
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """What changes from now on, or since Last-Event-ID: events, evse_id, account."""
        operators = request[PRINCIPAL].operators
        wish = EventWish(
            names=_names(request) if operators is None else _of_evses(_names(request)),
            evse_id=request.query.get("evse_id"),
            account=request.query.get("account"),
            operators=operators,
        )
        last_id = request.headers.get("Last-Event-ID", "")[:_LONGEST_ID]
        async with self._services.follow(wish, last_id or None) as stream:
            response = self._response(request)
            await response.prepare(request)
            async with response:
                await self._stream(request, response, stream)
        return response

    def _response(self, request: web.Request) -> EventSourceResponse:
        headers = {"X-Request-ID": request[REQUEST_ID], "Server": "ocpp-bridge", "X-Content-Type-Options": "nosniff"}
        options = self._options
        return EventSourceResponse(
            headers=headers,
            sep="\n",
            ping_interval=options.ping.total_seconds(),
            send_timeout=options.patience.total_seconds(),
        )

    async def _stream(self, request: web.Request, response: EventSourceResponse, stream: EventStream) -> None:
        """Send until the client goes, may be told no more, does not read, or the server ends."""
        sending = asyncio.create_task(self._send(request, response, stream), name="events")
        self._streaming.add(sending)
        self._counted(len(self._streaming))
        try:
            await asyncio.wait({sending})
            if not sending.cancelled() and (error := sending.exception()) is not None:
                raise error
        except TimeoutError:
            log.warning("web_client_stalled", remote=request.remote, path=PATH)
        except (ConnectionResetError, ServiceError):
            return
        finally:
            sending.cancel()
            self._streaming.discard(sending)
            self._counted(len(self._streaming))

    async def _send(self, request: web.Request, response: EventSourceResponse, stream: EventStream) -> None:
        options, loop = self._options, asyncio.get_running_loop()
        retry: int | None = int(options.retry.total_seconds() * 1000)
        asked_at = loop.time()
        bound = request[PRINCIPAL].operators is not None
        while response.is_connected() and request.transport is not None:
            event = await stream.next(options.look)
            if event is not None:
                data = _ANEW if bound and event.name is EventName.RESET else event.data
                await response.send(data, id=event.id, event=event.name, retry=retry)
                retry = None
            if loop.time() - asked_at >= options.ping.total_seconds():
                if not await self._still_allowed(request):
                    return
                asked_at = loop.time()

    async def end(self, app: web.Application) -> None:
        """End every stream at once when the server ends."""
        for sending in self._streaming:
            sending.cancel()


def _of_evses(names: frozenset[EventName]) -> frozenset[EventName]:
    """Return what a key that is bound to operators is told of these. Raises: HTTPForbidden."""
    if others := sorted(names - _OF_EVSES):
        raise web.HTTPForbidden(
            text=f"{', '.join(others)} events are about all operators; a key that is bound to some is told of "
            f"{', '.join(name for name in EventName if name in _OF_EVSES)}"
        )
    return names or _OF_EVSES


def _names(request: web.Request) -> frozenset[EventName]:
    found = set()
    for text in request.query.get("events", "").split(","):
        if not (name := text.strip()):
            continue
        try:
            found.add(EventName(name))
        except ValueError as error:
            wanted = ", ".join(EventName)
            raise web.HTTPBadRequest(text=f"events should be some of {wanted}, separated by commas") from error
    return frozenset(found)
