"""Decide what becomes of stations that the registry does not know: refused, let in as guests, or taken in.

Never reads an OCPP message and never writes: `ports.Newcomers` remembers. Before it: `admission`, for an identity
without a record. After it: `admission` again, with a record that goes the way of every other; a guest's session is
`session`'s, answered by `guests`.

A guest has proved nothing. So guests are few: so many sockets of one address, so many in all.
Source: OCPP 1.6 §4.2 and OCPP 2.0.1 Part 2 B02 (Pending).
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections import Counter
from collections.abc import Sequence

from csms.auth import SHORTEST_KEY, Refuse, basic_credentials, new_credential
from csms.events import Epoch, SecurityProfile, StationId, StationVisited
from csms.gate import network_of
from csms.handshake import negotiate
from csms.options import ServerOptions, UnknownPolicy
from csms.ports import Newcomers, NotRecorded
from csms.records import Credential, StationRecord
from csms.websocket import Claim, StationSocket

SOCKETS_OF_ONE_ADDRESS = 10
SOCKETS = 1_000
"""Guests at one time, of all addresses."""

UNKNOWN = Refuse(404, "unknown charging station")
_STORAGE_DOWN = Refuse(503, "storage is not available", (("Retry-After", "10"),))
_FULL = Refuse(503, "too many unknown stations", (("Retry-After", "60"),))
_CROWDED = Refuse(429, "too many unknown stations of this address", (("Retry-After", "60"),))

# identifierString without the colon, which HTTP Basic cannot carry in a user id.
_REGISTRABLE = re.compile(r"[A-Za-z0-9*_=+|@.-]{1,48}", re.ASCII)


def registrable(identity: str) -> bool:
    """Tell whether a station that nobody announced may go by this identity.

    Source: OCPP 2.0.1 Part 2, identifierString; Part 4 §3.1.1, at most 48 characters.
    """
    return _REGISTRABLE.fullmatch(identity) is not None


def within(address: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Tell whether the address is of one of the networks; an IPv4 address in IPv6 clothes counts as IPv4."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)


def policy_for(options: ServerOptions, identity: str, address: str) -> UnknownPolicy:
    """Return what becomes of this stranger; `accept` means nobody outside of `accept_from`."""
    if not registrable(identity):
        return UnknownPolicy.REJECT
    if options.unknown_stations is UnknownPolicy.ACCEPT and not within(address, options.accept_from):
        return UnknownPolicy.REJECT
    return options.unknown_stations


def first_credential(identity: str, authorization: Sequence[str], pepper: bytes) -> Credential | None:
    """Return a credential of the key that a stranger presents, if it is one: it is to be held to it from now on.

    None where it presents none, one under another name, or one that is too short to prove anything.
    """
    presented = basic_credentials(authorization[0]) if len(authorization) == 1 else None
    if presented is None:
        return None
    user, key = presented
    named = user.decode("utf-8", errors="replace").casefold() == identity.casefold()
    return new_credential(pepper, key) if named and len(key) >= SHORTEST_KEY else None


class Strangers:
    """The unknown stations of one server."""

    def __init__(self, options: ServerOptions, newcomers: Newcomers | None, pepper: bytes) -> None:
        """Refuse every stranger where `newcomers` is None."""
        self._options = options
        self._newcomers = newcomers
        self._pepper = pepper
        self._epochs = itertools.count(1)
        self._sockets = Counter[str]()

    def __len__(self) -> int:
        return self._sockets.total()

    async def record_of(
        self, identity: str, address: str, authorization: Sequence[str], offers: Sequence[str]
    ) -> StationRecord | Refuse:
        """Return the record that a stranger is to be admitted by, like any station, or why it is refused."""
        policy = policy_for(self._options, identity, address)
        if policy is UnknownPolicy.REJECT or self._newcomers is None:
            return UNKNOWN
        negotiated = negotiate(offers, None)
        if isinstance(negotiated, Refuse):
            return negotiated
        if policy is UnknownPolicy.QUARANTINE:
            return self._full(address) or guest_record(identity)
        try:
            record = await self._newcomers.accept(identity, first_credential(identity, authorization, self._pepper))
        except NotRecorded:
            return _STORAGE_DOWN
        return _FULL if record is None else record

    def enter(self, socket: StationSocket, claim: Claim, address: str, *, showed_credentials: bool) -> Epoch | Refuse:
        """Give a guest its place until its TCP connection is lost, and have its visit noted."""
        full = self._full(address)
        if full is not None or self._newcomers is None:
            return full or UNKNOWN
        place = network_of(address)
        self._sockets[place] += 1
        socket.when_lost(lambda: self._leave(place))
        visit = StationVisited(claim.record.station, claim.negotiated.version, address, showed_credentials)
        self._newcomers.arrived(visit)
        return Epoch(next(self._epochs))

    def _full(self, address: str) -> Refuse | None:
        if self._sockets[network_of(address)] >= SOCKETS_OF_ONE_ADDRESS:
            return _CROWDED
        return _FULL if len(self) >= SOCKETS else None

    def _leave(self, place: str) -> None:
        self._sockets[place] -= 1
        if not self._sockets[place]:
            del self._sockets[place]


def guest_record(identity: str) -> StationRecord:
    """Return the record of a guest: it proves nothing, has nothing, and is never accepted."""
    return StationRecord(
        StationId(identity),
        credential=None,
        default_version=None,
        accepted=False,
        connectors=(),
        security=SecurityProfile.NONE,
        quarantined=True,
    )
