"""Hold what a host may set about the OCPP side. Reads no file and no environment: `bridge.settings` fills it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

from csms.events import OcppVersion, SecurityProfile

PLAIN_PROFILES = frozenset({SecurityProfile.NONE, SecurityProfile.BASIC})
"""What a plain listener takes where nothing is said. 0 also needs a station that the inventory calls insecure."""

DEFAULT_LISTENER = "default"
"""Name of the one plain listener, where none has a name."""


class UnknownPolicy(StrEnum):
    """What becomes of a station that the registry does not know."""

    REJECT = "reject"
    """404 before the upgrade."""
    QUARANTINE = "quarantine"
    """Let in as a guest that is told to wait, so that its vendor, model and serial get known."""
    ACCEPT = "accept"
    """Taken into the registry, where it connects from one of `accept_from`; others are rejected."""


class Compression(StrEnum):
    """Whether permessage-deflate (RFC 7692) is agreed to where a station offers it."""

    AUTO = "auto"
    """As the versions say: OCPP 2.x yes (2.0.1 Part 4 §3.3), 1.6 no (OCPP-J 1.6 §5.1)."""
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """Who may terminate TLS before us, and in which headers it says what it saw."""

    peers: tuple[str, ...]
    """Addresses and networks of the proxies; everybody else is refused."""
    certificate_header: str = "X-SSL-Client-Cert"
    """The client certificate as percent-encoded PEM, as nginx's $ssl_client_escaped_cert."""
    verify_header: str = "X-SSL-Client-Verify"
    """SUCCESS, NONE or FAILED:…, as nginx's $ssl_client_verify; need not be sent."""
    address_header: str = "X-Forwarded-For"
    """The station's address; the last one counts, which is the proxy's own entry."""


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """One address that stations connect to."""

    name: str
    host: str
    port: int
    """0: any free port; see `CentralSystem.ports`."""
    profiles: frozenset[SecurityProfile] = PLAIN_PROFILES
    tls: bool = False
    """It starts with what `CentralSystem.reload_tls` was given for it."""
    proxy: ProxyOptions | None = None
    """TLS ends at a proxy; None: peers are the stations themselves, and no header says otherwise."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the central system listens, keeps connections open, and asks stations for missing statuses."""

    host: str = "127.0.0.1"
    port: int = 9000
    """0: any free port; `CentralSystem.start` returns it."""
    listeners: tuple[ListenerOptions, ...] = ()
    """Where there are none, `host` and `port` are the one plain listener."""
    max_size: int = 1024 * 1024
    """Largest message in bytes, after inflating."""
    strict: bool = False
    """Refuse what the schemas refuse, and close binary frames with 1003 (for certification)."""
    hold_certificate_requests: bool = False
    """Record what a station asks to be signed (SignCertificate) for an operator; False: it is told Rejected."""
    server_header: str | None = None
    """Value of the HTTP Server header; None leaves it out."""

    open_timeout: timedelta = timedelta(seconds=10)
    """From TCP accept to the end of the request, and from its turn to the end of the handshake, commit included."""
    handshakes_at_once: int = 512
    """Beyond, they wait in the order in which they came: enough to share reads and commits, few enough to be quick, and
    more than one address may have."""
    line_patience: timedelta = timedelta(seconds=60)
    """How long a handshake may wait for its turn before it is answered 503."""
    close_timeout: timedelta = timedelta(seconds=3)
    """How long a station may take to answer our close frame before the socket is cut."""
    stop_timeout: timedelta = timedelta(seconds=5)
    """How long `stop` waits for messages in work and for closing handshakes before it cuts the rest."""
    send_timeout: timedelta = timedelta(seconds=30)
    """How long a station may leave our answers unread before its socket is cut."""
    messages_per_second: int = 50
    """Of one station, in the long run, and as many pings and pongs; beyond, it is read more slowly. 0: no limit."""
    message_burst: int = 500
    """How many may come at once before `messages_per_second` counts."""
    flood_patience: timedelta = timedelta(minutes=5)
    """How long a station that never waits for answers is made to wait in all before it is cut off (1008)."""
    ping_interval: timedelta = timedelta(seconds=50)
    """Between pings, to keep NAT entries alive; an answer is not required. Zero: no pings."""
    duplicate_ping: timedelta = timedelta(seconds=5)
    """How long the live session of an unauthenticated station may take to prove that it is alive."""

    default_version: OcppVersion | None = None
    """Version to assume where a station offers no subprotocol and the inventory names none for it; None: refuse."""
    exact_identity: bool = False
    """Identities that differ in case are different ones. Source: OCPP 2.0.1 Part 2 §2.1: identifierString is not."""
    anonymous_station: str | None = None
    """Identity of a connection whose URL has none at all; None: refuse it."""
    uniform_reject: bool = False
    """Answer 401 where an answer would show whether a station exists; the log still says what it was."""
    compression: Compression = Compression.AUTO
    max_connections: int = 20_000
    """Sockets at once, handshakes included; more are answered 503."""
    max_pending_per_address: int = 256
    """Handshakes at once from one address: a site's stations return together. Proxies are exempt."""

    failures_allowed: int = 10
    """Failed logins of one (client address, identity) within `failures_window` before it is answered 429."""
    failures_window: timedelta = timedelta(seconds=60)

    first_call_wait: timedelta = timedelta(seconds=10)
    """How long a new connection may stay silent before we go on without a first CALL."""
    settle: timedelta = timedelta(seconds=5)
    """From the first CALL to the first question."""
    settle_after_boot: timedelta = timedelta(seconds=30)
    """From a BootNotification on this connection to the first question."""
    trigger_timeout: timedelta = timedelta(seconds=60)
    """For one connector's question: its CALLRESULT and the status that follows."""
    trigger_spread: timedelta = timedelta(0)
    """Upper end of a random extra wait that spreads the fleet's questions after a restart of ours."""
    answer_timeout: timedelta = timedelta(seconds=60)
    """How long a station may take to answer what a host asks of it."""
    storage_retry: timedelta = timedelta(seconds=1)
    """First wait before a station is asked again because storage failed; it doubles up to `storage_retry_max`."""
    storage_retry_max: timedelta = timedelta(seconds=60)

    unknown_stations: UnknownPolicy = UnknownPolicy.REJECT
    accept_from: tuple[IPv4Network | IPv6Network, ...] = ()
    """For `UnknownPolicy.ACCEPT`: the networks that it is about."""

    @property
    def all_listeners(self) -> tuple[ListenerOptions, ...]:
        """The listeners, the plain one of `host` and `port` where no other is named."""
        return self.listeners or (ListenerOptions(DEFAULT_LISTENER, self.host, self.port),)
