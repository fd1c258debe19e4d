"""Open a station's WebSocket as OCPP-J wants it, and end the tasks that use it.

Never speaks OCPP. Before it: `station`, which decides when to connect. After it: the server.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import NegotiationError
from websockets.typing import Subprotocol

from simulators.fleet import station16, station201
from simulators.fleet.layout import StationSpec, Version


@dataclass(frozen=True, slots=True)
class Line:
    """How a station reaches its server."""

    url: str
    """The station's identity is appended to it as the last path segment."""
    speed: float = 1.0
    """How much faster than real the behaviour runs."""
    response_timeout: timedelta = timedelta(seconds=30)


async def open_connection(spec: StationSpec, line: Line) -> ClientConnection:
    """Open the WebSocket with the station's id in the path, its subprotocol and HTTP Basic.

    Raises: OSError, TimeoutError, websockets' InvalidHandshake (InvalidStatus where the server refuses).
    Source: OCPP-J 1.6 §3.1, §6.2; OCPP 2.0.1 Part 4 §3.1.
    """
    subprotocol = station16.SUBPROTOCOL if spec.version is Version.V16 else station201.SUBPROTOCOL
    credentials = base64.b64encode(f"{spec.station}:{spec.key}".encode()).decode()
    connection = await connect(
        f"{line.url.rstrip('/')}/{quote(spec.station, safe='')}",
        subprotocols=[Subprotocol(subprotocol)],
        additional_headers={"Authorization": f"Basic {credentials}"},
        compression=None,
        proxy=None,
        open_timeout=15,
        close_timeout=2,
        ping_interval=30,
        ping_timeout=30,
    )
    if connection.subprotocol != subprotocol:
        await connection.close(code=1002)
        raise NegotiationError(f"the server did not choose {subprotocol}")
    return connection


async def end_tasks(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: on Python 3.11 `asyncio.wait_for`, which the `ocpp` package waits with, swallows a cancellation
    that arrives together with the answer.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=0.2)
        for task in done:
            if not task.cancelled():
                task.exception()  # the first to end has already told why
