"""Be one station of a load: a connection, one message in flight, and what is answered.

Never decides when it reports: that is `crowd`. An answer is known by its first characters; only what is something else
is parsed. A message that is due while another is in flight waits, and its answer time counts from when it was due.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import aiohttp

from simulators.load import messages
from simulators.load.messages import Kind
from simulators.load.options import LoadOptions, Member
from simulators.load.tally import Tally
from simulators.trust import trusting

_MESSAGE_LIMIT = 2**20
_TEXT = aiohttp.WSMsgType.TEXT
_MESSAGES = frozenset({_TEXT, aiohttp.WSMsgType.BINARY})
_STATUS, _BOOT = Kind.STATUS, Kind.BOOT  # an enum's member costs a look-up of its own in every message


class Ground:
    """What all stations of a process share, and see change."""

    def __init__(self, options: LoadOptions) -> None:
        self.options = options
        self.tally = Tally()
        self.began = time.perf_counter()
        """When the stretch began."""
        self.eager = False
        """Whether a station reports anew as soon as it is answered."""
        self.words: tuple[str, ...] = messages.words(options.version, "steady")
        self.ending = '2026-01-01T00:00:00Z"}]'
        """How a status ends: with the time, of which a second is enough."""
        self.trace: list[tuple[str, str, float]] = []
        self.tls: ssl.SSLContext | bool = trusting(options.ca) if options.ca else True

    def clear(self) -> None:
        """Count from nothing."""
        self.tally, self.trace = Tally(), []


class _Sent(NamedTuple):
    kind: Kind
    due: float
    answer: str
    """How its CALLRESULT begins."""
    word: str


class _Due(NamedTuple):
    kind: Kind
    due: float
    again: bool


class Station:
    """One station, over all of its connections."""

    __slots__ = (
        "_accepted",
        "_due",
        "_ground",
        "_in_flight",
        "_place",
        "_sent",
        "_socket",
        "cut",
        "member",
        "on_told",
        "told",
    )

    def __init__(self, member: Member, ground: Ground) -> None:
        self.member = member
        self.told = ""
        """The last status that was answered."""
        self.cut = False
        """Whether its connection was cut by ourselves."""
        self.on_told: Callable[[Station], None] | None = None
        """Called once, when a status is answered."""
        self._ground = ground
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._accepted = False
        self._sent = 0
        self._place = -1
        self._in_flight: _Sent | None = None
        self._due: deque[_Due] | None = None

    @property
    def connected(self) -> bool:
        """Whether its connection is open."""
        return self._socket is not None

    @property
    def waiting(self) -> bool:
        """Whether it waits for an answer."""
        return self._in_flight is not None

    async def connect(self, session: aiohttp.ClientSession) -> None:
        """Open the connection, and say what a station says first. Raises: aiohttp.ClientError, OSError."""
        ground, member = self._ground, self.member
        subprotocol = messages.SUBPROTOCOLS[ground.options.version]
        opened = await session.ws_connect(
            f"{ground.options.url.rstrip('/')}/{member.name}",
            protocols=(subprotocol,),
            auth=None if member.key is None else aiohttp.BasicAuth(member.name, member.key, "utf-8"),
            compress=15 if ground.options.compress else 0,
            max_msg_size=_MESSAGE_LIMIT,
            ssl=ground.tls,
        )
        if opened.protocol != subprotocol:
            await opened.close()
            raise aiohttp.ClientError(f"the server did not choose {subprotocol}")
        self._socket, self.cut, self._accepted = opened, False, not ground.options.boot
        if ground.options.boot:
            await self._send(_Due(_BOOT, time.perf_counter(), again=False))
        if self._place >= 0:  # a station that comes back says how things stand
            await self.owe(Kind.STATUS, time.perf_counter(), again=True)

    async def listen(self) -> str:
        """Take what comes until the connection ends, and return how it ended."""
        if self._socket is None:
            raise AssertionError("nobody listens before it is connected")
        opened = self._socket
        try:
            while (message := await opened.receive()).type in _MESSAGES:
                await self._take(message.data if message.type is _TEXT else "")
        except ConnectionError:  # while something was sent
            pass
        finally:
            self._forget_connection()
            await opened.close()
        return str(opened.close_code or 1006)

    def _forget_connection(self) -> None:
        self._socket, self._due = None, None
        self._ground.tally.unanswered += self.waiting
        self._in_flight = None

    def break_off(self) -> None:
        """Cut the connection, without a word to the server."""
        if self._socket is not None and (line := self._socket.get_extra_info("socket")) is not None:
            self.cut = True
            with suppress(OSError):  # the server was faster
                line.shutdown(socket.SHUT_RDWR)

    async def owe(self, kind: Kind, due: float, *, again: bool = False) -> None:
        """Send a message that is due at this moment of `perf_counter`, or as soon as the one before is answered.

        A status is a new one unless it is told `again`. Nothing happens while there is no connection.
        """
        if self._socket is None:
            return
        if self._in_flight is None and self._accepted:
            await self._send(_Due(kind, due, again))
            return
        if self._due is None:
            self._due = deque()
        self._ground.tally.waited += 1
        self._due.append(_Due(kind, due, again))

    async def _send(self, due: _Due) -> None:
        if self._socket is None:
            return
        self._sent += 1
        kind, word = due.kind, ""
        if kind is _STATUS:
            if not due.again:
                self._place += 1
            word = self._ground.words[self._place % len(self._ground.words)]
            text = f'[2,"{self._sent}{self._body(word)}{self._ground.ending}'
            if self._ground.options.trace:
                self._ground.trace.append((self.member.name, word, time.time()))
        elif kind is _BOOT:
            text = messages.boot(self._sent, self._ground.options.version)
        else:
            text = messages.heartbeat(self._sent)
        self._in_flight = _Sent(kind, due.due, f'[3,"{self._sent}"', word)
        self._ground.tally.sent += 1
        with suppress(ConnectionError):  # `listen` says how it ended
            await self._socket.send_str(text)

    def _body(self, word: str) -> str:
        return messages.status_body(self._ground.options.version, self.member.evse, self.member.connector, word)

    async def _take(self, text: str) -> None:
        sent = self._in_flight
        if sent is None or not text.startswith(sent.answer):
            await self._take_other(text)
            return
        self._in_flight = None
        ground, now = self._ground, time.perf_counter()
        ground.tally.note_answer(1000 * (now - sent.due), int(now - ground.began), status=sent.kind is _STATUS)
        if sent.kind is _STATUS:
            self.told = sent.word
            if (call := self.on_told) is not None:
                self.on_told = None
                call(self)
        elif sent.kind is _BOOT:
            self._note_boot(json.loads(text)[2])
        await self._go_on(now)

    async def _go_on(self, now: float) -> None:
        """Send what is due, if anything."""
        if self._due and self._accepted:
            await self._send(self._due.popleft())
        elif self._ground.eager and self._accepted:
            await self._send(_Due(_STATUS, now, again=False))

    def _note_boot(self, answer: dict[str, object]) -> None:
        status = str(answer.get("status"))
        self._ground.tally.boots[status] += 1
        self._accepted = status == "Accepted"

    async def boot_again(self) -> None:
        """Send BootNotification anew where the last one was not accepted."""
        if self._socket is not None and not self._accepted and self._in_flight is None:
            await self._send(_Due(_BOOT, time.perf_counter(), again=False))

    async def give_up(self, before: float) -> None:
        """Wait no longer for an answer to what was due before this moment."""
        if self._in_flight is not None and self._in_flight.due < before:
            self._ground.tally.unanswered += 1
            self._in_flight = None
            await self._go_on(time.perf_counter())

    async def _take_other(self, text: str) -> None:
        """Take what is not, at a glance, the answer that is waited for."""
        try:
            frame = json.loads(text)
            type_id, message_id = frame[0], frame[1]
        except (ValueError, LookupError, TypeError):
            self._ground.tally.strange += 1
            return
        sent = self._in_flight
        if type_id == 2 and len(frame) == 4:
            await self._answer(frame)
        elif sent is None or message_id != sent.answer[4:-1]:
            self._ground.tally.strange += 1
        elif type_id == 3:  # written with other spaces
            await self._take(f"{sent.answer},{json.dumps(frame[2])}]")
        elif type_id == 4:
            self._ground.tally.errors[str(frame[2])[:64]] += 1
            self._in_flight = None
            await self._go_on(time.perf_counter())

    async def _answer(self, call: list[object]) -> None:
        self._ground.tally.asked[str(call[2])[:64]] += 1
        reply = messages.reply_to(call, self._ground.options, self.member)
        if self._socket is None:
            return
        with suppress(ConnectionError):
            await self._socket.send_str(reply.text)
        if reply.then is not None and (reply.then is not _STATUS or self._place >= 0):
            await self.owe(reply.then, time.perf_counter(), again=True)
