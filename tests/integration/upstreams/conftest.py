"""What the conformance suite runs against: each upstream with its mock hub, and servers that misbehave byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bridge.core.model import EvseId
from bridge.upstreams.chargeprice import Chargeprice, ChargepriceOptions
from bridge.upstreams.http import Timeouts
from bridge.upstreams.oicp import Oicp, OicpOptions
from bridge.upstreams.port import Record, Upstream
from simulators.hubs.mocks import MockOptions, Mocks
from simulators.hubs.server import HubServer

COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
PATIENT = Timeouts(timedelta(seconds=5), timedelta(seconds=10))
HASTY = Timeouts(timedelta(seconds=5), timedelta(seconds=1))


@dataclass(frozen=True)
class Subject:
    """One upstream under test, with the literals of its hub."""

    kind: str
    key: str
    """How the hub's ledger names the record's EVSE."""
    words: tuple[str, ...]
    deleted: dict[str, str]
    wrong_account_fault: dict[str, object]
    wrong_row_fault: dict[str, object]
    error_body: str
    """An error in the hub's own shape that says "Störung"."""

    def upstream(self, url: str, timeouts: Timeouts = PATIENT, tls: ssl.SSLContext | None = None) -> Upstream:
        match self.kind:
            case "oicp":
                return Oicp(OicpOptions(url, "DE*ABC", "ABC technologies", timeouts=timeouts), lambda: tls)
            case _:
                return Chargeprice(ChargepriceOptions(url, COMPANY, "demo-key", timeouts=timeouts), lambda: tls)

    def record(self, value: str | None = None, **more: object) -> Record:
        return Record(EvseId("DE*ABC*E1"), value or self.words[0], station_ref="s 1", point_ref="p/1", **more)

    def hub(self, mocks: Mocks) -> HubServer:
        return mocks.hubject if self.kind == "oicp" else mocks.chargeprice

    def url(self, mocks: Mocks) -> str:
        return mocks.hubject_url if self.kind == "oicp" else mocks.chargeprice_url


OICP = Subject(
    kind="oicp",
    key="DE*ABC*E1",
    words=("Available", "Reserved", "Occupied", "OutOfService", "Unknown"),
    deleted={},
    wrong_account_fault={"kind": "result_false", "code": "017"},
    wrong_row_fault={"kind": "result_false", "code": "018"},
    error_body='{"StatusCode": {"Code": "001", "Description": "Störung"}}',
)
CHARGEPRICE = Subject(
    kind="chargeprice",
    key="s 1/p/1",
    words=("available", "occupied", "reserved", "maintainance", "unknown"),
    deleted={"s 1/p/1": "unknown"},
    wrong_account_fault={"kind": "status", "status": 403},
    wrong_row_fault={"kind": "status", "status": 404, "code": "NOT_FOUND"},
    error_body='{"errors": [{"status": "500", "title": "Störung"}]}',
)


@pytest.fixture(params=[OICP, CHARGEPRICE], ids=lambda subject: subject.kind)
def subject(request: pytest.FixtureRequest) -> Subject:
    return request.param


@pytest.fixture
async def mocks() -> AsyncIterator[Mocks]:
    async with Mocks(MockOptions()) as running:
        yield running


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Upstream]]:
    """Make upstreams that are closed at the end."""
    made: list[Upstream] = []

    def make(subject: Subject, url: str, **options: object) -> Upstream:
        made.append(subject.upstream(url, **options))
        return made[-1]

    yield make
    for upstream in made:
        await upstream.close()


@dataclass
class RawServer:
    """A server that answers with bytes of the test's choice."""

    port: int
    requests: list[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def raw_server() -> AsyncIterator[Callable[..., Awaitable[RawServer]]]:
    """Start servers that read one request per connection and then do what the test says."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(script: Script, tls: object = None, *, listens: bool = True) -> RawServer:
            running = RawServer(0, [])

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    if listens:
                        running.requests.append(await reader.readuntil(b"\r\n\r\n"))
                    await script(writer)
                    await writer.drain()
                writer.close()

            server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
            stack.callback(server.close)
            running.port = server.sockets[0].getsockname()[1]
            return running

        yield start
