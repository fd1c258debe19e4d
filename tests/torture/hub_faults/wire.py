"""Play a hub that misbehaves byte by byte: steps as data, and the server that carries them out.

A connection takes one request after the other. One of all requests meets the steps; every other one is answered as
the hub would, so that what a fault leaves behind is seen. Never imports the product.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

_MOST_POURED = 512 * 2**20
TCP_REPAIR = 19
"""Source: linux/tcp.h. A socket in repair that is closed sends nothing; root alone may do that."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Say:
    """Send these bytes; `%(body)b` and `%(length)d` in them are the hub's own success and how long it is."""

    text: bytes


@dataclass(frozen=True)
class Raw:
    """Send these bytes as they are."""

    data: bytes


@dataclass(frozen=True)
class Drip:
    """Send one of these bytes every so often, then go on."""

    data: bytes
    every_s: float = 0.05


@dataclass(frozen=True)
class Pour:
    """Send these bytes again and again, until the client is gone."""

    data: bytes


@dataclass(frozen=True)
class Hang:
    """Say nothing more, and close nothing."""


@dataclass(frozen=True)
class Close:
    """Close as a well-behaved server does: FIN."""


@dataclass(frozen=True)
class Reset:
    """Close with RST."""


@dataclass(frozen=True)
class Vanish:
    """Go as a machine does that lost its power: no packet says so, and later ones are answered by RST."""


@dataclass(frozen=True)
class Under:
    """Send these bytes beneath TLS, where a record should be."""

    data: bytes


@dataclass(frozen=True)
class Cut:
    """Close without TLS's own farewell: FIN alone."""


@dataclass(frozen=True)
class Pause:
    """Wait for a moment."""

    seconds: float


Step = Say | Raw | Drip | Pour | Hang | Close | Reset | Vanish | Under | Cut | Pause


@dataclass
class Played:
    """The server, and what it saw."""

    success: bytes
    """The answer of the hub that accepts."""
    body: bytes
    steps: tuple[Step, ...] = ()
    meets: int = 1
    """The number of the request that meets the steps."""
    port: int = 0
    scheme: str = "http"
    requests: list[bytes] = field(default_factory=list)
    """Every request with its body, in the order of arrival."""
    connections: int = 0
    poured: int = 0
    overlaps: int = 0
    """Requests that came while another one was open, of a client that had not left."""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    left: bool = False
    open: set[asyncio.StreamReader] = field(default_factory=set)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has left while it was poured to, or kept waiting."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def leave(self) -> None:
        """Close every connection; who comes anew is turned away."""
        self.left = True
        for writer in self.writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        self.connections += 1
        self.writers.append(writer)
        if self.left:
            writer.transport.abort()
        # Cancelled with the test's loop: a task that ended so would be logged as an error.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                self.requests.append(await _request(reader))
                await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.overlaps += any(not _left(other) for other in self.open)
        self.open.add(reader)
        try:
            for step in self.steps if len(self.requests) == self.meets else (Raw(self.success),):
                await self._play(step, reader, writer)
        finally:
            self.open.discard(reader)

    async def _play(self, step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match step:
            case Say(text):
                writer.write(text % {b"body": self.body, b"length": len(self.body)})
            case Raw(data):
                writer.write(data)
            case Drip(data, every_s):
                for number in range(len(data)):
                    writer.write(data[number : number + 1])
                    await writer.drain()
                    await asyncio.sleep(every_s)
            case Pour(data):
                await self._pour(data, writer)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Hang():
                await reader.read(1)
                self.gone.set()
                writer.close()
            case Close():
                writer.close()
            case Reset():
                _end(writer, socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            case Vanish():
                _end(writer, socket.IPPROTO_TCP, TCP_REPAIR, 1)
            case Under(data):
                os.write(writer.get_extra_info("socket").fileno(), data)
            case Cut():
                writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
        await writer.drain()

    async def _pour(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            while self.poured < _MOST_POURED:
                writer.write(data)
                self.poured += len(data)
                await writer.drain()
                await asyncio.sleep(0)
        finally:
            self.gone.set()


def _left(reader: asyncio.StreamReader) -> bool:
    return reader.at_eof() or reader.exception() is not None


def _end(writer: asyncio.StreamWriter, level: int, option: int, value: int | bytes) -> None:
    writer.get_extra_info("socket").setsockopt(level, option, value)
    writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [
        int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    ]
    return head + (await reader.readexactly(lengths[0]) if lengths else b"")


@contextlib.asynccontextmanager
async def playing(
    steps: Sequence[Step],
    success: bytes,
    body: bytes,
    tls: ssl.SSLContext | None = None,
    meets: int = 1,
    place: tuple[str, int] = ("127.0.0.1", 0),
) -> AsyncIterator[Played]:
    """Serve at a place, port 0 being a free one."""
    played = Played(success, body, tuple(steps), meets, scheme="http" if tls is None else "https")
    server = await asyncio.start_server(played.serve, *place, ssl=tls)
    played.port = server.sockets[0].getsockname()[1]
    try:
        yield played
    finally:
        server.close()


@contextlib.contextmanager
def blackhole() -> Iterator[int]:
    """Yield a port of 127.0.0.1 that answers no SYN: a listener that accepts nobody, with its queue full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
