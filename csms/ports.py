"""State what a host must supply for `csms` to run: a registry, a durable recorder, who answers, who keeps the wire log.

Holds no implementation. The hosts: `bridge.app` (the product) and the fakes beside the tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

from csms.events import (
    AttemptRefused,
    Epoch,
    OcppVersion,
    Receipt,
    StationBooted,
    StationConnected,
    StationEvent,
    StationId,
    StationVisited,
)
from csms.faults import Fault
from csms.records import Credential, StationRecord


class NotRecorded(Exception):
    """Storage could not commit; nothing was recorded and the station must not be told otherwise."""


class EventRefused(Exception):
    """This event, and only this one, cannot be recorded (for example a value outside of the column)."""


class Superseded(Exception):
    """The event's epoch is older than the station's current connection: do not answer, the socket is dead."""


class NotAnswered(Exception):
    """There is no CALLRESULT for this CALL: the station is told so by a CALLERROR."""

    def __init__(self, fault: Fault, description: str = "") -> None:
        """`description` goes to the station: at most 255 characters of it, none of them the station's own."""
        super().__init__(f"{fault}: {description}")
        self.fault = fault
        self.description = description


class Registry(Protocol):
    """Finds stations by identity."""

    async def find(self, identity: str) -> StationRecord | None:
        """Return the record of the station with this identity, or None where it is unknown. Raises: NotRecorded."""
        ...


class Recorder(Protocol):
    """Makes what stations told us durable. Every method that returns has committed with full durability."""

    async def open(self, connected: StationConnected) -> Epoch:
        """Record a new connection and return its epoch, larger than any earlier one of the station.

        Raises: NotRecorded.
        """
        ...

    async def record(self, event: StationEvent) -> Receipt:
        """Commit the event, in the order of the calls for one station, and return its receipt.

        Raises: NotRecorded, EventRefused, Superseded.
        """
        ...

    def heard(self, station: StationId) -> None:
        """Note that a frame or pong of the station arrived just now; cheap, called for every frame."""
        ...


class Replies(Protocol):
    """Decides what a CALL is answered with. `replies.LocalReplies` today; a relay to another CSMS may follow."""

    async def reply(
        self, station: StationId, version: OcppVersion, action: str, payload: Mapping[str, Any], receipt: Receipt | None
    ) -> dict[str, Any]:
        """Return the CALLRESULT payload for a known action; `receipt` is there where the call was recorded.

        Whatever it is about is durable before. The station's next message is read only after this returns: bound every
        wait. Raises: NotAnswered.
        """
        ...


class Counter(Protocol):
    """Counts what an operator will want to see; the labels are of bounded variety (kinds, never ids)."""

    def count(self, what: str, station: StationId | None = None) -> None:
        """Add one to `what`, for example "frame_malformed"; `station` is for a per-station view."""
        ...


class Attempts(Protocol):
    """Keeps which connections were refused, for the operator whose station does not get in."""

    def refused(self, attempt: AttemptRefused) -> None:
        """Note a refused connection; cheap, bounded, and called for whatever the network sends."""
        ...


class Newcomers(Protocol):
    """Remembers stations that the registry does not know. All but `accept` are cheap, bounded, and never raise."""

    def arrived(self, visit: StationVisited) -> None:
        """Note that a guest has connected."""
        ...

    def described(self, boot: StationBooted) -> None:
        """Note what a guest says of itself; its epoch means nothing."""
        ...

    def left(self, station: StationId) -> None:
        """Note that a guest is gone."""
        ...

    async def accept(self, identity: str, credential: Credential | None) -> StationRecord | None:
        """Take a station into the registry and return its record; held to the credential, or insecure with None.

        Where somebody else was faster, his record is returned. None: there are too many such stations already.

        Raises: NotRecorded.
        """
        ...


class Direction(Enum):
    """Which way a frame went."""

    FROM_STATION = "from_station"
    TO_STATION = "to_station"


class WireLog(Protocol):
    """Keeps what went over the wire, for engineers. Never raises, never waits, and costs no answer.

    `identity` is a station's id, or what an unknown one calls itself.
    """

    def opened(self, identity: str, epoch: Epoch, version: OcppVersion, remote: str) -> None:
        """Note that a connection was opened; `remote` is the peer's address and port."""
        ...

    def frame(self, identity: str, epoch: Epoch, direction: Direction, data: str | bytes) -> None:
        """Keep one message as it was read or written, whatever it is; called for every one, secrets and all."""
        ...

    def closed(self, identity: str, epoch: Epoch, code: int | None, reason: str) -> None:
        """Note that a connection was closed; the reason may be the station's own text."""
        ...


Events = Sequence[StationEvent]
