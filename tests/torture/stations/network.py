"""Be the network between stations and the bridge, and lose connections without telling either end.

A lost connection stays open on both sides and carries nothing any more, as after a NAT has forgotten it: no FIN, no
RST. This machine's TCP still takes what is written into it, until its buffers are full. Knows nothing of OCPP.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_CHUNK = 64 * 1024


@dataclass
class _Connection:
    to_station: asyncio.StreamWriter
    to_bridge: asyncio.StreamWriter
    pumps: tuple[asyncio.Task[None], ...] = ()


class Network:
    """A way to the bridge that can forget connections; it listens inside of `async with`."""

    def __init__(self, bridge_port: int) -> None:
        self._bridge_port = bridge_port
        self._server: asyncio.Server | None = None
        self._carried: list[_Connection] = []
        self._lost: list[_Connection] = []
        self.url = ""
        """Where stations connect to."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self.lose()
        for connection in self._lost:
            connection.to_station.transport.abort()
            connection.to_bridge.transport.abort()

    async def lose(self) -> int:
        """Carry nothing more over what is open now, and tell nobody; return how many connections that were."""
        lost, self._carried = self._carried, []
        pumps = [pump for connection in lost for pump in connection.pumps]
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self._lost += lost
        return len(lost)

    async def hang_up(self) -> None:
        """Let the bridge see the end of every lost connection, long after it happened."""
        for connection in self._lost:
            connection.to_bridge.close()
            with suppress(ConnectionError):
                await connection.to_bridge.wait_closed()

    async def _carry(self, from_station: asyncio.StreamReader, to_station: asyncio.StreamWriter) -> None:
        from_bridge, to_bridge = await asyncio.open_connection("127.0.0.1", self._bridge_port)
        connection = _Connection(to_station, to_bridge)
        connection.pumps = (
            asyncio.create_task(_pump(from_station, to_bridge), name="to the bridge"),
            asyncio.create_task(_pump(from_bridge, to_station), name="to the station"),
        )
        self._carried.append(connection)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
