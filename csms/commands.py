"""Call a station and match its answers: one CALL in flight per station, each with a deadline.

Never retries and never decides what an outcome means. Before it: `resync`, and operators' orders. After it: the
session's socket; `incoming` gives every CALLRESULT and CALLERROR back to `answered`, `failed` and `unreadable`.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from csms import frames

MOST_ORDERS = 16
"""Operators' orders that may wait for one station, the one in flight included."""

SILENT_AFTER = 3
"""Calls in a row without an answer, after which a station counts as one that takes no commands. Some go on sending
heartbeats and answer nothing until they reconnect (facts/hardware-and-ocpp-libraries.md §2.2 #32)."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The station sent a CALLRESULT; its payload is not validated."""

    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The station sent a CALLERROR with this code."""

    code: str
    description: str = ""
    """The station's own text, as it sent it: untrusted."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The station sent an answer that is none: half a frame, or no object where the payload belongs."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """No answer came in time; a late one will be dropped."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The connection ended before an answer came."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """Nothing was sent."""

    busy: bool
    """Other calls kept the station's turn; else the connection had ended."""


Outcome = Answered | CallFailed | Unreadable | TimedOut | Gone


class CallIds:
    """Message ids that never repeat, over all stations and restarts; 8 random characters and a counter.

    Source: OCPP-J 1.6 §4.1.4 and OCPP 2.0.1 Part 4 §4.1.4: at most 36 characters, never used before on a connection
    of that station.
    """

    def __init__(self, prefix: str | None = None) -> None:
        self._prefix = secrets.token_hex(4) if prefix is None else prefix
        self._numbers = itertools.count(1)

    def next(self) -> str:
        """Return a fresh id."""
        return f"{self._prefix}-{next(self._numbers)}"


class Commands:
    """The calls to one station during one connection."""

    def __init__(self, send: Callable[[str], Awaitable[None]], ids: CallIds) -> None:
        """Use `send` for the text of a CALL; it raises nothing when the socket is gone, or OSError."""
        self._send = send
        self._ids = ids
        self._turn = asyncio.Lock()
        self._ended = asyncio.Event()
        self._free_at = 0.0
        self._waiting: tuple[str, str, asyncio.Future[Outcome]] | None = None
        """Message id and action of the CALL in flight, and who waits for its end."""
        self._closed = False
        self._orders = 0
        self._silences = 0
        self._late: deque[str] = deque(maxlen=SILENT_AFTER)
        self.spacing = timedelta(0)
        """From one CALL to the next, at least."""

    @property
    def commandable(self) -> bool:
        """Does the station answer calls: False once `SILENT_AFTER` in a row had no answer, until one has."""
        return self._silences < SILENT_AFTER

    @property
    def busy(self) -> bool:
        """Is a CALL in flight."""
        return self._turn.locked()

    async def call(self, action: str, payload: Mapping[str, Any], timeout: timedelta) -> Outcome:
        """Send one CALL when no other is in flight, and return how it ended; `timeout` counts from the sending.

        Cancelling it forgets the call; an answer that still comes is dropped.
        """
        async with self._turn:
            await self._space_out()
            return Gone() if self._closed else await self._send_and_wait(action, payload, timeout)

    async def order(self, action: str, payload: Mapping[str, Any], timeout: timedelta) -> Outcome | Unsent:
        """Do as `call` for an operator: never wait longer than `timeout` for the turn, nor behind `MOST_ORDERS`."""
        if self._orders >= MOST_ORDERS:
            return Unsent(busy=True)
        self._orders += 1
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await self._turn.acquire()
        except TimeoutError:
            return Unsent(busy=True)
        else:
            try:
                await self._space_out()
                return Unsent(busy=False) if self._closed else await self._send_and_wait(action, payload, timeout)
            finally:
                self._turn.release()
        finally:
            self._orders -= 1

    async def _send_and_wait(self, action: str, payload: Mapping[str, Any], timeout: timedelta) -> Outcome:
        waiting: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        message_id = self._ids.next()
        self._waiting = (message_id, action, waiting)
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await self._send(frames.call_text(message_id, action, payload))
                return await waiting
        except TimeoutError:
            self._silences += 1
            self._late.append(message_id)
            return TimedOut()
        finally:
            self._waiting = None

    async def _space_out(self) -> None:
        """Wait until the station may be called again, or until the connection ends."""
        clock = asyncio.get_running_loop().time
        if clock() < self._free_at:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._free_at):
                    await self._ended.wait()
        self._free_at = clock() + self.spacing.total_seconds()

    def action_of(self, message_id: str) -> str | None:
        """Return the action of the CALL with this id, where it waits for its answer."""
        if self._waiting is None or self._waiting[0] != message_id or self._waiting[2].done():
            return None
        return self._waiting[1]

    def answered(self, message_id: str, payload: Mapping[str, Any]) -> bool:
        """Give a CALLRESULT to the call that waits for it; False where none does."""
        return self._settle(message_id, Answered(payload))

    def failed(self, message_id: str, code: str, description: str = "") -> bool:
        """Give a CALLERROR to the call that waits for it; False where none does."""
        return self._settle(message_id, CallFailed(code, description))

    def unreadable(self, message_id: str) -> bool:
        """End the call that waits for an answer of which nothing else can be read; False where none does."""
        return self._settle(message_id, Unreadable())

    def close(self) -> None:
        """End the call in flight and all later ones as `Gone`, at once."""
        self._closed = True
        self._ended.set()
        if self._waiting is not None:
            self._settle(self._waiting[0], Gone())

    def _settle(self, message_id: str, outcome: Outcome) -> bool:
        if message_id in self._late:
            self._silences = 0
        if self._waiting is None or self._waiting[0] != message_id or self._waiting[2].done():
            return False
        self._silences = 0
        self._waiting[2].set_result(outcome)
        return True
