"""Serve WebSocket connections on a free port until the process is asked to end: what the baselines share.

Plain listener, no compression, no pings. Before it: `ocpp_server`, `websockets_server`.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve


def serve_until_ended(on_connect: Callable[[ServerConnection], Awaitable[None]], port_file: Path) -> None:
    """Serve, and write the port once it listens."""
    asyncio.run(_serve(on_connect, lambda port: port_file.write_text(str(port))))


async def _serve(on_connect: Callable[[ServerConnection], Awaitable[None]], announce: Callable[[int], object]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(
        on_connect, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None, ping_interval=None
    ) as server:
        announce(next(iter(server.sockets)).getsockname()[1])
        await stop.wait()
