"""Streams of events over real sockets: what goes over the wire, and how a stream ends."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from fake_events import FakeEvents
from test_cli_services import Desk, desk, halted, running, state  # noqa: F401 - fixtures

from bridge.core.feed import EventName
from bridge.web.access import ACCESS, Access, AccessOptions
from bridge.web.auth import require_key
from bridge.web.event_routes import EventRoutes, StillAllowed, StreamOptions, always
from bridge.web.event_services import Event, EventWish
from bridge.web.problems import problems, request_ids
from bridge.web.route_table import add_routes
from bridge.web.services import NotFound, Unavailable
from bridge.web.stalled import Patience, Stalled

Headers = dict[str, str]
PATH = "/api/v1/events"
RESET = Event("p-0", EventName.RESET, '{"why": "connected"}')
STATION = Event("p-1", EventName.STATION, '{"id":"CS-1","connected":true}')


@asynccontextmanager
async def serving(
    events: FakeEvents, token: str, options: StreamOptions, still_allowed: StillAllowed = always
) -> AsyncIterator[TestClient]:
    routes = EventRoutes(events, still_allowed, options)
    guard = Access(token, AccessOptions())
    around = [Stalled(Patience()).middleware, request_ids, problems, require_key(guard)]
    app = web.Application(middlewares=around)
    app[ACCESS] = guard
    add_routes(app, routes.routes())
    app.on_shutdown.append(routes.end)
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield client


async def test_an_event_goes_over_the_wire_as_the_standard_says(
    client: TestClient, admin: Headers, services: Any
) -> None:
    services.events.begin = (RESET, STATION)
    async with client.get(PATH, headers=admin) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["X-Request-ID"]
        assert (await response.content.readuntil(b"\n\n")).decode() == (
            'id: p-0\nevent: reset\ndata: {"why": "connected"}\nretry: 3000\n\n'
        )
        assert (await response.content.readuntil(b"\n\n")).decode() == (
            'id: p-1\nevent: station\ndata: {"id":"CS-1","connected":true}\n\n'
        )
    async with asyncio.timeout(20):
        await services.events.closed.wait()


async def test_what_is_chosen_and_where_it_goes_on_reach_the_services(
    client: TestClient, admin: Headers, services: Any
) -> None:
    query = {"events": "status, delivery", "evse_id": "de*abc*e1", "account": "hubject"}
    async with client.get(PATH, params=query, headers={**admin, "Last-Event-ID": "p-7"}):
        pass
    names = frozenset({EventName.STATUS, EventName.DELIVERY})
    assert services.events.wishes == [(EventWish(names, "de*abc*e1", "hubject", None), "p-7")]


async def test_what_cannot_be_is_a_problem_and_no_stream(client: TestClient, admin: Headers, services: Any) -> None:
    response = await client.get(PATH, params={"events": "status,weather"}, headers=admin)
    assert (response.status, (await response.json())["detail"]) == (
        400,
        "events should be some of status, delivery, upstream, station, temporary, reset, separated by commas",
    )
    services.events.failure = NotFound("EVSE", "X")
    assert (await client.get(PATH, headers=admin)).status == 404
    services.events.failure = Unavailable("250 clients are told what changes already: try again later")
    response = await client.get(PATH, headers=admin)
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert (await client.get(PATH)).status == 401


async def test_a_silent_stream_says_now_and_then_that_it_is_there(token: str, admin: Headers) -> None:
    async with (
        serving(FakeEvents(), token, StreamOptions(ping=timedelta(milliseconds=20))) as client,
        client.get(PATH, headers=admin) as response,
    ):
        for _ in range(2):
            assert await response.content.readuntil(b"\n\n") == b": ping\n\n"


async def test_a_client_that_goes_frees_its_place_soon(token: str, admin: Headers) -> None:
    events = FakeEvents()
    async with serving(events, token, StreamOptions(look=timedelta(milliseconds=20))) as client:
        async with client.get(PATH, headers=admin):
            await events.opened.wait()
        async with asyncio.timeout(20):
            await events.closed.wait()


async def test_a_client_that_never_reads_is_cut(token: str, admin: Headers) -> None:
    large = Event("p-1", EventName.STATUS, '"' + "x" * 100_000 + '"')
    events = FakeEvents(begin=(large,) * 200)
    async with serving(events, token, StreamOptions(patience=timedelta(milliseconds=200))) as client:
        silent = socket.socket()
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(silent, ("127.0.0.1", client.port))
        ask = f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        await loop.sock_sendall(silent, ask.encode())
        async with asyncio.timeout(20):
            await events.closed.wait()
        silent.close()


async def test_who_may_be_told_no_more_is_told_no_more(token: str, admin: Headers) -> None:
    events = FakeEvents(begin=(RESET,))
    asked: list[str] = []

    async def twice(request: web.Request) -> bool:
        asked.append(request.path)
        return len(asked) < 2

    options = StreamOptions(ping=timedelta(milliseconds=20), look=timedelta(milliseconds=10))
    async with serving(events, token, options, twice) as client, client.get(PATH, headers=admin) as response:
        async with asyncio.timeout(20):
            assert b"reset" in await response.content.read()
    assert asked == [PATH, PATH]


async def test_streams_end_at_once_when_the_server_ends(token: str, admin: Headers) -> None:
    events = FakeEvents(begin=(RESET,))
    async with serving(events, token, StreamOptions(look=timedelta(seconds=60))) as client:
        response = await client.get(PATH, headers=admin)
        assert b"reset" in await response.content.readuntil(b"\n\n")
        began = asyncio.get_running_loop().time()
        ending = asyncio.create_task(client.server.close())
        async with asyncio.timeout(20):
            assert await response.content.read() == b""
            await ending
        assert asyncio.get_running_loop().time() - began < 10
    assert events.closed.is_set()


LINES = (
    RESET,
    Event(
        "p-2",
        EventName.STATUS,
        '{"evse_id":"DE*ABC*E1","status":"maintenance","live":"charging",'
        '"rule":"temporary \\u001b[2J","changed_at":null}',
    ),
    Event(
        "p-3",
        EventName.DELIVERY,
        '{"account":"hubject","evse_id":"DE*ABC*E1","desired":"Occupied","acked":null,"acked_at":null,'
        '"state":"refused","why":"018"}',
    ),
    Event(
        "p-4",
        EventName.UPSTREAM,
        '{"name":"hubject","state":"degraded","backlog":3,"refused":1,"lag_s":61.5,'
        '"paused_until":"2026-11-20T12:00:00Z","held":null,"last_error":"HTTP 500"}',
    ),
    Event("p-5", EventName.STATION, '{"id":"CS-1","connected":false}'),
    Event("p-6", EventName.TEMPORARY, '{"id":7,"evse_id":"DE*ABC*E1","what":"ended"}'),
)


def test_the_command_line_shows_events_one_on_a_line(desk: Desk) -> None:  # noqa: F811
    desk.services.events.begin, desk.services.events.ends = LINES, True
    result = desk.run("events", "--only", "status,delivery", "--evse", "DE*ABC*E1", "--account", "hubject")
    assert result.exit_code == 1
    assert [line.split(" ", 1)[1] for line in result.stdout.splitlines()] == [
        "reset     connected",
        "status    DE*ABC*E1 maintenance (live: charging): temporary ␛[2J",
        "delivery  DE*ABC*E1 at hubject refused, wants Occupied, has acknowledged nothing: 018",
        "upstream  hubject degraded, backlog 3, refused 1, lag 62 s, paused until 2026-11-20T12:00:00Z: HTTP 500",
        "station   CS-1 disconnected",
        "temporary DE*ABC*E1 temporary status 7 ended",
    ]
    assert result.stderr.splitlines()[-1] == "the bridge ended the stream"
    names = frozenset({EventName.STATUS, EventName.DELIVERY})
    assert desk.services.events.wishes == [(EventWish(names, "DE*ABC*E1", "hubject", None), None)]


def test_programs_get_one_document_for_each_event(desk: Desk) -> None:  # noqa: F811
    desk.services.events.begin, desk.services.events.ends = (STATION,), True
    result = desk.run("events", "--json")
    assert json.loads(result.stdout.splitlines()[0]) == {
        "event": "station",
        "id": "p-1",
        "data": {"id": "CS-1", "connected": True},
    }
    assert desk.run("events", "--only", "weather").exit_code == 2
    desk.services.events.failure = NotFound("EVSE", "X")
    assert desk.run("events", "--evse", "X").exit_code == 3
