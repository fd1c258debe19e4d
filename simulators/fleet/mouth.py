"""Stand between the `ocpp` package and the WebSocket of a station with quirks: what it hears, when, and what it sends.

Never decides what a station says. Before it: `station16`, `station201`, `station21`. Beside it: `garbling`, which
rewrites what goes out. After it: the socket.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from simulators.fleet.garbling import Garbler
from simulators.fleet.line import end_tasks
from simulators.fleet.quirks import Quirk

_CALL, _CALL_RESULT = 2, 3
_GOING_AWAY = 1001
IDLE = timedelta(seconds=110)
RECONNECTS_AFTER = timedelta(seconds=30)
TRIGGER_ANSWERED_AFTER = timedelta(seconds=60)
"""In the station's own time, as real devices were seen to do."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a mouth asks of its station."""

    booted: Callable[[], bool]
    """Whether its BootNotification was accepted."""
    speed: float


class Mouth:
    """A station's socket on one connection, as the `ocpp` package uses it; `end` it with the connection."""

    def __init__(self, connection: ClientConnection, quirks: Collection[str], situation: Situation) -> None:
        """Have the quirks of these names that show on the wire."""
        self._connection = connection
        self._quirks = frozenset(quirks)
        self._situation = situation
        self._garbler = Garbler(quirks)
        self._triggers: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._spoke = asyncio.Event()
        if Quirk.FAST_RECONNECT in quirks:
            self._own(self._close_after(RECONNECTS_AFTER))
        if Quirk.IDLE_CLOSE in quirks:
            self._own(self._close_when_idle())

    async def recv(self) -> str | bytes:
        """Return the next message that the station hears. Raises: ConnectionClosed."""
        while True:
            text: str | bytes = await self._connection.recv()
            self._spoke.set()
            call = _call_of(text)
            if call is None:
                return text
            if Quirk.DIES_ON_EARLY_CALL in self._quirks and not self._situation.booted():
                self._connection.transport.abort()
                continue  # the next recv says that the connection is closed
            if Quirk.HEARTBEAT_ONLY in self._quirks:
                continue
            message_id, action = call
            if action in ("TriggerMessage", "ExtendedTriggerMessage"):
                self._triggers.add(message_id)
            return text

    async def send(self, text: str) -> None:
        """Send what the station makes of this message. Raises: ConnectionClosed."""
        if Quirk.SLOW_TRIGGER in self._quirks and self._answers_trigger(text):
            self._own(self._send_later(text))
            return
        await self._send(text)

    async def end(self) -> None:
        """End what still waits to be sent."""
        await end_tasks(self._tasks)

    async def _send(self, text: str) -> None:
        self._spoke.set()
        for message in self._garbler.outgoing(text):
            await self._connection.send(message.content, text=message.is_text)

    async def _send_later(self, text: str) -> None:
        await self._sleep(TRIGGER_ANSWERED_AFTER)
        with suppress(ConnectionClosed):
            await self._send(text)

    def _answers_trigger(self, text: str) -> bool:
        kind, message_id, *_ = json.loads(text)
        if kind != _CALL_RESULT or message_id not in self._triggers:
            return False
        self._triggers.discard(message_id)
        return True

    async def _close_after(self, delay: timedelta) -> None:
        await self._sleep(delay)
        await self._connection.close(code=_GOING_AWAY)

    async def _close_when_idle(self) -> None:
        with suppress(TimeoutError):
            while True:
                self._spoke.clear()
                async with asyncio.timeout(IDLE.total_seconds() / self._situation.speed):
                    await self._spoke.wait()
        await self._connection.close(code=_GOING_AWAY)

    async def _sleep(self, delay: timedelta) -> None:
        await asyncio.sleep(delay.total_seconds() / self._situation.speed)

    def _own(self, work: Any) -> None:
        task = asyncio.create_task(work, name="quirk")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _call_of(text: str | bytes) -> tuple[str, str] | None:
    """Return message id and action where the server asks something."""
    try:
        frame = json.loads(text)
        return (frame[1], frame[2]) if frame[0] == _CALL else None
    except (ValueError, LookupError, TypeError):
        return None
