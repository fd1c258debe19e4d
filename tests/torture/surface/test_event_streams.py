"""Two hundred clients that are told what changes, half of which never read: those are cut, and nobody waits for them.

The shipped web server with the shipped streams, and the shipped central system, share one event loop, as in the
product.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa

from bridge.app.clock import SystemClock
from bridge.app.event_services import FeedOptions, StoreEvents
from bridge.app.wakes import Wakes
from bridge.derive import Derived
from bridge.settings import Settings
from bridge.store.engine import open_store
from bridge.store.stations import EvseKey
from bridge.store.writer import Writer
from bridge.web.server import WebOptions, WebServer, start_web
from bridge.web.shapes import UpstreamList
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation
from tests.catalogue.recording import Tally
from tests.integration.csms.conftest import Site, site, site_of
from tests.integration.csms.fakes import KEY
from tests.integration.web.conftest import TOKEN, FakeServices

__all__ = ["site", "site_of"]

CLIENTS = 200
STALLED = 100
EVSES = 400
ASK = f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
OPTIONS = FeedOptions(pace=timedelta(milliseconds=20), streams=CLIENTS)


async def _nobody() -> UpstreamList:
    return UpstreamList(items=())


class Feeding:
    """The shipped streams over a store of `EVSES` EVSEs, whose statuses the test changes."""

    def __init__(self, events: StoreEvents, wakes: Wakes, writer: Writer, server: WebServer) -> None:
        self.events = events
        self.wakes = wakes
        self.writer = writer
        self.server = server
        self.round = 0

    async def change_all(self) -> str:
        """Change every EVSE's rule, which a report would, and return what it is now."""
        self.round += 1
        rule = f"round {self.round} " + "x" * 150

        def write(conn: sa.Connection, rules: list[str]) -> list[None]:
            for each in rules:
                conn.execute(sa.text("UPDATE evse_state SET rule = :rule"), {"rule": each})
            return [None] * len(rules)

        await self.writer.submit(write, rule)
        self.wakes.derived(Derived(decided={EvseKey(number) for number in range(1, EVSES + 1)}))
        return rule


def _stock(conn: sa.Connection, orders: list[None]) -> list[None]:
    conn.execute(sa.text("INSERT INTO station (id, id_folded, security) VALUES ('S', 's', 1)"))
    for number in range(1, EVSES + 1):
        name = {"n": number, "id": f"DE*ABC*E{number}", "c": f"DEABCE{number}"}
        conn.execute(
            sa.text("INSERT INTO evse (id, evse_id, canonical, station, operator) VALUES (:n, :id, :c, 'S', 'o')"), name
        )
        conn.execute(
            sa.text(
                "INSERT INTO evse_state (evse, version, status, live, rule) VALUES (:n, 1, 'charging', 'charging', '')"
            ),
            name,
        )
    return [None] * len(orders)


@asynccontextmanager
async def feeding(folder: Path, options: FeedOptions = OPTIONS) -> AsyncIterator[Feeding]:
    settings = Settings(state_dir=folder)
    store = open_store(settings.store_url, state_dir=folder)
    store.upgrade()
    writer = Writer(store)
    writer.start()
    await writer.submit(_stock, None)
    wakes, clock = Wakes(), SystemClock()
    events = StoreEvents(
        settings,
        store,
        writer,
        wakes.noticing,
        clock=clock,
        new_generation=lambda: "torture",
        upstreams=_nobody,
        options=options,
    )
    task = asyncio.create_task(events.run())
    services = FakeServices()
    services.events = events  # type: ignore[assignment]
    server = await start_web(WebOptions(port=0), services, TOKEN)  # type: ignore[arg-type]
    try:
        yield Feeding(events, wakes, writer, server)
    finally:
        await server.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await writer.stop()
        await store.close()


async def read_until(port: int, rule: asyncio.Future[str], connected: asyncio.Event) -> int:
    """Follow the stream until every EVSE has the rule; return how many events that took."""
    now: dict[str, str] = {}
    seen = 0
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=timeout) as http,
        http.get(f"http://127.0.0.1:{port}/api/v1/events?events=status") as response,
    ):
        name = ""
        async for line in response.content:
            text = line.decode().strip()
            if text.startswith("event: "):
                name = text.removeprefix("event: ")
            if not text.startswith("data: "):
                continue
            seen += 1
            if name == "reset":
                connected.set()
                continue
            data = json.loads(text.removeprefix("data: "))
            now[data["evse_id"]] = data["rule"]
            if rule.done() and len(now) == EVSES and set(now.values()) == {rule.result()}:
                return seen
    raise AssertionError("the stream ended")


class Silent:
    """A client that asks for the stream and never reads."""

    def __init__(self) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)

    async def ask(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", port))
        await loop.sock_sendall(self.socket, ASK)


@pytest.mark.row("T87")
async def test_nobody_waits_for_clients_that_never_read_and_everybody_else_ends_with_the_newest(
    tmp_path: Path, site: Site, tally: Tally
) -> None:
    async with feeding(tmp_path) as fed, ScriptedStation(f"ws://127.0.0.1:{site.port}", "CP1", KEY) as station:
        silent = [Silent() for _ in range(STALLED)]
        for client in silent:
            await client.ask(fed.server.port)
        last: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        connected = [asyncio.Event() for _ in range(CLIENTS - STALLED)]
        reading = [asyncio.create_task(read_until(fed.server.port, last, each)) for each in connected]
        for each in connected:
            await asyncio.wait_for(each.wait(), 60)
        for number in range(12):
            rule = await fed.change_all()
            await station.report("Charging" if number % 2 else "Available")
        last.set_result(rule)
        events = await asyncio.wait_for(asyncio.gather(*reading), 90)
        assert min(events) > EVSES
        await station.report("Available")
        for client in silent:
            client.socket.close()
        tally.count(faults=STALLED)


@pytest.mark.row("T87")
async def test_clients_that_come_and_go_leave_nothing_behind(tmp_path: Path) -> None:
    async with feeding(tmp_path) as fed:
        for _ in range(3):
            clients = [Silent() for _ in range(50)]
            for client in clients:
                await client.ask(fed.server.port)
            await until(lambda: fed.wakes.noticing.listening, 60, "somebody listens")
            for client in clients:
                client.socket.close()
        await until(lambda: fed.server.connections == 0, 60, "nobody connected")


@pytest.mark.row("T87")
async def test_stream_too_many_is_turned_away_and_let_in_once_there_is_room(tmp_path: Path) -> None:
    async with (
        feeding(tmp_path, replace(OPTIONS, streams=3)) as fed,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        url = f"http://127.0.0.1:{fed.server.port}/api/v1/events"
        opened = [await http.get(url) for _ in range(3)]
        async with http.get(url) as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        opened.pop().close()

        async def let_in() -> bool:
            async with http.get(url) as again:
                return again.status == 200

        await until(let_in, 60, "somebody is let in")
        for each in opened:
            each.close()
