"""Find out who asks: by the key that a request shows, or by the session that its cookie stands for.

Never reads storage for a request: the keys in force are few, and `KeyRing` has them at hand. Never decides what a role
may do: that is `route_table`. Before it: `auth`, `session_routes`. After it: `core.throttle`, `sessions`, `peers`.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import structlog
from aiohttp import web

from bridge.core.api_keys import TOKEN_NAME, digest_of
from bridge.core.roles import Role
from bridge.core.throttle import Throttle, ThrottleLimits
from bridge.web.peers import Network, Peer, peer_of
from bridge.web.principals import Principal
from bridge.web.scope import NothingOwned, Ownership
from bridge.web.sessions import Session, SessionLimits, Sessions, cookie_name

log = structlog.get_logger(__name__)

PEER = web.RequestKey("peer", Peer)
SESSION = web.RequestKey("session", Session)
"""Of a request that came with a cookie."""
TOKEN_KEY = 0
"""The number of the admin token, which is no row of the store."""
_MOST_PROVED = 1_000


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key in force."""

    number: int
    digest: str
    principal: Principal


class KeyRing(Protocol):
    """The keys in force now: neither expired nor revoked. Implemented by `bridge.app.key_ring`."""

    async def find(self, digest: str) -> KnownKey | None:
        """Return the key that has this digest. Raises: Unavailable."""
        ...

    async def get(self, number: int) -> KnownKey | None:
        """Return the key of this number. Raises: Unavailable."""
        ...

    def used(self, number: int) -> None:
        """Note that a key has just been used; it is stored later."""
        ...


class NoKeys:
    """A ring without a key: there is only the admin token."""

    async def find(self, digest: str) -> KnownKey | None:
        """Find none."""
        return None

    async def get(self, number: int) -> KnownKey | None:
        """Find none."""
        return None

    def used(self, number: int) -> None:
        """Note nothing."""


class WrongKey(Exception):
    """No key in force was shown."""


class TooManyFailures(Exception):
    """Whoever asks has shown too many wrong keys."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self.wait_s = int(wait_s) + 1

    def __str__(self) -> str:
        """Return the text for the caller."""
        return f"too many wrong keys from this address: wait {self.wait_s} s"


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """What access is decided by, besides the admin token."""

    ring: KeyRing = field(default_factory=NoKeys)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """Signs cookies."""
    sessions: SessionLimits = field(default_factory=SessionLimits)
    throttle: ThrottleLimits = field(default_factory=ThrottleLimits)
    proxies: tuple[Network, ...] = ()
    ownership: Ownership = field(default_factory=NothingOwned)
    """Whose EVSEs are whose, for keys that are bound to operators."""
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic


def _nobody_counts(why: str) -> None:
    """Count nothing."""


class Access:
    """Decides who asks. One for each application."""

    def __init__(self, token: str, options: AccessOptions, refused: Callable[[str], None] = _nobody_counts) -> None:
        """`refused` is told why, one of `meters.REFUSALS`, for each request that is not let in."""
        self.refused = refused
        self.sessions = Sessions(options.secret, options.sessions, options.wall)
        self._token = KnownKey(TOKEN_KEY, digest_of(token), Principal(TOKEN_NAME, Role.ADMIN))
        self._ring = options.ring
        self._proxies = options.proxies
        self._monotonic = options.monotonic
        self._throttle = Throttle(options.throttle)
        self._proved: OrderedDict[tuple[str, str], None] = OrderedDict()

    def peer(self, request: web.Request) -> Peer:
        """Return who sent a request. Raises: HTTPBadRequest."""
        return peer_of(request, self._proxies)

    async def by_key(self, shown: str, peer: Peer) -> KnownKey:
        """Return the key that was shown. Raises: WrongKey, TooManyFailures, Unavailable.

        A key that was right from the same address before is never made to wait for what else comes from there.
        """
        digest, now = digest_of(shown), self._monotonic()
        wait = self._throttle.wait(peer.sender, now)
        if wait and (peer.sender, digest) not in self._proved:
            self.refused("throttled")
            raise TooManyFailures(wait)
        found = await self._find(digest)
        if found is None:
            raise self._failed(peer, now)
        self._remember(peer.sender, digest)
        self._ring.used(found.number)
        return found

    async def by_cookie(self, request: web.Request, peer: Peer) -> tuple[KnownKey, Session] | None:
        """Return whose session a request's cookie stands for; None: no cookie, or the session is over."""
        value = request.cookies.get(cookie_name(secure=peer.secure))
        session = None if value is None else self.sessions.read(value)
        if session is None:
            return None
        found = await self._get(session.key)
        if found is None or not self.sessions.stands_for(session, found.digest):
            return None
        self._ring.used(found.number)
        return found, session

    async def is_still_good(self, principal: Principal, session: Session | None) -> bool:
        """Tell whether somebody who was let in would be let in now: for answers that go on for long.

        Raises: Unavailable.
        """
        found = await self._get(principal.key)
        if found is None or found.principal != principal:
            return False
        return session is None or (
            self.sessions.stands_for(session, found.digest) and not self.sessions.is_over(session)
        )

    async def _find(self, digest: str) -> KnownKey | None:
        if hmac.compare_digest(digest, self._token.digest):
            return self._token
        found = await self._ring.find(digest)
        return found if found is not None and hmac.compare_digest(digest, found.digest) else None

    async def _get(self, number: int) -> KnownKey | None:
        return self._token if number == TOKEN_KEY else await self._ring.get(number)

    def _failed(self, peer: Peer, now: float) -> WrongKey | TooManyFailures:
        flooded = self._throttle.flooded(now)
        self._throttle.failed(peer.sender, now)
        self.refused("throttled" if flooded else "wrong_key")
        if flooded:
            return TooManyFailures(flooded)
        wait = self._throttle.wait(peer.sender, now)
        log.warning("key_refused", address=peer.address, wait_s=wait)
        return WrongKey()

    def _remember(self, sender: str, digest: str) -> None:
        self._proved[sender, digest] = None
        self._proved.move_to_end((sender, digest))
        if len(self._proved) > _MOST_PROVED:
            self._proved.popitem(last=False)


ACCESS = web.AppKey("access", Access)
