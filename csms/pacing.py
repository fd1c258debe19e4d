"""Slow a station down that says more than its share, and end its connection where it never stops.

Never drops a message: what is not read yet waits in the network, and the station with it (TCP). So an offline queue is
replayed in full, only slower. Decides nothing about the rate: that is `pace`. Before it: `incoming`, after each
message, and `websocket`, for each control frame.

Source: RFC 6455 §7.4.1, close code 1008.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from websockets.frames import CloseCode

from csms.options import ServerOptions
from csms.pace import Pace
from csms.websocket import StationSocket


class Pacing:
    """The shares of one connection: of messages, and of pings and pongs."""

    def __init__(
        self,
        socket: StationSocket,
        options: ServerOptions,
        *,
        clock: Callable[[], float],
        count: Callable[[str], None],
    ) -> None:
        """`clock`: monotonic seconds; `count` is told what happened, by kind."""
        self._socket = socket
        self._clock = clock
        self._count = count
        self._patience_s = options.flood_patience.total_seconds()
        self._messages = Pace(options.messages_per_second, options.message_burst)
        self._controls = Pace(options.messages_per_second, options.message_burst)
        self._wait_s = 0.0
        """How long the last message came too early; zero or less: it did not."""
        self._waited_s = 0.0
        """How long we have made the station wait since it last waited for us."""

    def in_time(self) -> bool:
        """Count a message; tell whether the next may be read at once, or else `slow_down` comes first."""
        self._wait_s = self._messages.spend(self._clock())
        return self._wait_s <= 0 and not self._waited_s

    async def slow_down(self) -> bool:
        """Wait until the next message may be read; False where the connection was ended instead.

        A station that waits for its answers is slowed for as long as it likes. One that has sent on all the time, so
        that more was waiting whenever we looked, is cut off once we have made it wait for the length of our patience.
        """
        if self._wait_s > 0:
            self._count("message_slowed")
            await asyncio.sleep(self._wait_s)
            self._waited_s += self._wait_s
        if not self._socket.crowded:
            self._waited_s = 0.0
        elif self._waited_s > self._patience_s:
            self._refuse("message_flood", "too many messages")
            await self._socket.wait_closed()
            return False
        return True

    def after_control_frame(self) -> None:
        """Read no more for a while where pings or pongs come too fast; they are answered before anybody can wait."""
        wait_s = self._controls.spend(self._clock())
        if wait_s <= 0:
            return
        if wait_s > self._patience_s:
            self._refuse("control_flood", "too many pings")
            return
        self._count("control_slowed")
        self._socket.pause_for(wait_s)

    def _refuse(self, what: str, reason: str) -> None:
        if self._socket.refuse(CloseCode.POLICY_VIOLATION, reason):
            self._count(what)
