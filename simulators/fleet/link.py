"""Keep one station connected: open its connections, end them, try again, and leave them half open where that is wanted.

Never decides what is said: `station` talks over each connection that this module opens. Before it: `station`. After it:
`line`, which opens a connection; `mouth`, which stands before its socket where the station has quirks.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus, WebSocketException

from simulators.fleet.counts import Counts
from simulators.fleet.credentials import Credentials
from simulators.fleet.layout import StationSpec, Version
from simulators.fleet.line import Line, end_tasks, open_connection
from simulators.fleet.mouth import Mouth, Situation
from simulators.fleet.quirks import Quirk
from simulators.fleet.station16 import Station16
from simulators.fleet.station21 import Station21
from simulators.fleet.station201 import Station201
from simulators.fleet.wire import Asked, Wire

_REFUSALS = frozenset({401, 403, 404})
_BACKOFF_FIRST_S = 0.25
_BACKOFF_LAST_S = 5.0
_SILENCE_LEAST, _SILENCE_MOST = timedelta(minutes=6), timedelta(minutes=19)
"""In the station's own time. Source: docs/hardware.md #28."""
_LEFT_OPEN = 3
"""Half-open connections of one station at a time; the oldest ends when there is one more."""

_SPEAKERS: dict[Version, Any] = {Version.V16: Station16, Version.V201: Station201, Version.V21: Station21}


@dataclass(frozen=True, slots=True)
class Talk:
    """What a station does with a connection."""

    over: Callable[[Wire], Awaitable[None]]
    """Speaks over it until it ends."""
    asked: Asked
    """Takes what the server asks for."""
    booted: Callable[[], bool]
    """Whether its BootNotification was accepted."""


class Link:
    """One station's way to its server, over all of its connections."""

    def __init__(
        self,
        spec: StationSpec,
        line: Line,
        counts: Counts,
        chance: random.Random,
        credentials: Credentials,
        talk: Talk,
        at_rest: asyncio.Event,
    ) -> None:
        """`at_rest` is set where the network must not stay away; `chance` spreads the tries."""
        self.refused: int | None = None
        """HTTP status of the last refused handshake; None since one was accepted."""
        self.ever_connected = False
        self._spec = spec
        self._line = line
        self._counts = counts
        self._random = chance
        self._credentials = credentials
        self._talk = talk
        self._at_rest = at_rest
        self._connection: ClientConnection | None = None
        self._leave = asyncio.Event()
        self._leaves_open = False
        self._left_open: deque[ClientConnection] = deque()
        self._failures = 0
        self._network_back_at = 0.0

    @property
    def connected(self) -> bool:
        """Say whether the WebSocket is open."""
        return self._connection is not None

    async def keep(self) -> None:
        """Connect, and connect again, until cancelled."""
        try:
            while True:
                await self._network_returns()
                try:
                    await self._session()
                except InvalidStatus as refusal:
                    self._note_refusal(refusal.response.status_code)
                except (OSError, WebSocketException) as error:  # OSError includes TimeoutError
                    self._counts.note_failure(error, connected=self.ever_connected)
                await asyncio.sleep(self._backoff())
        finally:
            for connection in self._left_open:
                connection.transport.abort()

    def accepted(self) -> None:
        """Note that the server took the station: the next try after a loss comes soon."""
        self._failures = 0

    def lose(self, lasting: timedelta) -> None:
        """Lose the network for so long, in the station's own time."""
        if Quirk.SILENT_BEFORE_REDIAL in self._spec.quirks:
            lasting += _SILENCE_LEAST + (_SILENCE_MOST - _SILENCE_LEAST) * self._random.random()
        self._network_back_at = asyncio.get_running_loop().time() + lasting.total_seconds() / self._line.speed
        if Quirk.HALF_OPEN in self._spec.quirks:
            self.leave_open()
        elif self._connection is not None:
            self._connection.transport.abort()
            self._connection = None

    def leave_open(self) -> None:
        """Neither read nor write the connection any more, leave its TCP open, and connect anew."""
        self._leaves_open = self.connected
        self._connection = None
        self._leave.set()

    def reconnect(self) -> None:
        """Close the connection and open another."""
        self._leave.set()

    async def _network_returns(self) -> None:
        left = self._network_back_at - asyncio.get_running_loop().time()
        if left > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._at_rest.wait()

    def _note_refusal(self, status: int) -> None:
        self._counts.refusals += 1
        self.refused = status if status in _REFUSALS else None
        if self.refused is None:
            self._counts.last_failure = f"HTTP {status}"

    def _backoff(self) -> float:
        full: float = min(_BACKOFF_LAST_S, _BACKOFF_FIRST_S * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        return full * self._random.uniform(0.5, 1.0)

    async def _session(self) -> None:
        connection = await open_connection(self._spec, self._line, self._credentials)
        self._leave.clear()
        self._connection, self.refused, self.ever_connected = connection, None, True
        self._counts.connections += 1
        mouth = self._mouth(connection)
        wire = wire_of(self._spec, mouth or connection, self._talk.asked, self._line.response_timeout)
        tasks = (
            asyncio.create_task(wire.start(), name=f"listen-{self._spec.station}"),
            asyncio.create_task(_run(self._talk.over(wire)), name=f"speak-{self._spec.station}"),
            asyncio.create_task(_run(self._leave.wait()), name=f"leave-{self._spec.station}"),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._connection = None
            await end_tasks(tasks)
            if mouth is not None:
                await mouth.end()
            await self._end(connection)

    async def _end(self, connection: ClientConnection) -> None:
        if not self._leaves_open:
            await connection.close(code=1001)
            return
        self._leaves_open = False
        self._counts.left_open += 1
        connection.transport.pause_reading()
        if connection.keepalive_task is not None:
            connection.keepalive_task.cancel()
        self._left_open.append(connection)
        if len(self._left_open) > _LEFT_OPEN:
            self._left_open.popleft().transport.abort()

    def _mouth(self, connection: ClientConnection) -> Mouth | None:
        quirks = self._spec.quirks
        return Mouth(connection, quirks, Situation(self._talk.booted, self._line.speed)) if quirks else None


async def _run(work: Awaitable[object]) -> None:
    await work


def wire_of(spec: StationSpec, socket: ClientConnection | Mouth, asked: Asked, timeout: timedelta) -> Wire:
    """Return what speaks the station's version over an open connection."""
    speaker = _SPEAKERS[spec.version](spec, socket, asked, timeout)
    if Quirk.REPEATED_IDS in spec.quirks:
        speaker._unique_id_generator = itertools.count(1).__next__
    wire: Wire = speaker
    return wire
