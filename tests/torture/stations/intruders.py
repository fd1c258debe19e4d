"""Knock at the bridge's door as nobody honest does: thousands of times, from many addresses, or without ever finishing.

Every address of 127.0.0.0/8 is this machine's, so that intruders need not have the address of the stations.
"""

from __future__ import annotations

import asyncio
import base64
import resource
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import TypeVar

import pytest

_Result = TypeVar("_Result")
_AT_ONCE = 20
_PATIENCE_S = 30.0


def enough_files(wanted: int) -> None:
    """Let this process, and those that it starts, open so many files; skip the test where that is not allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"needs {wanted} open files, and {hard} are allowed here (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def knock(port: int, station: str, password: str | None, source: str) -> int:
    """Try to connect as a station, and return the HTTP status; one that is let in hangs up."""
    login = base64.b64encode(f"{station}:{password}".encode()).decode()
    authorization = "" if password is None else f"Authorization: Basic {login}\r\n"
    async with asyncio.timeout(_PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        writer.write(
            f"GET /{station} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: ocpp1.6\r\n{authorization}\r\n".encode()
        )
        status = int((await reader.readline()).split()[1])
        writer.transport.abort()
        return status


async def hang(port: int, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Begin a handshake and never finish it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    writer.write(b"GET /SOMEBODY HTTP/1.1\r\nHost: ")
    return reader, writer


async def is_cut(reader: asyncio.StreamReader) -> bool:
    """Wait until the bridge hangs up; False where it answered."""
    async with asyncio.timeout(_PATIENCE_S):
        with suppress(ConnectionError):
            return await reader.read() == b""
        return True


async def some_at_a_time(work: Iterable[Awaitable[_Result]]) -> list[_Result]:
    """Await everything, a bounded number at once, and return the results in the order of the work."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(awaitable: Awaitable[_Result]) -> _Result:
        async with places:
            return await awaitable

    return await asyncio.gather(*(one(awaitable) for awaitable in work))
