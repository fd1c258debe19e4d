"""Write a mock hub's answer as it should not be: cut off, drop by drop, of a wrong length, without end, compressed.

Knows no hub and no rule. Before it: `server`, which has the right answer. After it: the connection, which it closes.
"""

from __future__ import annotations

import asyncio
import gzip

from simulators.hubs.exchange import Reply
from simulators.hubs.faults import FaultKind, FaultSpec

_BLOCK = b"x" * 2**16
_FULL = 2**20
"""Bytes in a connection's buffer above which an endless answer waits."""


async def write_broken(transport: asyncio.Transport, spec: FaultSpec, reply: Reply) -> None:
    """Write the reply as the fault wants it, then close; returns early where the client has left."""
    body = reply.body() or b"{}"
    match spec.kind:
        case FaultKind.TRUNCATED:
            transport.write(_head(reply, f"Content-Length: {len(body)}") + body[: len(body) // 2])
        case FaultKind.WRONG_LENGTH:
            transport.write(_head(reply, f"Content-Length: {len(body) // 2}") + body)
        case FaultKind.COMPRESSED:
            packed = gzip.compress(body)
            transport.write(_head(reply, f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}") + packed)
        case FaultKind.DRIP:
            await _drip(transport, _head(reply, f"Content-Length: {len(body)}") + body, spec.delay_s)
        case FaultKind.HUGE:
            transport.write(_head(reply, "X-Length: none"))
            await _pour(transport)
        case _:
            raise AssertionError(f"{spec.kind} is no way to write an answer")
    transport.close()


def _head(reply: Reply, length: str) -> bytes:
    """A 204 has no body that could be wrong, so it becomes a 200."""
    status = 200 if reply.status == 204 else reply.status
    lines = (f"HTTP/1.1 {status} X", f"Content-Type: {reply.content_type}", length, "Connection: close")
    return "\r\n".join((*lines, "", "")).encode("latin-1")


async def _drip(transport: asyncio.Transport, data: bytes, every_s: float) -> None:
    for number in range(len(data)):
        if transport.is_closing():
            return
        transport.write(data[number : number + 1])
        await asyncio.sleep(every_s)


async def _pour(transport: asyncio.Transport) -> None:
    while not transport.is_closing():
        if transport.get_write_buffer_size() < _FULL:
            transport.write(_BLOCK)
        await asyncio.sleep(0)
