"""Say what a load is made of. Pure. Before it: `command`. After it: `worker`, which reads it from its orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Version = Literal["1.6", "2.0.1", "2.1"]
Profile = Literal["steady", "storm", "flap"]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How every station of a load behaves."""

    url: str
    """The station's name is appended to it as the last path segment."""
    version: Version = "1.6"
    ca: str | None = None
    """File with the authorities of the server's certificate; None: what this machine trusts."""
    compress: bool = False
    """Offer permessage-deflate."""
    boot: bool = False
    """Send BootNotification first, on every connection, and no status before it is accepted."""
    heartbeat_s: float = 0
    """0: no heartbeats."""
    refuse_triggers: bool = False
    """Answer TriggerMessage with Rejected; otherwise it is obeyed."""
    connect_rate: float = 0
    """Handshakes begun per second; 0: as fast as they are answered."""
    seed: int = 7
    trace: bool = False
    """Keep when each status was sent."""


@dataclass(frozen=True, slots=True)
class Member:
    """One station: who it is, and of which connector it reports."""

    name: str
    key: str | None = None
    """Password for HTTP Basic."""
    evse: int = 1
    connector: int = 1
