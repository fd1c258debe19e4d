"""What a name server that fails, is slow or tells a new address does to the requests, and to everything beside them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from bridge.upstreams.http import HttpClient, Lost, NotSent, Replied, Timeouts
from bridge.upstreams.names import Found, Names
from tests.acceptance.processes import until
from tests.torture.hub_faults.subjects import OICP_SUCCESS, SUBJECTS
from tests.torture.hub_faults.wire import Close, Played, Raw, blackhole, playing

pytestmark = pytest.mark.row("T40")

SUCCESS = SUBJECTS[0].success
POOL = 40
"""More lookups than the loop's own pool has threads."""
URL = "http://hub.example/"


def at(*places: tuple[str, int]) -> Found:
    """Return what getaddrinfo does for a host at these addresses; ports are the servers' of the test."""
    return [
        (
            socket.AF_INET6 if ":" in host else socket.AF_INET,
            socket.SOCK_STREAM,
            socket.IPPROTO_TCP,
            "",
            (host, port, 0, 0) if ":" in host else (host, port),
        )
        for host, port in places
    ]


class NameServer:
    """A name server of the test: tells `found`, or raises it; while `slow` it says nothing."""

    def __init__(self, found: Found | OSError) -> None:
        self.found = found
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()

    def look_up(self, _host: str, _port: int, **_: Any) -> Found:
        self.asked += 1
        assert self.answers.wait(30)
        if isinstance(self.found, OSError):
            raise self.found
        return self.found


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., HttpClient]]:
    made: list[HttpClient] = []

    def make(server: NameServer, connect_s: float = 5.0) -> HttpClient:
        timeouts = Timeouts(timedelta(seconds=connect_s), timedelta(seconds=10))
        made.append(HttpClient(timeouts, names=Names(server.look_up)))
        return made[-1]

    yield make
    for client in made:
        await client.close()


@contextlib.asynccontextmanager
async def hub(*steps: Any) -> AsyncIterator[Played]:
    async with playing(steps or (Raw(SUCCESS),), SUCCESS, OICP_SUCCESS) as played:
        yield played


FAILURES = [
    pytest.param(socket.EAI_NONAME, "Name or service not known", id="nxdomain"),
    pytest.param(socket.EAI_AGAIN, "Temporary failure in name resolution", id="servfail"),
    pytest.param(socket.EAI_NODATA, "No address associated with hostname", id="no-data"),
]


@pytest.mark.parametrize(("code", "words"), FAILURES)
async def test_a_name_that_is_not_found_sends_nothing_and_says_why(connect, code: int, words: str) -> None:
    server = NameServer(socket.gaierror(code, words))
    client = connect(server)
    exchange = await client.send("POST", URL, {}, {})
    assert isinstance(exchange, NotSent)
    assert exchange.why == f"no address found for host hub.example: {words}"
    async with hub() as played:
        server.found = at(("127.0.0.1", played.port))
        assert isinstance(await client.send("POST", URL, {}, {}), Replied)


async def test_a_slow_name_server_ends_the_attempt_and_is_asked_once(connect) -> None:
    server = NameServer([])
    server.answers.clear()
    client = connect(server, connect_s=0.1)
    for _ in range(3):
        exchange = await client.send("POST", URL, {}, {})
        assert isinstance(exchange, NotSent)
        assert exchange.why == "no connection in time: no name server has told the hub's address"
        await client.close()
    assert server.asked == 1
    async with hub() as played:
        server.found = at(("127.0.0.1", played.port))
        server.answers.set()

        async def reached() -> bool:
            return isinstance(await client.send("POST", URL, {}, {}), Replied)

        await until(reached, 5, "the hub reached")
    assert server.asked <= 2


async def test_many_slow_lookups_keep_no_file_from_being_read(connect, tmp_path) -> None:
    server = NameServer(socket.gaierror(socket.EAI_AGAIN, "too late"))
    server.answers.clear()
    file = tmp_path / "key"
    file.write_text("key", encoding="utf-8")
    sending = [asyncio.create_task(connect(server).send("POST", URL, {}, {})) for _ in range(POOL)]
    await until(lambda: server.asked == POOL, 5, "every lookup begun")
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(file.read_text, encoding="utf-8") == "key"
        await asyncio.get_running_loop().shutdown_default_executor()
    server.answers.set()
    assert all(isinstance(exchange, NotSent) for exchange in await asyncio.gather(*sending))


async def test_a_hub_that_moved_is_met_at_its_new_address_when_the_old_one_is_gone(connect) -> None:
    async with hub(Raw(SUCCESS), Close()) as old, hub() as new:
        server = NameServer(at(("127.0.0.1", old.port)))
        client = connect(server)
        await client.send("POST", URL, {}, {})
        server.found = at(("127.0.0.1", new.port))
        await client.close()
        assert isinstance(await client.send("POST", URL, {}, {}), Replied)
        assert (len(old.requests), len(new.requests)) == (1, 1)


async def test_one_dead_address_of_two_costs_a_moment_and_no_attempt(connect) -> None:
    async with hub() as played:
        with blackhole() as dead:
            client = connect(NameServer(at(("127.0.0.1", dead), ("127.0.0.1", played.port))))
            assert isinstance(await client.send("POST", URL, {}, {}), Replied)


async def test_an_ipv6_address_that_refuses_gives_way_to_ipv4(connect) -> None:
    async with hub() as played:
        client = connect(NameServer(at(("::1", 9), ("127.0.0.1", played.port))))
        assert isinstance(await client.send("POST", URL, {}, {}), Replied)


async def test_a_host_s_name_that_cannot_be_one_is_no_failure_of_ours() -> None:
    client = HttpClient(Timeouts())
    exchange = await client.send("POST", f"http://{'a' * 64}.example/", {}, {})
    await client.close()
    assert isinstance(exchange, NotSent)
    assert not isinstance(exchange, Lost)
