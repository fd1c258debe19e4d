"""Keep a browser logged in: a signed cookie that stands for a key, and the token that its forms must carry.

Never holds a key: the cookie says which key it stands for and proves that we wrote it. A session is over when its key
is, when nothing was asked for a while, when it is old, or when its user ended it. Sessions that were ended are
remembered in memory until they would be over anyway; whoever must end all of them revokes the key, or removes the
secret's file. Before it: `session_routes`, where somebody logs in. After it: `auth`.

For pages: `request[CSRF]` is the token that each form carries as the field `csrf`, or a script's request as the header
X-CSRF-Token. It is there where the request came with a cookie, and only there.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiohttp import web

CSRF = web.RequestKey("csrf", str)
"""What every unsafe request by cookie must carry."""
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"
LOGIN_PATH = "/login"

COOKIE = "ocpp-bridge"
SECURE_COOKIE = "__Host-ocpp-bridge"
"""Where the request came over https: no other host or path can set it."""

_FORM = struct.Struct(">BQQQ16s16s")
_FORM_VERSION = 1
_MAC_BYTES = 32
_RENEWED_AFTER_S = 60
_MOST_ENDED = 10_000


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long somebody stays logged in."""

    idle: timedelta = timedelta(hours=12)
    """Without any request."""
    total: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Session:
    """What a cookie says."""

    id: bytes
    key: int
    """The store's number of the key; 0: the admin token."""
    proof: bytes
    """Which key had that number then: it ends with a key that was replaced, a token or a restored database's."""
    begun: int
    """Seconds since 1970."""
    seen: int
    """The last request, to about a minute."""


class Sessions:
    """Writes and reads cookies with one secret. `wall` gives the wall clock."""

    def __init__(self, secret: bytes, limits: SessionLimits, wall: Callable[[], datetime]) -> None:
        self._secret = secret
        self._limits = limits
        self._wall = wall
        self._ended: OrderedDict[bytes, None] = OrderedDict()

    def begin(self, key: int, digest: str) -> Session:
        """Return a new session of a key."""
        now = self._now()
        return Session(secrets.token_bytes(16), key, self._proof(digest), now, now)

    def write(self, session: Session) -> str:
        """Return the cookie's value."""
        said = _FORM.pack(_FORM_VERSION, session.key, session.begun, session.seen, session.id, session.proof)
        return urlsafe_b64encode(said + self._mac(b"session", said)).decode("ascii").rstrip("=")

    def read(self, value: str) -> Session | None:
        """Return the session of a cookie; None where we did not write it, or it is over."""
        try:
            raw = urlsafe_b64decode(value + "=" * (-len(value) % 4))
        except (NotBase64, ValueError):
            return None
        said, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(said) != _FORM.size or not hmac.compare_digest(mac, self._mac(b"session", said)):
            return None
        version, key, begun, seen, id_, proof = _FORM.unpack(said)
        session = Session(id_, key, proof, begun, seen)
        return session if version == _FORM_VERSION and not self.is_over(session) and not self._idle(session) else None

    def is_over(self, session: Session) -> bool:
        """Tell whether a session that was good has reached its age, or was ended."""
        return session.id in self._ended or self._now() - session.begun >= self._limits.total.total_seconds()

    def stands_for(self, session: Session, digest: str) -> bool:
        """Tell whether it was begun with the key that has this digest."""
        return hmac.compare_digest(session.proof, self._proof(digest))

    def renewed(self, session: Session) -> Session | None:
        """Return the session as of now; None where its cookie is young enough."""
        now = self._now()
        return replace(session, seen=now) if now - session.seen >= _RENEWED_AFTER_S else None

    def csrf(self, session: Session) -> str:
        """Return the token that requests of the session carry."""
        return urlsafe_b64encode(self._mac(b"csrf", session.id)).decode("ascii").rstrip("=")

    def end(self, session: Session) -> None:
        """Take no cookie of this session any more."""
        self._ended[session.id] = None
        if len(self._ended) > _MOST_ENDED:
            self._ended.popitem(last=False)

    def cookie(self, session: Session, *, secure: bool) -> str:
        """Return the header Set-Cookie for a session."""
        return _cookie(self.write(session), int(self._limits.idle.total_seconds()), secure=secure)

    def _idle(self, session: Session) -> bool:
        return self._now() - session.seen >= self._limits.idle.total_seconds()

    def _proof(self, digest: str) -> bytes:
        return self._mac(b"key", digest.encode("ascii"))[:16]

    def _mac(self, purpose: bytes, said: bytes) -> bytes:
        return hmac.digest(self._secret, purpose + b"\0" + said, "sha256")

    def _now(self) -> int:
        return int(self._wall().timestamp())


def cookie_name(*, secure: bool) -> str:
    """Return what the cookie is called."""
    return SECURE_COOKIE if secure else COOKIE


def no_cookie(*, secure: bool) -> str:
    """Return the header Set-Cookie that takes the cookie away."""
    return _cookie("", 0, secure=secure)


def local_path(text: str) -> str:
    """Return where to go after logging in: a path of ours, or / where it would lead anywhere else."""
    fit = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if fit and len(text) <= 2048 and text.isascii() else "/"


def _cookie(value: str, max_age: int, *, secure: bool) -> str:
    name, flag = cookie_name(secure=secure), "; Secure" if secure else ""
    return f"{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{flag}"
