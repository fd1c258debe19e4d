"""Be a station on a TCP socket, byte by byte: it may break every rule of HTTP and RFC 6455 that a real one breaks."""

from __future__ import annotations

import asyncio
import json
import struct
from dataclasses import dataclass, field
from typing import Any

PATIENCE_S = 5.0
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass
class Wire:
    """One connection, after its handshake was answered."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int
    """0 where the server closed without a word."""
    headers: dict[str, list[str]]
    pongs: bool = True
    called: list[tuple[str, Any]] = field(default_factory=list)
    """Every CALL of the server: its action and its payload."""
    pings: int = 0

    @classmethod
    async def open(cls, port: int, request: bytes, *, pongs: bool = True) -> Wire:
        """Send these bytes, and read the head of what comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        async with asyncio.timeout(PATIENCE_S):
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return cls(reader, writer, 0, {})
        headers: dict[str, list[str]] = {}
        for line in head[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name.lower(), []).append(value.strip())
        return cls(reader, writer, int(head[0].split()[1]), headers, pongs)

    def send(self, payload: bytes, opcode: int = TEXT, *, rsv1: bool = False) -> None:
        """Write one masked frame."""
        first = 0x80 | opcode | (0x40 if rsv1 else 0)
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", first, 0x80 | size)
        elif size < 65_536:
            head = struct.pack("!BBH", first, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", first, 0x80 | 127, size)
        # A mask of zeros is a legal one.
        self.writer.write(head + bytes(4) + payload)

    async def next_frame(self) -> tuple[int, bytes]:
        """Return opcode and payload of the server's next frame; pings are counted, and answered unless told not to."""
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        payload = await self.reader.readexactly(size)
        opcode = first & 0x0F
        if opcode == PING:
            self.pings += 1
            if self.pongs:
                self.send(payload, PONG)
        return opcode, payload

    async def text(self) -> str:
        """Return the server's next text message."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                opcode, payload = await self.next_frame()
                if opcode == TEXT:
                    text = payload.decode()
                    frame = json.loads(text)
                    if frame[0] == 2:
                        self.called.append((frame[2], frame[3]))
                    return text
                assert opcode == PING, f"text expected, and opcode {opcode} came: {payload!r}"

    async def pinged(self, times: int) -> None:
        """Wait until the server has pinged so often."""
        async with asyncio.timeout(PATIENCE_S):
            while self.pings < times:
                opcode, payload = await self.next_frame()
                assert opcode == PING, f"a ping expected, and opcode {opcode} came: {payload!r}"

    async def closed(self) -> int:
        """Wait for the server's close frame, answer it, and return its code."""
        async with asyncio.timeout(PATIENCE_S):
            opcode, payload = CLOSE, b""
            while (opcode := (frame := await self.next_frame())[0]) == PING:
                continue
            payload = frame[1]
        assert opcode == CLOSE, f"a close expected, and opcode {opcode} came: {payload!r}"
        self.send(payload, CLOSE)
        return int(struct.unpack("!H", payload[:2])[0])

    def vanish(self) -> None:
        """Be cut off without a word."""
        self.writer.transport.abort()
