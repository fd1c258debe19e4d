"""Every route of the real application, asked without a token and with wrong ones: 401 for all but the two probes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bridge.app.clock import SystemClock
from bridge.app.options import derive_options
from bridge.app.services import StoreServices
from bridge.app.wakes import Wakes
from bridge.core.throttle import ThrottleLimits
from bridge.settings import Settings
from bridge.store.engine import open_store
from bridge.store.writer import Writer
from bridge.web.access import AccessOptions
from bridge.web.route_table import ROUTES
from bridge.web.routes import create_app
from csms.auth import StationKeys
from tests.catalogue.recording import Tally

TOKEN = "right-token-of-more-than-thirty-two-characters"
OPEN = {
    (method, path) for method in ("GET", "HEAD") for path in ("/livez", "/readyz", "/login", "/openapi.json", "/docs")
}
CLOSED = {(method, path) for method in ("GET", "HEAD") for path in ("/public", "/public.json")}
"""Open, and not there unless the configuration says so."""
LOGIN = {("POST", "/session")}
"""Open, and takes a form: without one it is a mistake of form."""
PATIENT = AccessOptions(throttle=ThrottleLimits(free=100_000, answered=100_000))
WRONG = (
    None,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    f"Basic {TOKEN}",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN} {TOKEN}",
    TOKEN,
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """The shipped application over the shipped services and a real store."""
    settings = Settings(state_dir=tmp_path)
    store = open_store(settings.store_url, state_dir=settings.state_dir)
    store.upgrade()
    writer = Writer(store)
    writer.start()
    services = StoreServices(
        settings,
        store,
        writer,
        clock=SystemClock(),
        keys=StationKeys(b"p" * 32),
        derive=derive_options(settings),
        wakes=Wakes(),
        central=None,
    )
    async with TestClient(TestServer(create_app(services, TOKEN, access=PATIENT))) as client:
        yield client
    await writer.stop()
    await store.close()


def routes(app: web.Application) -> Iterator[tuple[str, str]]:
    """Give every method and path of the application as it is; what stands for a part of a path is filled in."""
    for route in app.router.routes():
        assert route.resource is not None
        path = re.sub(r"\{[^}]+\}", "1", route.resource.canonical)
        for method in METHODS if route.method == "*" else (route.method,):
            yield method, path


def pages(app: web.Application) -> Iterator[tuple[str, str]]:
    """Give what is for people: whoever shows no key at all is led to the login page."""
    for (method, template), route in app[ROUTES].items():
        if route.page and route.role is not None:
            path = re.sub(r"\{[^}]+\}", "1", template)
            yield from ((each, path) for each in (("GET", "HEAD") if method == "GET" else (method,)))


@pytest.mark.row("T88")
async def test_no_route_but_the_probes_answers_without_the_right_token(
    client: TestClient[web.Request, web.Application], tally: Tally
) -> None:
    found = set(routes(client.app))
    assert len(found) > 40
    led = set(pages(client.app))
    assert found >= OPEN | LOGIN | CLOSED | led
    assert led >= {("POST", "/session/end"), ("GET", "/")}
    asked = 0
    for method, path in sorted(found - OPEN - LOGIN - CLOSED):
        for header in WRONG:
            headers = {} if header is None else {"Authorization": header}
            async with client.request(method, path, headers=headers, data=b"{}", allow_redirects=False) as response:
                asked += 1
                if header is None and (method, path) in led:
                    assert (response.status, response.headers["Location"][:12]) == (303, "/login?next=")
                    continue
                assert response.status == 401, f"{method} {path} with {header!r}: {response.status}"
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
                assert TOKEN not in await response.text()
    for method, path in OPEN:
        async with client.request(method, path) as response:
            assert response.status == 200, f"{method} {path}"
    for method, path in CLOSED:
        async with client.request(method, path) as response:
            assert response.status == 404, f"{method} {path}"
    for method, path in LOGIN:
        async with client.request(method, path, data=b"{}") as response:
            assert response.status == 415, f"{method} {path}"
    tally.count(faults=asked)


@pytest.mark.row("T88")
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nothing",
        "//livez",
        "/livez/",
        "/livez/../api/v1/status",
        "/livez%2f..%2fapi/v1/status",
        "/LIVEZ",
        "/readyz/x",
        "/api/v1/status/",
        "//api/v1/status",
        "/api/v1/status?path=/livez",
        "/v2/temporary-evse-statuses/",
    ],
)
async def test_path_that_is_none_or_only_looks_like_a_probe_needs_the_token_too(
    client: TestClient[web.Request, web.Application], path: str
) -> None:
    """Sent as bytes: a client library would tidy the path up."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    for method in METHODS:
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
        if method != "HEAD":
            await reader.readexactly(length)
        assert b" 401 " in head.splitlines()[0], f"{method} {path}: {head!r}"
    writer.close()


@pytest.mark.row("T88")
async def test_right_token_opens_what_was_closed(client: TestClient[web.Request, web.Application]) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/healthz", "/metrics", "/api/v1/status", "/api/v1/evses", "/v2/temporary-evse-statuses"):
        async with client.get(path, headers=headers) as response:
            assert response.status == 200, path
