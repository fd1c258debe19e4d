"""Shape what the REST interface says and takes about stations: what each is, what it is told, what it answers.

What is not known is null. Holds no secret but the one new key that a rotation shows once, to whoever ordered it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from bridge.web.shapes import Shape

VERSIONS = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")
"""Subprotocols by which stations are chosen."""
Outcome = Literal["answered", "refused", "unreadable", "timed_out", "gone"]
_Number = Annotated[int, Field(ge=1, lt=2**31)]
_Seconds = Annotated[float, Field(ge=1, le=600)]
_Key = Annotated[str, Field(min_length=1, max_length=500)]


class StationItem(Shape):
    """One station in a list."""

    station: str
    connected: bool
    version: str | None
    """Subprotocol of its present or last connection."""
    profile: int | None
    """Security profile that it proved on this connection; null: not connected."""
    commandable: bool | None
    """Does it answer calls; null: not connected."""
    vendor: str
    model: str
    firmware: str
    evses: int
    heard_at: AwareDatetime | None
    """When it was last heard of, in steps of a few seconds."""


class StationPage(Shape):
    """Stations in the order of their ids; `next_cursor` is null on the last page."""

    items: tuple[StationItem, ...]
    next_cursor: str | None = None


class ConnectionItem(Shape):
    """A station's open connection."""

    version: str
    remote: str
    since: AwareDatetime
    profile: int
    takeovers: int
    """How often a newer connection replaced a live one since the station was last away."""
    commandable: bool


class SecurityItem(Shape):
    """How a station proves itself."""

    profile: int
    """What the inventory demands."""
    reached: int
    """The most that it has proved: less is refused."""
    key: bool
    """Is a key kept for it."""
    certificate_name: str
    rotating_since: AwareDatetime | None
    """When a key was sent that it has not logged in with yet."""


class ReportItem(Shape):
    """The last report about one address; evse 0 is OCPP 1.6, connector 0 the EVSE or the station as a whole."""

    evse: int
    connector: int
    status: str
    source: str
    received_at: AwareDatetime
    age_s: float
    reported_at: str
    """The station's own timestamp, as sent."""
    error_code: str
    vendor_error_code: str
    info: str
    stale: bool


class SecurityEventItem(Shape):
    """One security event that the station told."""

    at: AwareDatetime
    kind: str
    info: str
    reported_at: str


class CertificateRequestItem(Shape):
    """What the station asks to be signed (SignCertificate), the newest of each kind."""

    kind: str
    """ChargingStationCertificate, V2GCertificate or empty: for everything."""
    csr: str
    """PEM."""
    at: AwareDatetime


class StationEvse(Shape):
    """One EVSE of the station as the inventory has it, and its effective status."""

    evse_id: str
    operator: str
    connectors: tuple[str, ...]
    """Each as evse.connector, which is 0.n in OCPP 1.6."""
    effective: str


class StationDetail(Shape):
    """Everything about one station."""

    station: str
    connected: bool
    connection: ConnectionItem | None
    version: str | None
    """Subprotocol of its present or last connection."""
    default_version: str | None
    """Subprotocol that is assumed where it offers none."""
    vendor: str
    model: str
    serial: str
    firmware: str
    security: SecurityItem
    accepted_at: AwareDatetime | None
    booted_at: AwareDatetime | None
    heard_at: AwareDatetime | None
    unreachable_since: AwareDatetime | None
    refuses_trigger: bool
    strict: bool
    layer0: str
    evses: tuple[StationEvse, ...]
    reports: tuple[ReportItem, ...]
    counts: dict[str, int]
    """What was counted of it since the bridge started, by kind."""
    security_events: tuple[SecurityEventItem, ...] = ()
    certificate_requests: tuple[CertificateRequestItem, ...] = ()


# --- orders -----------------------------------------------------------------------------------------------------------


class Timed(Shape):
    """An order that waits for a station's answer."""

    timeout_s: _Seconds | None = None
    """How long the station may take to answer; null: 60 s. It may wait as long for its turn before that."""
    force: bool = False
    """Send it though a quirk profile of the station forbids it."""


class CallOrder(Timed):
    """Body of POST …/calls."""

    action: Annotated[str, Field(min_length=1, max_length=64)]
    payload: dict[str, Any] = Field(default_factory=dict)


class TriggerOrder(Timed):
    """Body of POST …/trigger."""

    message: Annotated[str, Field(min_length=1, max_length=64)]
    evse: _Number | None = None
    connector: _Number | None = None


class AvailabilityOrder(Timed):
    """Body of POST …/availability; with neither EVSE nor connector it is about the whole station."""

    operative: bool
    evse: _Number | None = None
    connector: _Number | None = None


class ResetOrder(Timed):
    """Body of POST …/reset; soft: the station may finish what it does (2.x: OnIdle), hard: at once (Immediate)."""

    kind: Literal["soft", "hard"]
    evse: _Number | None = None


class ConfigurationQuery(Timed):
    """Body of POST …/configuration/get; 2.x variables as Component.Variable."""

    keys: Annotated[tuple[_Key, ...], Field(max_length=100)] = ()


class ConfigurationChange(Timed):
    """Body of POST …/configuration/set."""

    key: _Key
    value: Annotated[str, Field(max_length=2500)]


class UnlockOrder(Timed):
    """Body of POST …/unlock."""

    connector: _Number
    evse: _Number | None = None


class SettingItem(Shape):
    """One configuration key or variable; the value of a secret is hidden."""

    key: str
    value: str | None
    readonly: bool | None
    status: str


class CallResult(Shape):
    """What became of a CALL that was sent. One that was not sent is a 409 or a 422."""

    station: str
    action: str
    outcome: Outcome
    payload: dict[str, Any]
    """The answer as the station sent it, but for the values of secrets; empty for every other outcome."""
    valid: bool
    """False where the standard's schema refuses the answer."""
    status: str
    """The answer's own word, such as Accepted or Rejected; empty where it has none."""
    done: bool
    """The station does what it was told, now or later."""
    code: str
    """Of a CALLERROR."""
    why: str
    settings: tuple[SettingItem, ...] = ()


class RotationOrder(Timed):
    """Body of POST …/rotate-key."""

    key: Annotated[str | None, Field(min_length=1, max_length=64, repr=False)] = None
    """null: a random one."""
    force: bool = False
    """Send one though a quirk profile forbids to write to the station, or it is not known which of those that were sent
    it holds; every one of them stays good."""


class RotationResult(Shape):
    """What became of a new key."""

    station: str
    state: Literal["accepted", "refused", "unclear"]
    """accepted and unclear: the old and the new key are good until the station logs in with the new one."""
    key: Annotated[str | None, Field(repr=False)]
    """The new one, shown this once; null where the station keeps what it had, or where the order brought it."""
    status: str
    why: str


class ProfileOrder(Shape):
    """Body of PUT …/profile."""

    profile: Annotated[int, Field(ge=0, le=3)]
    yes: bool = False
    """Lower what the station has proved, too."""
