"""List what a simulated station can do wrong, as real hardware does.

Pure data and lookups; does nothing itself. Before it: the command line. After it: `plan`, which gives quirks to
stations; `handshakes`, `garbling`, `clock`, `credentials` and `station`, which each do some of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from simulators.fleet.layout import Version


class Quirk(StrEnum):
    """What a station does wrong; the value is its name on the command line."""

    NO_SUBPROTOCOL = "no-subprotocol"
    EMPTY_SUBPROTOCOL = "empty-subprotocol"
    UPPERCASE_SUBPROTOCOL = "uppercase-subprotocol"
    NO_CONNECTION_HEADER = "no-connection-header"
    CONTENT_LENGTH = "content-length"
    MALFORMED_REQUEST = "malformed-request"
    PROBE_THEN_REAL = "probe-then-real"
    PREFIX_PATH = "prefix-path"
    TRAILING_SLASH = "trailing-slash"
    ODD_ID = "odd-id"
    OTHER_CASE_ID = "other-case-id"
    HEX_KEY = "hex-key"
    RAW_KEY = "raw-key"
    COLON_KEY = "colon-key"
    HTTP_1_0 = "http-1-0"
    FORGETS_KEY = "forgets-key"
    CRASHES_AT_KEY = "crashes-at-key"
    NO_PONG = "no-pong"
    IDLE_CLOSE = "idle-close"
    HALF_OPEN = "half-open"
    SILENT_BEFORE_REDIAL = "silent-before-redial"
    FAST_RECONNECT = "fast-reconnect"
    HEARTBEAT_ONLY = "heartbeat-only"
    TRUNCATED_JSON = "truncated-json"
    REPEATED_IDS = "repeated-ids"
    SENT_TWICE = "sent-twice"
    INVALID_METER_VALUES = "invalid-meter-values"
    LEADING_COMMA = "leading-comma"
    NON_UTF8 = "non-utf8"
    BINARY_FRAMES = "binary-frames"
    JUNK_CHARACTERS = "junk-characters"
    LINE_BREAKS = "line-breaks"
    LARGE_MESSAGES = "large-messages"
    UNSOLICITED_RESULTS = "unsolicited-results"
    ERROR_CODE_ERROR = "error-code-error"
    EMPTY_VENDOR = "empty-vendor"
    LONG_SERIAL = "long-serial"
    STRANGE_METER_VALUES = "strange-meter-values"
    WRONG_CASE_KEYS = "wrong-case-keys"
    NUMERIC_STRINGS = "numeric-strings"
    METER_VALUES_OF_15 = "meter-values-of-15"
    SECURITY_ACTIONS = "security-actions"
    LOCAL_TIME_AS_Z = "local-time-as-z"
    NO_TIME_ZONE = "no-time-zone"
    EPOCH_1970 = "epoch-1970"
    YEAR_0001 = "year-0001"
    STALE_TIMESTAMPS = "stale-timestamps"
    OFFLINE_QUEUE = "offline-queue"
    NO_STATUS_AFTER_CONNECT = "no-status-after-connect"
    REJECTS_TRIGGER = "rejects-trigger"
    SLOW_TRIGGER = "slow-trigger"
    TRIGGER_ONLY_CONNECTOR_0 = "trigger-only-connector-0"
    NO_BOOT = "no-boot"
    DIES_ON_EARLY_CALL = "dies-on-early-call"
    CONNECTOR_0_DISAGREES = "connector-0-disagrees"
    BLINK_AVAILABLE = "blink-available"


EVERY_VERSION = frozenset(Version)
_16 = frozenset({Version.V16})
_2X = frozenset({Version.V201, Version.V21})


@dataclass(frozen=True, slots=True)
class Entry:
    """One quirk for people who choose it, and for `plan`, which gives it away."""

    quirk: Quirk
    number: int | None
    """In the catalogue of what real hardware does; None where it is not from there."""
    does: str
    versions: frozenset[Version] = EVERY_VERSION
    trait: str = ""
    """Of the quirks with the same trait, a station can have one."""
    in_status: bool = False
    """It shows in StatusNotification, which some stations never send."""


CATALOGUE: tuple[Entry, ...] = (
    Entry(Quirk.NO_SUBPROTOCOL, 1, "offers no Sec-WebSocket-Protocol", trait="subprotocol"),
    Entry(Quirk.EMPTY_SUBPROTOCOL, 2, "offers an empty Sec-WebSocket-Protocol", trait="subprotocol"),
    Entry(Quirk.UPPERCASE_SUBPROTOCOL, 2, "offers its subprotocol in capitals", trait="subprotocol"),
    Entry(Quirk.NO_CONNECTION_HEADER, 3, "forgets Connection: Upgrade in its handshake"),
    Entry(Quirk.CONTENT_LENGTH, 4, "sends Content-Length: 0 with its handshake"),
    Entry(Quirk.MALFORMED_REQUEST, 6, "sends something that is no HTTP before each connection"),
    Entry(Quirk.PROBE_THEN_REAL, 7, "connects with ocpp1.6 for 3 s before each real connection", _2X),
    Entry(Quirk.PREFIX_PATH, 9, "puts a path of its own before its id", trait="path"),
    Entry(Quirk.TRAILING_SLASH, 9, "ends its path in slashes", trait="path"),
    Entry(Quirk.ODD_ID, 11, "has an id with a space, |, * and # in it"),
    Entry(Quirk.OTHER_CASE_ID, 11, "connects by its id in lower case"),
    Entry(Quirk.HEX_KEY, 17, "has a key of 20 bytes in hex and sends the digits", trait="key"),
    Entry(Quirk.RAW_KEY, 17, "has a key of 20 bytes in hex and sends the bytes", trait="key"),
    Entry(Quirk.COLON_KEY, 18, "has a key with colons in it", trait="key"),
    Entry(Quirk.HTTP_1_0, 21, "writes HTTP/1.0 in its handshake"),
    Entry(Quirk.FORGETS_KEY, None, "accepts a new key and goes on with the old one", trait="new key"),
    Entry(Quirk.CRASHES_AT_KEY, None, "stores a new key and restarts before it has answered", trait="new key"),
    Entry(Quirk.NO_PONG, 22, "never answers a ping"),
    Entry(Quirk.IDLE_CLOSE, 23, "closes a connection that was idle for 110 s"),
    Entry(Quirk.HALF_OPEN, 26, "leaves its old connection open when it loses the network, and connects anew"),
    Entry(Quirk.SILENT_BEFORE_REDIAL, 28, "says nothing for 6 to 19 min after a loss of the network"),
    Entry(Quirk.FAST_RECONNECT, 30, "closes each connection after 30 s and connects anew"),
    Entry(Quirk.HEARTBEAT_ONLY, 32, "answers no request of the server", trait="trigger"),
    Entry(Quirk.TRUNCATED_JSON, 33, "cuts off the end of every answer", trait="trigger"),
    Entry(Quirk.REPEATED_IDS, 34, "counts its message ids from 1 in each connection"),
    Entry(Quirk.SENT_TWICE, 34, "sends each status and each start of a transaction twice, word for word"),
    Entry(Quirk.INVALID_METER_VALUES, 35, 'writes "transactionId":, in MeterValues', _16, trait="meter"),
    Entry(Quirk.LEADING_COMMA, 36, "begins the list of MeterValues with a comma", _16, trait="meter"),
    Entry(Quirk.NON_UTF8, 38, "sends a DataTransfer that is not UTF-8 on each connection"),
    Entry(Quirk.BINARY_FRAMES, None, "sends binary WebSocket messages", trait="encoding"),
    Entry(
        Quirk.JUNK_CHARACTERS, None, "writes a byte order mark before and a NUL after each message", trait="encoding"
    ),
    Entry(Quirk.LINE_BREAKS, None, "writes tabs and line breaks inside of each message", trait="encoding"),
    Entry(Quirk.LARGE_MESSAGES, 39, "sends a DataTransfer of 500 kB on each connection"),
    Entry(Quirk.UNSOLICITED_RESULTS, 40, "answers requests that nobody made"),
    Entry(Quirk.ERROR_CODE_ERROR, 41, 'has the errorCode "Error" for its faults', _16),
    Entry(Quirk.EMPTY_VENDOR, 43, "boots with an empty vendor"),
    Entry(Quirk.LONG_SERIAL, 44, "boots with a serial number of 33 characters"),
    Entry(
        Quirk.STRANGE_METER_VALUES,
        45,
        "has units, contexts and measurands of its own in MeterValues",
        _16,
        trait="meter",
    ),
    Entry(Quirk.WRONG_CASE_KEYS, 47, "writes StatusNotification's keys with a capital", trait="keys", in_status=True),
    Entry(Quirk.NUMERIC_STRINGS, None, "writes StatusNotification's numbers as strings", trait="keys", in_status=True),
    Entry(Quirk.METER_VALUES_OF_15, 48, "writes MeterValues as OCPP 1.5 did", _16, trait="meter"),
    Entry(Quirk.SECURITY_ACTIONS, 49, "sends messages of the security extension on each connection", _16),
    Entry(Quirk.LOCAL_TIME_AS_Z, 51, "says Z and means local time, two hours ahead", trait="clock"),
    Entry(Quirk.NO_TIME_ZONE, 51, "has local time without a zone, two hours ahead", trait="clock"),
    Entry(Quirk.EPOCH_1970, 52, "has a clock that began in 1970", trait="clock"),
    Entry(Quirk.YEAR_0001, 52, "has a clock that began in the year 1", trait="clock"),
    Entry(Quirk.STALE_TIMESTAMPS, 53, "has timestamps of two days ago", trait="clock"),
    Entry(Quirk.OFFLINE_QUEUE, 54, "replays after a loss of the network every status from it"),
    Entry(Quirk.NO_STATUS_AFTER_CONNECT, 56, "says no status after it connected unless asked", trait="trigger"),
    Entry(Quirk.REJECTS_TRIGGER, 57, "rejects every TriggerMessage for a status", trait="trigger"),
    Entry(Quirk.SLOW_TRIGGER, 57, "answers TriggerMessage after 60 s", trait="trigger"),
    Entry(Quirk.TRIGGER_ONLY_CONNECTOR_0, 58, "reports connector 0 only where a trigger names none", _16),
    Entry(Quirk.NO_BOOT, 59, "never sends BootNotification by itself", trait="boot"),
    Entry(Quirk.DIES_ON_EARLY_CALL, 59, "closes when it is asked anything before its Boot was accepted", trait="boot"),
    Entry(Quirk.CONNECTOR_0_DISAGREES, 61, "says Preparing for connector 0 while a car is there", _16),
    Entry(Quirk.BLINK_AVAILABLE, 63, "says Available for a moment before each other status"),
)

_ALIASES: Mapping[str, tuple[Quirk, ...]] = {
    "bad-clock": (Quirk.LOCAL_TIME_AS_Z, Quirk.NO_TIME_ZONE, Quirk.EPOCH_1970, Quirk.YEAR_0001, Quirk.STALE_TIMESTAMPS),
}
"""Names for several quirks of one trait."""


class UnknownQuirk(ValueError):
    """There is no such quirk."""

    def __init__(self, name: str) -> None:
        self.name = name
        near = difflib.get_close_matches(name, [*_names()], n=3)
        meant = f"did you mean {' or '.join(near)}?" if near else "`ocpp-sim quirks` lists them"
        super().__init__(f"there is no quirk {name[:64]!r}; {meant}")


def chosen(names: Iterable[str]) -> tuple[Entry, ...]:
    """Return the entries of these names, in the catalogue's order. Raises: UnknownQuirk."""
    wanted: set[Quirk] = set()
    for name in names:
        if name not in _names():
            raise UnknownQuirk(name)
        wanted.update(_ALIASES.get(name) or (Quirk(name),))
    return tuple(entry for entry in CATALOGUE if entry.quirk in wanted)


def aliases() -> Mapping[str, tuple[Quirk, ...]]:
    """Return the names that stand for several quirks."""
    return _ALIASES


def _names() -> tuple[str, ...]:
    return (*_ALIASES, *(quirk.value for quirk in Quirk))
