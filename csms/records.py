"""Say what the registry knows about a station before it speaks: its record, and what proves its identity.

Never holds a key itself. Before it: the host's `ports.Registry`. After it: the handshake, and the session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from csms.events import ConnectorAddress, OcppVersion, SecurityProfile, StationId


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves a station's identity (OCPP security profiles 1 and 2: HTTP Basic).

    `digest` is HMAC-SHA256(pepper, salt + key bytes); the key itself is never kept.
    """

    salt: bytes
    digest: bytes = field(repr=False)
    slow: bool = False
    """The key is shorter than 16 bytes: `digest` is that HMAC of scrypt's output, since it could be guessed."""


@dataclass(frozen=True, slots=True)
class StationRecord:
    """What the registry knows about a station before it speaks."""

    station: StationId
    credential: Credential | None
    """None where the station proves itself without a key: security profiles 0 (not at all) and 3 (certificate)."""
    default_version: OcppVersion | None
    """Version to assume when the station offers no subprotocol at all; None: refuse such a handshake."""
    accepted: bool
    """Was a BootNotification of it ever accepted: durable, so that its statuses count after our restart."""
    connectors: tuple[ConnectorAddress, ...]
    refuses_trigger: bool = False
    """Its present firmware refused TriggerMessage(StatusNotification): do not ask again."""
    firmware: str | None = None
    """Firmware of its last BootNotification, which `refuses_trigger` is about; None where nobody knows."""
    strict: bool = False
    """Refuse what the schema refuses (for certification); by default every status whose meaning is clear is taken."""
    security: SecurityProfile = SecurityProfile.BASIC
    """The least that the inventory demands."""
    reached: SecurityProfile = SecurityProfile.NONE
    """The most that it ever proved: less is refused from then on (A05.FR.07)."""
    pending: Credential | None = None
    """A key that was sent to the station and that it has not logged in with yet; as good as `credential`."""
    earlier: tuple[Credential, ...] = ()
    """Keys that were sent before the pending one, and that the station may hold as well."""
    certificate_name: str = ""
    """Common name of its client certificate; empty: its identity."""
    compression: bool | None = None
    """Whether permessage-deflate is offered; None: as its OCPP version asks."""
    ping_interval: timedelta | None = None
    """Between our pings; zero: none; None: as the server's."""
    quirks: tuple[str, ...] | None = None
    """Names of the quirk profiles that the inventory gives it; None: by vendor, model and firmware."""
    vendor: str = ""
    """Of its last BootNotification, as are `model` and `firmware`."""
    model: str = ""
    quarantined: bool = False
    """The registry does not know it: it is a guest that is told to wait, and nothing of it is recorded."""
