"""Name what a station says to a server, whatever OCPP version it speaks.

Holds no version's words: those are in `station16` and `station2x`, which both implement `Wire`. Before it: `behaviour`
(what is true). After it: `station`, which decides when to say it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from simulators.fleet.behaviour import ConnectorState
from simulators.fleet.credentials import KeyChange
from simulators.fleet.layout import Address


class Phase(StrEnum):
    """Source: OCPP 2.0.1 Part 2, TransactionEventEnumType; 1.6 has StartTransaction, MeterValues, StopTransaction."""

    STARTED = "Started"
    UPDATED = "Updated"
    ENDED = "Ended"


@dataclass(slots=True)
class Visit:
    """One car's transaction, as the station keeps it until its end is answered."""

    address: Address
    transaction: str = field(default_factory=lambda: str(uuid.uuid4()))
    """The station's own id for it (OCPP 2.0.1)."""
    transaction_id: int | None = None
    """The server's id for it (OCPP 1.6), once StartTransaction was answered."""
    meter_wh: int = 0
    events: int = 0

    def next_seq_no(self) -> int:
        """Return 0, 1, 2, … for the events of this transaction."""
        self.events += 1
        return self.events - 1


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """The status of a connector or of the station."""

    address: Address
    word: str
    at: str | None = None
    """When it was so, where it is told late; else it is stamped as it is sent."""


@dataclass(frozen=True, slots=True)
class TransactionMessage:
    """A transaction's event; kept until it is answered, also while there is no connection."""

    visit: Visit
    phase: Phase
    state: ConnectorState
    seq_no: int
    meter_wh: int
    at: str
    offline: bool = False


@dataclass(frozen=True, slots=True)
class HeartbeatMessage:
    """A sign of life."""


@dataclass(frozen=True, slots=True)
class BootMessage:
    """A BootNotification that the server asked for."""


Message = StatusMessage | TransactionMessage | HeartbeatMessage | BootMessage


@dataclass(frozen=True, slots=True)
class BootAnswer:
    """What the server answered to BootNotification."""

    accepted: bool
    interval: timedelta
    """Between heartbeats if accepted, else until the next try."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one OCPP version words things; pure."""

    status_words: Mapping[ConnectorState, str]
    charging_words: Mapping[ConnectorState, str]
    """chargingState by state; empty for a version that has none."""
    phase: Callable[[ConnectorState, bool], Phase | None]
    """Which transaction event a new state brings, given whether a transaction is running."""
    status_first: bool
    """The status goes out before the event that begins a transaction."""


class Asked(Protocol):
    """Takes what a server asks a station for; the answer to the request goes out before what follows from it."""

    def statuses_wanted(self, address: Address | None) -> None:
        """Report the status at `address`, or at every address where it is None."""
        ...

    def message_wanted(self, message: HeartbeatMessage | BootMessage) -> None:
        """Send this message."""
        ...

    def availability_wanted(self, addresses: Collection[Address], *, operative: bool) -> bool:
        """Make these operative or inoperative; False where a car must leave first. Nothing is reported yet."""
        ...

    def availability_changed(self, addresses: Collection[Address]) -> None:
        """Report what followed from that."""
        ...

    def key_wanted(self, text: str) -> KeyChange:
        """Take a new key, as the server writes it."""
        ...

    def reconnect_wanted(self) -> None:
        """Close this connection and open another."""
        ...


class Wire(Protocol):
    """One connection of a station. Every call returns when it was answered.

    Calls raise TimeoutError where no answer came in time, OCPPError where the answer is an error or is not valid, and
    the WebSocket library's ConnectionClosed.
    """

    async def start(self) -> None:
        """Receive until the connection closes."""
        ...

    async def boot(self) -> BootAnswer:
        """Send BootNotification."""
        ...

    async def report_status(self, message: StatusMessage, at: str) -> None:
        """Send the status, in the way this station reports."""
        ...

    async def report_transaction(self, message: TransactionMessage) -> None:
        """Send the event, in the way of this OCPP version."""
        ...

    async def heartbeat(self) -> None:
        """Send Heartbeat."""
        ...
