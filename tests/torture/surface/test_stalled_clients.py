"""Two hundred clients of the REST interface, half of which never read: they are dropped, and nobody waits for them.

The shipped web server and the shipped central system share one event loop, as in the product.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import aiohttp
import pytest

from bridge.web.server import WebOptions, WebServer, start_web
from bridge.web.stalled import Patience
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation
from tests.catalogue.recording import Tally
from tests.integration.csms.conftest import Site, site, site_of
from tests.integration.csms.fakes import KEY
from tests.integration.web.conftest import TOKEN, FakeServices, evse

__all__ = ["site", "site_of"]

CLIENTS = 200
STALLED = 100
PATIENCE = Patience(answer=timedelta(seconds=2), first_request=timedelta(seconds=2))
ASK = f"GET /api/v1/evses?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
ENOUGH = 30
"""Answers of half a megabyte: more than what both kernels keep for one connection."""


@asynccontextmanager
async def serving(patience: Patience) -> AsyncIterator[WebServer]:
    services = FakeServices(evses=[evse(number) for number in range(1000, 2000)])
    made = await start_web(WebOptions(port=0, patience=patience), services, TOKEN)  # type: ignore[arg-type]
    yield made
    await made.close()


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with serving(PATIENCE) as made:
        yield made


class Silent:
    """A client that connects, says something or nothing, and never reads."""

    def __init__(self) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)

    async def say(self, port: int, content: bytes) -> None:
        """Connect, and send that."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", port))
        await loop.sock_sendall(self.socket, content)

    async def dropped(self) -> None:
        """Return once the server has cut the connection: only then is there an end to what can be read."""
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while await loop.sock_recv(self.socket, 2**20):
                pass

    def close(self) -> None:
        self.socket.close()


async def use(port: int, times: int) -> int:
    """Be a client that reads, on one connection; return how many answers were right."""
    right = 0
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        for _ in range(times):
            async with http.get(f"http://127.0.0.1:{port}/api/v1/status") as response:
                right += response.status == 200
    return right


@pytest.mark.row("T87")
async def test_clients_that_never_read_are_dropped_while_others_and_stations_are_served(
    server: WebServer, site: Site, tally: Tally
) -> None:
    stalled = [Silent() for _ in range(STALLED)]
    async with ScriptedStation(f"ws://127.0.0.1:{site.port}", "CP1", KEY) as station:
        for client in stalled:
            await client.say(server.port, ASK * ENOUGH)
        using = [asyncio.create_task(use(server.port, 5)) for _ in range(CLIENTS - STALLED)]
        for status in ("Charging", "Available", "Faulted"):
            await station.report(status)
        assert sum(await asyncio.gather(*using)) == (CLIENTS - STALLED) * 5
        await until(lambda: server.connections == 0, 60, "nobody connected")
        await station.report("Available")
    for client in stalled:
        client.close()
    tally.count(faults=STALLED)


@pytest.mark.row("T87")
@pytest.mark.parametrize("said", [b"", b"GET /livez HTTP/1.1\r\nX-"], ids=["nothing", "half a request"])
async def test_client_that_never_asks_is_dropped(server: WebServer, said: bytes) -> None:
    client = Silent()
    await client.say(server.port, said)
    async with asyncio.timeout(60):
        await client.dropped()
    client.close()


@pytest.mark.row("T87")
async def test_client_too_many_is_turned_away_and_let_in_once_there_is_room() -> None:
    many = [Silent() for _ in range(CLIENTS)]
    async with serving(Patience(connections=CLIENTS)) as server:
        for client in many:
            await client.say(server.port, b"")
        await until(lambda: server.connections == CLIENTS, 60, "everybody connected")
        with pytest.raises(aiohttp.ClientError):
            await use(server.port, 1)
        for client in many:
            client.close()
        await until(lambda: server.connections == 0, 60, "nobody connected")
        assert await use(server.port, 1) == 1
