"""Be one station's WebSocket: `websockets`' connection with a short way for plain messages, and lean pings.

Knows framing of RFC 6455 only, no OCPP-J. Before it: `doorway`, with a transport that is ready. Beside it: `admission`,
which its handshake asks; `plain_frames`. After it: `session`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Event, State

from csms import plain_frames
from csms.client_certificates import ClientCertificate
from csms.doorway import Doorway
from csms.events import Epoch, SecurityProfile
from csms.gate import Place
from csms.handshake import Negotiated
from csms.line import Line, Turn
from csms.ports import Direction
from csms.records import StationRecord

_SIGNS_OF_LIFE = (Opcode.PING, Opcode.PONG)
_END_OF_REQUEST = b"\r\n\r\n"
_READ = Request("", Headers())
"""Stands for a request whose headers nobody needs any more: a seventh of what a connection takes."""
_OPEN = State.OPEN  # an enum's members are found slowly, and these are asked for at each message
_FROM_STATION, _TO_STATION = Direction.FROM_STATION, Direction.TO_STATION
_BEFORE_THE_END = (State.OPEN, State.CONNECTING)

_BROKEN_RULES = (CloseCode.PROTOCOL_ERROR, CloseCode.INVALID_DATA, CloseCode.MESSAGE_TOO_BIG)

_MOST_EARLY = 64 * 1024
"""Bytes behind a request that are taken before it is answered; then no more are read."""

_LOCK_STEP = 2
"""Messages that wait where a station is slowed and does nothing wrong: its next request, and its answer to ours."""

_LOOKED_AT = 64
"""Frames looked at to tell a crowd from one message in many fragments."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the handshake decided about this socket before the upgrade."""

    record: StationRecord
    negotiated: Negotiated
    remote: str
    """Peer address and port."""
    profile: SecurityProfile
    """What the station proved."""
    key_salt: bytes | None
    """Salt of the credential that its key matched; None where it proved itself without a key."""
    certificate: ClientCertificate | None = None
    """What it showed, where that was the proof."""


class StationSocket(ServerConnection):
    """A station's WebSocket; `claim` is there once it was admitted, `epoch` once its connection was recorded."""

    claim: Claim | None = None
    epoch: Epoch | None = None
    abandoned: Callable[[StationSocket], Awaitable[None]] | None = None
    """Called when the handshake fails after `epoch` was given out, so that nobody believes in this connection."""
    on_control_frame: Callable[[], None] | None = None
    """Called for every ping and pong of the station; messages show up by themselves."""
    on_message: Callable[[Direction, str | bytes], None] | None = None
    """Called for every message that was received or is sent; the one place that the wire log hears from."""
    place: Place | None = None
    _peer = ("unknown", 0)
    """Address and port of the TCP connection, also once it is over; a socket that broke at once has none any more."""
    _lost = False
    _on_lost: Callable[[], None] | None = None
    _resuming: asyncio.TimerHandle | None = None
    _cutting: asyncio.TimerHandle | None = None

    def __init__(
        self,
        *args: Any,
        doorway: Doorway,
        unreadable: Callable[[StationSocket], None],
        open_timeout: timedelta,
        **kwargs: Any,
    ) -> None:
        """Stand at the doorway of one listener; `unreadable` is called when what arrives is no HTTP request at all.

        `open_timeout` is for the station's request, and again for our answer to it; the time in line is not counted.
        """
        super().__init__(*args, **kwargs)
        self._open_timeout_s = open_timeout.total_seconds()
        self._patience = asyncio.timeout(self._open_timeout_s)
        self._turn: Turn | None = None
        self.doorway = doorway
        self._unreadable = unreadable
        self.forwarded = ""
        """The station's address, where a proxy told it."""
        self._asking = True
        """The request has not come to its end yet."""
        self._answered = False
        self._last = b""
        """The last bytes of the request, in which its end may begin."""
        self._early = bytearray()
        """What came behind the request before it was answered."""
        self._at_frame = False
        """What comes next begins a frame, and may be a plain one."""
        self._waiting: asyncio.Future[bytes | None] | None = None
        """Whoever waits for a message while nothing is queued; None tells that one comes by way of the queue."""

    @property
    def address(self) -> str:
        """Address of the station, as far as anybody can know it."""
        return self.forwarded or self._peer[0]

    @property
    def remote(self) -> str:
        """Address and port for operators; what a proxy forwards has no port."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return address if self.forwarded else f"{address}:{self._peer[1]}"

    @property
    def peer_certificate(self) -> bytes | None:
        """The client certificate that TLS has verified, as DER; None where there is none."""
        connection: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object")
        return None if connection is None else connection.getpeercert(binary_form=True)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask at the doorway; it calls `enter`, at once or after TLS, or never."""
        if not isinstance(transport, asyncio.Transport):
            raise AssertionError("a listening TCP socket makes no other transports")
        self._peer = (transport.get_extra_info("peername") or self._peer)[:2]
        self.doorway.arrived(self, transport)

    def enter(self, transport: asyncio.Transport) -> None:
        """Begin the WebSocket handshake on this transport."""
        super().connection_made(transport)

    @property
    def end(self) -> tuple[int, str]:
        """Close code and reason: the station's, else ours, which it need not have answered, else 1006."""
        close = self.protocol.close_rcvd or self.protocol.close_sent
        return (CloseCode.ABNORMAL_CLOSURE, "") if close is None else (close.code, close.reason)

    @property
    def broken_rule(self) -> int | None:
        """Close code with which WebSocket's own rules or the size limit ended the connection; None: they did not."""
        sent = self.protocol.close_sent
        return sent.code if sent is not None and sent.code in _BROKEN_RULES else None

    def when_lost(self, callback: Callable[[], None]) -> None:
        """Have this called once the TCP connection is over, however far it got; at once where it is over already."""
        if self._lost:
            callback()
        else:
            self._on_lost = callback

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the TCP connection, which comes exactly once; see `when_lost`."""
        for timer in (self._cutting, self._resuming):
            if timer is not None:
                timer.cancel()
        if self.place is not None:
            self.place.leave()
        super().connection_lost(exc)
        self._lost = True
        self._hand_over(None)
        if self._on_lost is not None:
            self._on_lost()

    async def handshake(self, *args: Any, **kwargs: Any) -> None:
        """Perform the opening handshake; see `abandoned`."""
        try:
            async with self._patience:
                await super().handshake(*args, **kwargs)
        finally:
            if self._turn is not None:
                self._turn.over()
            if self.state is State.OPEN:
                self.request, self.response = _READ, None
                self.loop.call_soon(self._let_through)  # once the session listens
            else:
                self._early.clear()
                self._let_through()
            if self.place is not None:
                self.place.passed()
            if self.request is None and self.protocol.handshake_exc is not None:
                self._unreadable(self)
            if self.epoch is not None and self.abandoned is not None and self.state is not State.OPEN:
                await self.abandoned(self)

    async def stand_in(self, line: Line, patience: timedelta) -> bool:
        """Wait for this handshake's turn, which ends with it; False where it did not come, or nobody waits any more."""
        self._patience.reschedule(None)
        self._turn = await line.turn(patience.total_seconds())
        self._patience.reschedule(self.loop.time() + self._open_timeout_s)
        return self._turn is not None and not self._lost

    def process_event(self, event: Event) -> None:
        """Take one frame; pings and pongs, asked for or not, show that the station is alive."""
        super().process_event(event)
        if not isinstance(event, Frame):
            return
        if event.opcode not in _SIGNS_OF_LIFE:
            self._hand_over(None)
        elif self.on_control_frame is not None:
            self.on_control_frame()

    async def receive(self, *, decode: bool | None = None) -> str | bytes:
        """Return the next message; `decode` as of `recv`. Raises: websockets.exceptions.ConnectionClosed."""
        message: str | bytes | None = None
        if decode is False and not self._lost and not self.recv_messages.frames.queue:
            self._waiting = self.loop.create_future()
            try:
                message = await self._waiting
            finally:
                self._waiting = None
        if message is None:
            message = await self.recv(decode)
        if self.on_message is not None:
            self.on_message(_FROM_STATION, message)
        return message

    def data_received(self, data: bytes) -> None:
        """Take what the network brings; where it ends the connection, the station has `close_timeout` to hang up.

        The library closes its half and waits for the station's: a peer that never closes would be kept for ever.
        """
        if self._at_frame and self._waiting is not None and self.protocol.state is _OPEN:
            message = plain_frames.payload_of(data, self.protocol.max_message_size)
            if message is not None and self._hand_over(message):
                return
        super().data_received(data if self._answered or self.protocol.eof_sent else self._of_request(data))
        self._at_frame = self._answered and plain_frames.may_follow(self.protocol)
        if self.protocol.state not in _BEFORE_THE_END:
            self._cut_soon()

    def _hand_over(self, message: bytes | None) -> bool:
        """Give it to whoever waits for a message; False where nobody does."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.done():
            return False
        waiting.set_result(message)
        return True

    def _of_request(self, data: bytes) -> bytes:
        """Return what belongs to the request, and hold back what comes behind it until that is answered.

        The library reads frames at once, and where it cannot, it ends the connection: then nobody would be answered.
        """
        end = 0
        if self._asking:
            seen = self._last + data
            found = seen.find(_END_OF_REQUEST)
            if found < 0:
                self._last = seen[1 - len(_END_OF_REQUEST) :]
                return data
            self._asking = False
            end = found + len(_END_OF_REQUEST) - len(self._last)
        self._early += data[end:]
        if len(self._early) > _MOST_EARLY:
            self.transport.pause_reading()
        return data[:end]

    def _let_through(self) -> None:
        """Take what was held back as if it came now."""
        self._answered = True
        early, self._early = bytes(self._early), bytearray()
        self.transport.resume_reading()
        self._at_frame = plain_frames.may_follow(self.protocol)
        if early:
            self.data_received(early)

    def _cut_soon(self) -> None:
        if self._cutting is None and self.close_timeout is not None:
            self._cutting = self.loop.call_later(self.close_timeout, self.transport.abort)

    async def answer(self, text: str, timeout_s: float) -> None:
        """Send one text message; waits only while the station leaves more than the write limit unread.

        `send` would build a context manager for each message, and a frame of several objects. A station that reads
        nothing for `timeout_s` seconds is cut off.

        Raises: websockets.exceptions.ConnectionClosed.
        """
        if self.protocol.state is not _OPEN:
            await self.send(text)  # raises ConnectionClosed, once the socket is closed
            return
        if self.on_message is not None:
            self.on_message(_TO_STATION, text)
        if self.protocol.extensions or self.protocol.debug:
            self.protocol.send_text(text.encode())
            self.send_data()
        else:
            self.transport.write(plain_frames.text_frame(text.encode()))
        if self.paused:
            try:
                async with asyncio.timeout(timeout_s):
                    await self.drain()
            except TimeoutError:
                self.transport.abort()

    def ping_unanswered(self) -> None:
        """Send a ping that nobody waits for, unless the socket is closing or its buffer is full.

        The library's own keepalive remembers each ping until its pong: a leak where a station never sends any.
        """
        if self.protocol.state is State.OPEN and not self.paused:
            self.protocol.send_ping(b"")
            self.send_data()

    @property
    def crowded(self) -> bool:
        """Has the station sent on without waiting for our answers."""
        waiting = self.recv_messages.frames.queue
        return len(waiting) > _LOCK_STEP and sum(frame.fin for frame in islice(waiting, _LOOKED_AT)) > _LOCK_STEP

    def pause_for(self, seconds: float) -> None:
        """Read nothing from the network for a while; a pause under way is not made longer."""
        self.transport.pause_reading()  # again, since reading the queue resumes it
        if self._resuming is None:
            self._resuming = self.loop.call_later(seconds, self._resume)

    def _resume(self) -> None:
        self._resuming = None
        if not self.recv_messages.paused:
            self.transport.resume_reading()

    def refuse(self, code: CloseCode, reason: str) -> bool:
        """Send a close frame and take nothing more from the station; False where the socket is closing already.

        It has not asked for a closing handshake, and would not be heard behind what it has sent.
        Source: RFC 6455 §7.1.7, Fail the WebSocket Connection.
        """
        if self.protocol.state is not State.OPEN:
            return False
        self.protocol.fail(code, reason)
        self.send_data()
        self._cut_soon()
        self.transport.resume_reading()  # what still comes is thrown away, or our close frame would be lost in a reset
        return True
