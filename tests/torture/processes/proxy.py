"""Stand between the bridge and its PostgreSQL server: slow every question down, or cut the line at a COMMIT.

Forwards bytes and understands one thing of them: that a client asks for a COMMIT. Never touches a connection that is
not the writer's, save for the slowness. Source: PostgreSQL, Frontend/Backend Protocol, Query and StartupMessage.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qs, urlsplit

_COMMIT = b"COMMIT\x00"
_WRITER = b"ocpp-bridge writer"
_SOCKET = ".s.PGSQL.5432"
_CHUNK = 65_536


class Cut(Enum):
    """What has become of a COMMIT when its line is cut: the client cannot tell these two apart."""

    BEFORE = "the server never got it"
    AFTER = "the server did it, and its answer is lost"


@dataclass(slots=True)
class Proxy:
    """A TCP port of 127.0.0.1 that leads to a server's Unix socket."""

    server: str
    """The server's own URL."""
    delay_s: float = 0.0
    """How much later each message of a client arrives."""
    cuts: list[Cut] = field(default_factory=list)
    """The cuts made so far."""
    port: int = 0
    _wanted: list[Cut] = field(default_factory=list)
    _lines: set[asyncio.Task[None]] = field(default_factory=set)
    _listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._listener = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every line."""
        if self._listener is not None:
            self._listener.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def url(self, database: str) -> str:
        """Return the URL of a database by this way."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    def cut(self, cut: Cut) -> None:
        """Cut the writer's line at its next COMMIT."""
        self._wanted.append(cut)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        folder = parse_qs(urlsplit(self.server).query)["host"][0]
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        ends = [writer]
        try:
            with suppress(OSError):
                to_reader, to_writer = await asyncio.open_unix_connection(f"{folder}/{_SOCKET}")
                ends.append(to_writer)
                await self._forward(reader, writer, to_reader, to_writer)
        finally:
            self._lines.discard(task)
            for end in ends:
                end.transport.abort()

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        to_reader: asyncio.StreamReader,
        to_writer: asyncio.StreamWriter,
    ) -> None:
        """Forward both ways until one end closes, or the line is cut."""
        answered = asyncio.Event()
        asking = asyncio.create_task(self._ask(reader, to_writer, answered), name="asking")
        answering = asyncio.create_task(_answer(to_reader, writer, answered), name="answering")
        _, open_ = await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
        for task in open_:
            task.cancel()
        await asyncio.gather(asking, answering, return_exceptions=True)

    async def _ask(self, reader: asyncio.StreamReader, to_writer: asyncio.StreamWriter, swallow: asyncio.Event) -> None:
        is_writer = False
        while data := await reader.read(_CHUNK):
            is_writer = is_writer or _WRITER in data
            await asyncio.sleep(self.delay_s)
            if is_writer and self._wanted and _COMMIT in data:
                cut = self._wanted.pop(0)
                self.cuts.append(cut)
                if cut is Cut.BEFORE:
                    return
                swallow.set()
            to_writer.write(data)
            await to_writer.drain()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, swallow: asyncio.Event) -> None:
    while data := await reader.read(_CHUNK):
        if swallow.is_set():
            return
        writer.write(data)
        await writer.drain()
