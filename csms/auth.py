"""Decide who may connect: identity from the path, Basic credentials, throttling of failures.

Pure: no socket, no clock, no store. Never keeps, returns or shows a key. Before it: `admission`, with the handshake's
request. Beside it: `keys`, which decides where the check of a short key runs.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import unquote_to_bytes, urlsplit

from csms.events import SecurityProfile
from csms.records import Credential, StationRecord

MAX_IDENTITY = 255
"""As long as the inventory's: who is in it may come in. OCPP 2.0.1 Part 4 §3.1.1 has at most 48, 1.6 no bound."""

SALT_BYTES = 16

SHORTEST_KEY = 16
"""Bytes. Source: OCPP 1.6 Security Whitepaper §7.2 (16 to 20); OCPP 2.0.1 Part 2, A00.FR.205 (16 to 40)."""

_AUTHORIZATION_KEY = re.compile(rb"(?:[0-9A-Fa-f]{2}){16,20}")

CHALLENGE = (("WWW-Authenticate", 'Basic realm="OCPP", charset="UTF-8"'),)
"""Source: RFC 7617 §2 and §2.1; RFC 9110 §11.6.1: a 401 carries at least one challenge."""


@dataclass(frozen=True, slots=True)
class Admit:
    """The station proved who it is, or needs no proof (security profile 0)."""

    record: StationRecord
    profile: SecurityProfile
    """What it proved."""
    key_salt: bytes | None = None
    """Salt of the credential that its key matched."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The handshake ends with this HTTP answer; `reason` is shown to whoever reads the station's log."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
    telling: bool = False
    """The answer would show whether there is such a station."""


def identity_of(path: str) -> str | None:
    """Return the station's identity: the last non-empty segment of the path, percent-decoded exactly once.

    Any prefix, a query and trailing slashes are ignored, since stations append their id to whatever URL they have.
    None where there is no such segment, or it is no UTF-8, too long, or has control characters.

    Source: OCPP-J 1.6 §3.1.1; OCPP 2.0.1 Part 4 §3.1.1.
    """
    try:
        segments = urlsplit(path).path.split("/") if "://" in path else path.partition("?")[0].split("/")
    except ValueError:
        return None
    last = next((segment for segment in reversed(segments) if segment), "")
    try:
        identity = unquote_to_bytes(last).decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        return None
    if not 0 < len(identity) <= MAX_IDENTITY:
        return None
    if any(unicodedata.category(character) == "Cc" for character in identity):
        return None
    return identity


def is_nameless(path: str) -> bool:
    """Tell whether a path has no segment that could be an identity, right or wrong."""
    try:
        bare = urlsplit(path).path if "://" in path else path.partition("?")[0]
    except ValueError:
        return False
    return not bare.strip("/")


def basic_credentials(header: str) -> tuple[bytes, bytes] | None:
    """Return (user name, password) of an Authorization header as bytes, or None where it is no Basic header.

    Both stay bytes: a 1.6 AuthorizationKey may be any 16 to 20 bytes, and no text at all.

    Source: RFC 7617 §2, the user-id ends at the first colon; OCPP-J 1.6 §6.2.2.
    """
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    encoded = encoded.strip()
    try:
        decoded = binascii.a2b_base64(encoded + "=" * (-len(encoded) % 4), strict_mode=True)
    except (binascii.Error, ValueError):
        return None
    user, colon, password = decoded.partition(b":")
    return (user, password) if colon else None


def derive_digest(pepper: bytes, salt: bytes, key: bytes, *, slow: bool = False) -> bytes:
    """Return HMAC-SHA256(pepper, salt + key), 32 bytes: what is stored in place of a station's key.

    With `slow`, scrypt's output stands in place of the key: 60 ms of a processor and 16 MiB, for keys that could be
    guessed; keep it off the event loop.
    """
    if slow:
        key = hashlib.scrypt(key, salt=salt, n=2**14, r=8, p=1, dklen=32)
    return hmac.digest(pepper, salt + key, "sha256")


def new_credential(pepper: bytes, key: bytes, salt: bytes | None = None) -> Credential:
    """Make a credential for the key, with a fresh random salt where none is given."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    slow = len(key) < SHORTEST_KEY
    return Credential(salt, derive_digest(pepper, salt, _in_one_case(key), slow=slow), slow)


def _in_one_case(key: bytes) -> bytes:
    """Return the hex digits of an AuthorizationKey in lower case: of the bytes that are sent, no case is left."""
    return key.lower() if _AUTHORIZATION_KEY.fullmatch(key) else key


@dataclass(frozen=True, slots=True)
class StationKeys:
    """Makes and compares credentials with one pepper: for a host that stores them."""

    pepper: bytes = field(repr=False)

    def new(self, key: bytes) -> Credential:
        """Return a credential for the key, with a fresh random salt."""
        return new_credential(self.pepper, key)

    def proves(self, key: bytes, credential: Credential) -> bool:
        """Tell whether the credential was made from exactly this key, hex digits in whatever case."""
        digest = derive_digest(self.pepper, credential.salt, _in_one_case(key), slow=credential.slow)
        return hmac.compare_digest(digest, credential.digest)


def matches(credential: Credential, pepper: bytes, presented: bytes) -> bool:
    """Tell whether the presented password is the credential's key, in time that does not depend on the answer.

    An AuthorizationKey is configured as hex digits and sent as the bytes that these stand for; many stations send the
    digits themselves. So a credential made from the digits matches both, in whatever case either side writes them.

    Source: OCPP 1.6 Security Whitepaper §7.2; docs/hardware.md #17.
    """
    digits = presented.hex()
    found = False
    for key in dict.fromkeys((presented, _in_one_case(presented), digits.encode(), digits.upper().encode())):
        digest = derive_digest(pepper, credential.salt, key, slow=credential.slow)
        found |= hmac.compare_digest(credential.digest, digest)
    return found


class Throttle:
    """Slows down guessing: after `limit` failures of one (client address, identity) pair within `window`, refuse.

    An attempt whose outcome is not known yet counts like a failure, or whoever makes hundreds at once would have them
    all tried. When it is over it counts no more, unless it has failed.

    Never counts by address alone (many stations share one behind NAT) nor by identity alone (anybody could lock a
    station out). Keeps at most `capacity` pairs; beyond that the one that failed least recently is forgotten.
    """

    def __init__(self, *, limit: int, window: timedelta, capacity: int = 10_000) -> None:
        self._limit = limit
        self._window = window.total_seconds()
        self._capacity = capacity
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._under_way: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._failures)

    def blocked(self, address: str, identity: str, now: float) -> Refuse | None:
        """Return the refusal while the pair is blocked; `now` is monotonic, in seconds."""
        pair = (address, identity.casefold())
        failures, places = self._failures.get(pair, ()), self._limit - self._under_way[pair]
        if len(failures) < places:
            return None
        left = failures[-places] + self._window - now if places > 0 else 0.0
        if places > 0 and left <= 0:
            return None
        return Refuse(429, "too many failed attempts", (("Retry-After", str(int(left) + 1)),))

    @contextmanager
    def trying(self, address: str, identity: str) -> Iterator[None]:
        """Count an attempt of the pair, which was not blocked, for as long as its outcome is not known."""
        pair = (address, identity.casefold())
        self._under_way[pair] += 1
        try:
            yield
        finally:
            self._under_way[pair] -= 1
            if not self._under_way[pair]:
                del self._under_way[pair]

    def failed(self, address: str, identity: str, now: float) -> None:
        """Count one failed attempt of the pair; `now` is monotonic, in seconds."""
        pair = (address, identity.casefold())
        # The deque keeps the last `limit` failures: the pair is blocked while the oldest of them is in the window.
        self._failures.setdefault(pair, deque(maxlen=self._limit)).append(now)
        self._failures.move_to_end(pair)
        if len(self._failures) > self._capacity:
            self._failures.popitem(last=False)

    def succeeded(self, address: str, identity: str) -> None:
        """Forget the pair's failures."""
        self._failures.pop((address, identity.casefold()), None)
