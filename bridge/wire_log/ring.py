"""Take frames as they come, and keep them as they are until they are fetched; the oldest go where room ends.

Never parses, formats or waits: it is called for every frame, on the event loop. Before it: `csms`. After it: `log`,
which fetches everything at once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from bridge.wire_log.line import Kind
from csms.events import Epoch, OcppVersion
from csms.ports import Direction

LONGEST_FRAME = 64 * 1024
"""Characters or bytes of a frame that are held: enough to mask it as JSON before it is cut."""

_ENTRY = 200
"""Bytes that an entry takes besides its frame, about."""

# Looking up a member of an enumeration takes as long as keeping a frame.
_HEARD, _SENT = Kind.FROM_STATION, Kind.TO_STATION
_FROM_STATION = Direction.FROM_STATION


class Held(Struct, frozen=True, gc=False):
    """One frame, or what happened to a connection, as it came."""

    at: float
    """Unix time in seconds."""
    identity: str
    epoch: Epoch
    kind: Kind
    data: str | bytes
    size: int
    """Characters or bytes before it was cut."""


class Ring:
    """Frames that wait for the file. Implements `csms.ports.WireLog`; for the event loop's thread alone."""

    def __init__(self, limit: int, woken: Callable[[], None], clock: Callable[[], float] = time.time) -> None:
        """Hold about `limit` bytes; `woken` is called when there is something after nothing was."""
        self._limit = limit
        self._woken = woken
        self._clock = clock
        self._held: deque[Held] = deque()
        self._room = limit
        self.dropped = 0
        """Frames that went unseen because the file was too slow."""

    def opened(self, identity: str, epoch: Epoch, version: OcppVersion, remote: str) -> None:
        """Note that a connection was opened."""
        self._keep(identity, epoch, Kind.OPENED, f"{version.value} from {remote}")

    def frame(self, identity: str, epoch: Epoch, direction: Direction, data: str | bytes) -> None:
        """Keep one message; what is longer than `LONGEST_FRAME` is cut."""
        self._keep(identity, epoch, _HEARD if direction is _FROM_STATION else _SENT, data)

    def closed(self, identity: str, epoch: Epoch, code: int | None, reason: str) -> None:
        """Note that a connection was closed."""
        self._keep(identity, epoch, Kind.CLOSED, f"{code or 1006} {reason}".rstrip())

    def take(self) -> deque[Held]:
        """Return everything that is held, the oldest first, and hold nothing."""
        taken, self._held = self._held, deque()
        self._room = self._limit
        return taken

    def _keep(self, identity: str, epoch: Epoch, kind: Kind, data: str | bytes) -> None:
        size = len(data)
        if size > LONGEST_FRAME:
            data = data[:LONGEST_FRAME]
        held = self._held
        if not held:
            self._woken()
        held.append(Held(self._clock(), identity, epoch, kind, data, size))
        self._room -= len(data) + _ENTRY
        if self._room < 0:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        held = self._held
        while self._room < 0 and len(held) > 1:
            self._room += len(held.popleft().data) + _ENTRY
            self.dropped += 1
