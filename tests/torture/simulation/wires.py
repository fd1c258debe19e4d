"""Pretend to be the network between one station and the bridge: a WebSocket without a socket.

The bridge's end is a `StationSocket`, so that the shipped session takes it as its own. Frames take their time, keep
their order, and are swallowed where the wire is half-open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any

from websockets.exceptions import ConnectionClosedError
from websockets.frames import CloseCode

from csms.ports import Direction
from csms.websocket import Claim, StationSocket


class Wire:
    """What lies between both ends of one connection."""

    def __init__(self, latency_s: Callable[[], float], world: Context) -> None:
        """`world`: the context of what outlives the bridge."""
        self._latency_s = latency_s
        self._world = world
        self._loop = asyncio.get_running_loop()
        self._last: dict[object, float] = {}
        self.half_open = False
        """Frames of either side vanish, and so does the news of its end."""

    def carry(self, deliver: Callable[..., None], *arguments: Any) -> None:
        """Deliver after the latency, behind what is on its way already."""
        if self.half_open:
            return
        at = max(self._loop.time() + self._latency_s(), self._last.get(deliver, 0.0))
        self._last[deliver] = at
        self._loop.call_at(at, self._arrive, deliver, arguments, context=self._world)

    def _arrive(self, deliver: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        if not self.half_open:
            deliver(*arguments)


class BridgeEnd(StationSocket):
    """The bridge's end: what `csms` calls of its socket, and nothing of TCP."""

    def __init__(self, wire: Wire, claim: Claim, to_station: Callable[[str | None], None], read: Callable[[], None]):
        """Send texts to `to_station`, None for the end; call `read` whenever a frame has just been read."""
        self.claim = claim
        self._wire = wire
        self._to_station = to_station
        self._read = read
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._closed = asyncio.Event()
        self._code, self._reason = CloseCode.ABNORMAL_CLOSURE, ""

    @property
    def remote(self) -> str:
        """Address and port, as text."""
        return "127.0.0.1:1" if self.claim is None else self.claim.remote

    @property
    def end(self) -> tuple[int, str]:
        """Close code and reason."""
        return self._code, self._reason

    @property
    def broken_rule(self) -> int | None:
        """None: frames here are never broken."""
        return None

    @property
    def crowded(self) -> bool:
        """Has the station sent on without waiting for our answers."""
        return self._frames.qsize() > 2

    def arrive(self, text: str | None) -> None:
        """Take a frame of the station; None is the end of its connection."""
        if not self._closed.is_set():
            self._frames.put_nowait(None if text is None else text.encode())

    def cut(self) -> None:
        """End with the process: nothing is read or sent any more; what is on its way arrives, and then the end does."""
        if not self._closed.is_set():
            self._wire.carry(self._to_station, None)
        self._closed.set()
        self._frames.put_nowait(None)

    async def receive(self, *, decode: bool | None = None) -> str | bytes:
        """Return the next message."""
        frame = None if self._closed.is_set() else await self._frames.get()
        if frame is None:
            self._closed.set()
            raise ConnectionClosedError(None, None)
        self._read()
        if self.on_message is not None:
            self.on_message(Direction.FROM_STATION, frame)
        return frame

    async def answer(self, text: str, timeout_s: float) -> None:
        """Send one text message."""
        if self._closed.is_set():
            raise ConnectionClosedError(None, None)
        if self.on_message is not None:
            self.on_message(Direction.TO_STATION, text)
        self._wire.carry(self._to_station, text)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close from our side."""
        if self._closed.is_set():
            return
        self._code, self._reason = CloseCode(code), reason
        self._closed.set()
        self._frames.put_nowait(None)
        self._wire.carry(self._to_station, None)

    async def wait_closed(self) -> None:
        """Wait until either side has closed."""
        await self._closed.wait()

    async def ping(self, data: Any = None) -> Awaitable[float]:
        """Promise a pong that does not come."""
        return asyncio.get_running_loop().create_future()

    def ping_unanswered(self) -> None:
        """Send a ping, whose pong is a sign of life; nobody is there on a half-open wire."""
        if not self._closed.is_set() and not self._wire.half_open and self.on_control_frame is not None:
            self.on_control_frame()

    def pause_for(self, seconds: float) -> None:
        """Nothing: no seed sends control frames."""

    def refuse(self, code: CloseCode, reason: str) -> bool:
        """Close at once."""
        if self._closed.is_set():
            return False
        self._code, self._reason = code, reason
        self._closed.set()
        self._frames.put_nowait(None)
        self._wire.carry(self._to_station, None)
        return True
