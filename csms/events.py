"""Name what charging stations tell us, in one vocabulary for every OCPP version.

Never decides what a report means for an EVSE: that is `bridge.core`. Before it: `v16.translate`,
`v201.translate` and `v21.translate`. After it: the host's `ports.Recorder`.

Addresses. A report is about `(evse, connector)`, both 0 or more:

* OCPP 1.6 knows no EVSE: connectorId n is `(0, n)`, and connectorId 0 is `(0, 0)`, the whole station.
* OCPP 2.x scopes connector ids to the EVSE: `(evse, connector)`; `(evse, 0)` is the EVSE, `(0, 0)` the station.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NewType

from msgspec import Struct

StationId = NewType("StationId", str)
"""A station's identity as our registry spells it (percent-decoded once)."""

Epoch = NewType("Epoch", int)
"""Number of a station's connection, counted up by the host at each one; names the session that sent an event."""


class OcppVersion(StrEnum):
    """A subprotocol that we speak; the value is its name on the wire (IANA WebSocket Subprotocol registry)."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"
    V21 = "ocpp2.1"


class SecurityProfile(IntEnum):
    """How a station and we prove to each other who we are; a larger one is never weaker.

    Source: OCPP 1.6 Security Whitepaper §2.2; OCPP 2.0.1 Part 2, A00 §1.3.4. 0 is our number for "no security" (1.6).
    """

    NONE = 0
    BASIC = 1
    """A key over HTTP Basic, without TLS."""
    TLS_BASIC = 2
    """A key over HTTP Basic, within TLS."""
    TLS_CERTIFICATE = 3
    """A client certificate within TLS."""


class ReportedStatus(StrEnum):
    """The status words of the standards, unchanged.

    Source: OCPP 1.6 §7.7 ChargePointStatus (nine words); OCPP 2.x Part 2, ConnectorStatusEnumType (adds Occupied).
    """

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    OCCUPIED = "Occupied"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class ChargingState(StrEnum):
    """Source: OCPP 2.0.1 Part 2, ChargingStateEnumType."""

    CHARGING = "Charging"
    EV_CONNECTED = "EVConnected"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    IDLE = "Idle"


class TransactionPhase(StrEnum):
    """Source: OCPP 2.0.1 Part 2, TransactionEventEnumType."""

    STARTED = "Started"
    UPDATED = "Updated"
    ENDED = "Ended"


class ResyncOutcome(StrEnum):
    """How one connector's question for a fresh status ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"


class ChangeOutcome(StrEnum):
    """How a station took ChangeAvailability, as far as its state can be known afterwards."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    """It will be done when the transaction that runs there has ended."""
    REJECTED = "rejected"
    UNSUPPORTED = "unsupported"
    """A CALLERROR that says that the station does not do this: nothing was changed."""
    UNCLEAR = "unclear"
    """No answer, or one that says nothing: it may have been done."""
    AWAY = "away"
    """Nothing was sent: the station is not connected, or not accepted yet."""


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """A station's answer to ChangeAvailability."""

    outcome: ChangeOutcome
    why: str = ""
    """The CALLERROR's code, or what was wrong; empty where the outcome says it all."""


@dataclass(frozen=True, slots=True)
class StationConnected:
    """A station was authenticated and its WebSocket is open; the host answers with the `Epoch` of this session."""

    station: StationId
    version: OcppVersion
    remote: str
    """Peer address as seen by the listener, for operators."""
    profile: SecurityProfile = SecurityProfile.NONE
    """What the station proved on this connection: from now on it is refused with less."""
    key_salt: bytes | None = None
    """Salt of the credential that it proved; where that is the pending one, the old one is over from now on."""


@dataclass(frozen=True, slots=True)
class StationVisited:
    """A station that the registry does not know is let in as a guest: it has proved nothing, and nothing counts."""

    station: StationId
    """As it spells itself."""
    version: OcppVersion
    address: str
    """Peer address without the port."""
    showed_credentials: bool
    """Did it send an Authorization header, which nobody has looked into."""


@dataclass(frozen=True, slots=True)
class AttemptRefused:
    """A connection ended before it was a WebSocket; all texts but `reason` are foreign and not cleaned."""

    identity: str
    """As it was asked for; empty where nothing could be read of it, as in a failed TLS handshake."""
    address: str
    """Peer address without the port."""
    status: int
    """HTTP status of the refusal; 0 where it did not come to HTTP."""
    reason: str
    """Our own words, of bounded variety."""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class StationDisconnected:
    """The session of `epoch` is over. Says nothing about the EVSEs: reachability is decided by the host."""

    station: StationId
    epoch: Epoch


@dataclass(frozen=True, slots=True)
class StationBooted:
    """BootNotification was received: the station restarted. Source: OCPP 1.6 §4.2; OCPP 2.0.1 Part 2 B01."""

    station: StationId
    epoch: Epoch
    vendor: str
    model: str
    serial: str
    firmware: str


class StatusReported(Struct, frozen=True):
    """A connector, an EVSE or a whole station reported a status.

    Source: OCPP 1.6 §6.47 StatusNotification.req; OCPP 2.0.1 Part 2 StatusNotificationRequest, and NotifyEventRequest
    with variable AvailabilityState (G01).
    """

    station: StationId
    epoch: Epoch
    version: OcppVersion
    evse: int
    connector: int
    status: ReportedStatus
    reported_at: str = ""
    """The station's own timestamp, as text and never trusted; at most 64 characters; empty where it sent none."""
    error_code: str = ""
    """OCPP 1.6 errorCode other than NoError, raw, at most 64 characters: a warning unless the status is Faulted."""
    vendor_error_code: str = ""
    info: str = ""
    source: str = "StatusNotification"
    """The action that carried it: StatusNotification or NotifyEvent."""


@dataclass(frozen=True, slots=True)
class TransactionReported:
    """A 2.x TransactionEvent: refines an EVSE's status, never frees it. Source: OCPP 2.0.1 Part 2 E02, G01."""

    station: StationId
    epoch: Epoch
    version: OcppVersion
    evse: int | None
    """None where the event named no EVSE: it then belongs to the EVSE of its transaction."""
    connector: int | None
    transaction: str
    seq_no: int
    phase: TransactionPhase
    charging_state: ChargingState | None
    offline: bool
    reported_at: str = ""


@dataclass(frozen=True, slots=True)
class TransactionIdNeeded:
    """A 1.6 StartTransaction needs a transaction id; the host answers with one that it never gave before."""

    station: StationId
    epoch: Epoch
    connector: int


@dataclass(frozen=True, slots=True)
class SecurityEventReported:
    """Something happened at the station that matters for its security.

    Source: OCPP 1.6 security whitepaper §5.15 and §8; OCPP 2.0.1 Part 2, A04.
    """

    station: StationId
    epoch: Epoch
    kind: str
    """The standard's or the vendor's own word, at most 50 characters; unknown ones are events, too."""
    info: str = ""
    reported_at: str = ""


@dataclass(frozen=True, slots=True)
class CertificateRequested:
    """A station asks for its public key to be signed; what it sent is a certificate signing request.

    Source: OCPP 1.6 security whitepaper §5.17; OCPP 2.0.1 Part 2, A02 and A03.
    """

    station: StationId
    epoch: Epoch
    kind: str
    """2.x: ChargingStationCertificate or V2GCertificate; empty where it is for everything."""
    csr: str = field(repr=False)
    """PEM, at most 5,500 characters; its signature was checked."""


@dataclass(frozen=True, slots=True)
class ResyncEnded:
    """One connector was asked for its status after a (re)connect, and this is how the question ended."""

    station: StationId
    epoch: Epoch
    evse: int
    connector: int
    outcome: ResyncOutcome


@dataclass(frozen=True, slots=True)
class ResyncFinished:
    """Every connector of the station has reported on this connection, or its question has ended."""

    station: StationId
    epoch: Epoch


StationEvent = (
    StationDisconnected
    | StationBooted
    | StatusReported
    | TransactionReported
    | TransactionIdNeeded
    | SecurityEventReported
    | CertificateRequested
    | ResyncEnded
    | ResyncFinished
)


class Receipt(Struct, frozen=True):
    """What the host gives back for one recorded event."""

    seq: int
    """Our receive sequence: larger for each event received later, over all stations and restarts."""
    transaction_id: int | None = None
    """For `TransactionIdNeeded` only."""


@dataclass(frozen=True, slots=True)
class ConnectorAddress:
    """One connector of the inventory, as the station's OCPP version addresses it (see the module docstring)."""

    evse: int
    connector: int
