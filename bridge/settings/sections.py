"""Describe each section of the configuration: its keys, their types and defaults.

Every key is also in config/bridge.toml with its default, and a test compares the two.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bridge.core.model import TemporaryKind
from bridge.core.temporary import ENFORCEABLE, WHY_RESERVED_IS_NOT
from bridge.settings.fields import (
    Duration,
    FileList,
    HeaderName,
    Host,
    NetworkList,
    OcppVersion,
    Port,
    ReadableFile,
    TextList,
    between,
    check_network,
    matching,
    read_list,
    whole,
)

AccountRef = Annotated[str, matching(r"[a-z0-9]+(_[a-z0-9]+)*", "the name of an account")]


class Section(BaseModel):
    """A table of the configuration: frozen, and a key that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class IdTags(StrEnum):
    """Which idTags of 1.6 and idTokens of 2.x are accepted when a car driver presents one."""

    REJECT = "reject"
    LIST = "list"
    ACCEPT = "accept"


class UnknownStations(StrEnum):
    """What becomes of stations that the inventory does not know."""

    REJECT = "reject"
    QUARANTINE = "quarantine"
    ACCEPT = "accept"


class SignCertificate(StrEnum):
    """What a station is told that asks for a certificate to be signed."""

    REJECT = "reject"
    HOLD = "hold"


class LogSection(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class ListenerTable(Section):
    """One address that stations connect to."""

    host: Host = "0.0.0.0"
    port: Port
    tls_certificate: FileList = ()
    """With its intermediate ones after it; two files where RSA and ECDSA are both served."""
    tls_key: FileList = ()
    """One for each certificate; none: the keys are in the certificates' files."""
    tls_key_passphrase_file: ReadableFile | None = None
    client_ca: ReadableFile | None = None
    profiles: Annotated[tuple[Annotated[int, whole(0, 3)], ...], BeforeValidator(read_list)] | None = None
    compat_ciphers: bool = False
    behind_proxy: Annotated[tuple[Annotated[str, AfterValidator(check_network)], ...], BeforeValidator(read_list)] = ()
    proxy_certificate_header: HeaderName = "X-SSL-Client-Cert"
    proxy_verify_header: HeaderName = "X-SSL-Client-Verify"
    proxy_address_header: HeaderName = "X-Forwarded-For"

    @property
    def secure(self) -> bool:
        """Whether stations come over TLS, ours or a proxy's."""
        return bool(self.tls_certificate or self.behind_proxy)

    @property
    def taken(self) -> frozenset[int]:
        """The security profiles that may use it."""
        if self.profiles is not None:
            return frozenset(self.profiles)
        if not self.secure:
            return frozenset({0, 1})
        return frozenset({2} if self.client_ca is None else {2, 3})


class OcppSection(Section):
    """The side of the charging stations."""

    host: Host = "0.0.0.0"
    port: Port = 9000
    listeners: dict[str, ListenerTable] = Field(default_factory=dict)
    default_version: OcppVersion | None = None
    identity_case: Literal["ignore", "exact"] = "ignore"
    anonymous_station: Annotated[str, matching(r"\S(.{0,46}\S)?", "an identity of 1 to 48 characters")] | None = None
    uniform_reject: bool = False
    compression: Literal["auto", "on", "off"] = "auto"
    max_connections: Annotated[int, whole(1, 1_000_000)] = 20_000
    max_handshakes_per_address: Annotated[int, whole(1, 100_000)] = 256
    ping_interval: Annotated[Duration, between("0 s", "1 h")] = timedelta(seconds=50)
    heartbeat_interval: Annotated[Duration, between("1 s", "1 d")] = timedelta(seconds=300)
    settle: Annotated[Duration, between("0 s", "10 min")] = timedelta(seconds=5)
    settle_after_boot: Annotated[Duration, between("0 s", "10 min")] = timedelta(seconds=30)
    trigger_timeout: Annotated[Duration, between("0.01 s", "10 min")] = timedelta(seconds=60)
    trigger_spread: Annotated[Duration, between("0 s", "1 h")] = timedelta(seconds=10)
    max_message_size: Annotated[int, whole(1024, 64 * 2**20)] = 2**20
    messages_per_second: Annotated[int, whole(0, 100_000)] = 50
    message_burst: Annotated[int, whole(1, 1_000_000)] = 500
    strict: bool = False
    sign_certificate: SignCertificate = SignCertificate.REJECT
    id_tags: IdTags | None = None
    id_tag_list: TextList = ()
    unknown_stations: UnknownStations = UnknownStations.REJECT
    accept_from: NetworkList = ("127.0.0.0/8", "::1")


class WebSection(Section):
    """The side of the operators."""

    host: Host = "127.0.0.1"
    port: Port = 8080
    trusted_proxies: NetworkList = ()
    session_idle: Annotated[Duration, between("1 min", "90 d")] = timedelta(hours=12)
    session_total: Annotated[Duration, between("1 min", "365 d")] = timedelta(days=7)


class StatusSection(Section):
    """When the passing of time alone changes an effective status."""

    available_hold: Annotated[Duration, between("0 s", "10 min")] = timedelta(seconds=2)
    offline_after: Annotated[Duration, between("0.1 s", "7 d")] = timedelta(minutes=15)
    restart_grace: Annotated[Duration, between("0 s", "1 d")] = timedelta(minutes=3)
    mass_offline_hold: Annotated[Duration, between("0 s", "7 d")] = timedelta(minutes=30)


def _check_enforced(kinds: tuple[TemporaryKind, ...]) -> tuple[TemporaryKind, ...]:
    for kind in kinds:
        if kind not in ENFORCEABLE:
            raise ValueError(f"{kind} cannot be enforced: {WHY_RESERVED_IS_NOT}")
    return kinds


def _read_kinds(value: object) -> object:
    listed = read_list(value)
    if isinstance(listed, list) and all(isinstance(part, str) for part in listed):
        unknown = [part for part in listed if part not in set(TemporaryKind)]
        if unknown:
            raise ValueError(f"should be of {', '.join(ENFORCEABLE)}, not {unknown[0][:64]!r}")
    return listed


class TemporarySection(Section):
    """What temporary statuses do besides being shown."""

    enforce: Annotated[tuple[TemporaryKind, ...], BeforeValidator(_read_kinds), AfterValidator(_check_enforced)] = ()


class WireLogSection(Section):
    """What is kept of the frames of each station."""

    enabled: bool = True
    per_station: Annotated[int, whole(10, 1_000_000)] = 1000
    total_mib: Annotated[int, whole(1, 1_048_576)] = 256


_Age = Annotated[Duration, between("1 d", "36500 d")]
_Rows = Annotated[int, whole(1000, 1_000_000_000)]


class RetentionSection(Section):
    """What is remembered for how long, and at most how many rows of it."""

    history: _Age = timedelta(days=400)
    history_rows: _Rows = 10_000_000
    delivery_log: _Age = timedelta(days=30)
    delivery_log_rows: _Rows = 5_000_000
    security_events: _Age = timedelta(days=400)
    security_event_rows: _Rows = 1_000_000
    temporary: _Age = timedelta(days=400)
    temporary_rows: _Rows = 1_000_000


class PushSection(Section):
    """How long requests to hubs may take, and when they are made again."""

    connect_timeout: Annotated[Duration, between("0.01 s", "5 min")] = timedelta(seconds=5)
    total_timeout: Annotated[Duration, between("0.01 s", "10 min")] = timedelta(seconds=15)
    doubt: Annotated[Duration, between("0.1 s", "1 h")] = timedelta(seconds=90)
    refused_retry: Annotated[Duration, between("0.1 s", "7 d")] = timedelta(hours=6)
    reassert_every: Annotated[Duration, between("1 s", "30 d")] = timedelta(hours=24)


class OperatorTable(Section):
    """A charge point operator and the accounts that its EVSEs are shown on."""

    name: Annotated[str, matching(r"\S(.{0,98}\S)?", "a name of 1 to 100 characters")]
    accounts: Annotated[tuple[AccountRef, ...], BeforeValidator(read_list)] = ()
