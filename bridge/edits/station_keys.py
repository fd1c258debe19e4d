"""Carry out operators' orders about how stations prove themselves: begin and end a rotation of a key, set a profile.

Never sends, and never sees a key: `app.rotation` has it, sends it between beginning and end, and hands on what is kept
of it. Before it: `app.station_services`. After it: `store.rotations`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.core.model import Moment
from bridge.store.jobs import ItemFailed
from bridge.store.micros import to_micros
from bridge.store.rotations import (
    KeptKeys,
    NotFit,
    find_keys,
    forget_pending,
    set_pending,
    set_profile,
)
from bridge.store.station_keys import StationKeys
from bridge.store.transaction import Transaction
from csms.events import SecurityProfile, StationId
from csms.records import Credential


@dataclass(frozen=True, slots=True)
class RotationOrder:
    """A key is about to be sent to a station."""

    station: StationId
    key: bytes = field(repr=False)
    keys: StationKeys
    force: bool
    """Begin though it is not known which of two keys the station holds; both stay good."""
    at: Moment


@dataclass(frozen=True, slots=True)
class Begun:
    """The key is good from now on, beside every other that the station may hold."""

    station: StationId
    pending: Credential
    repeated: bool
    """The same key was sent before: that the station refuses it now does not say that it does not hold it."""


@dataclass(frozen=True, slots=True)
class ProfileOrder:
    """How a station must prove itself from now on."""

    station: StationId
    profile: SecurityProfile
    yes: bool
    """Lower what it has proved, too."""


class RotationPending(Exception):
    """An earlier key may be held by the station, or not."""

    def __init__(self, station: StationId) -> None:
        super().__init__(station)
        self.station = station

    def __str__(self) -> str:
        """Return the text for the operator."""
        return (
            f"{self.station} was sent a key before and has not logged in with it: it may hold either. Send the same "
            "one again (--key-file), wait for its next login, or use --force, which keeps all of them good"
        )


class LowersProfile(Exception):
    """The order lowers what the station has proved or the inventory demands."""

    def __init__(self, station: StationId, demanded: SecurityProfile, wanted: SecurityProfile) -> None:
        super().__init__(station, demanded, wanted)
        self.station, self.demanded, self.wanted = station, demanded, wanted

    def __str__(self) -> str:
        """Return the text for the operator."""
        return (
            f"{self.station} must use security profile {int(self.demanded)}: profile {int(self.wanted)} would let in "
            "whoever proves less; say yes to that (--yes)"
        )


def begin_rotations(conn: Transaction, orders: Sequence[RotationOrder]) -> list[Begun | ItemFailed]:
    """Keep each key as one that its station may log in with, before it is sent."""
    return [_begin(conn, order) for order in orders]


def drop_rotations(conn: Transaction, refused: Sequence[Begun]) -> list[None]:
    """Forget keys that their stations surely did not take; one that was proved meanwhile stays."""
    for begun in refused:
        forget_pending(conn, begun.station, begun.pending.salt)
    return [None] * len(refused)


def set_profiles(conn: Transaction, orders: Sequence[ProfileOrder]) -> list[ItemFailed | None]:
    """Set what is demanded of each station, and what it counts as having proved."""
    return [_set(conn, order) for order in orders]


def _begin(conn: Transaction, order: RotationOrder) -> Begun | ItemFailed:
    stored = find_keys(conn, order.station)
    if stored is None:
        return ItemFailed(NotFit(f"there is no station {order.station!r} any more"))
    if not stored.uses_key or stored.current is None:
        return ItemFailed(NotFit(_no_key(stored)))
    if stored.pending is None and order.keys.proves(order.key, stored.current):
        return ItemFailed(NotFit(f"{order.station} has this key already"))
    for sent in (stored.pending, stored.current, *stored.earlier):
        if stored.pending is not None and sent is not None and order.keys.proves(order.key, sent):
            return Begun(order.station, sent, repeated=True)
    if stored.pending is not None and not order.force:
        return ItemFailed(RotationPending(order.station))
    credential = order.keys.new(order.key)
    try:
        set_pending(conn, order.station, credential, to_micros(order.at.now))
    except NotFit as error:
        return ItemFailed(error)
    return Begun(order.station, credential, repeated=False)


def _no_key(stored: KeptKeys) -> str:
    proof = "a client certificate" if stored.demanded is SecurityProfile.TLS_CERTIFICATE else "nothing at all"
    return f"{stored.station} has no key: it proves itself by {proof} (security profile {int(stored.demanded)})"


def _set(conn: Transaction, order: ProfileOrder) -> ItemFailed | None:
    stored = find_keys(conn, order.station)
    if stored is None:
        return ItemFailed(NotFit(f"there is no station {order.station!r} any more"))
    needs_key = order.profile in (SecurityProfile.BASIC, SecurityProfile.TLS_BASIC)
    if needs_key and stored.current is None:
        return ItemFailed(
            NotFit(f"{order.station} has no key, which profile {int(order.profile)} needs: import one first")
        )
    if order.profile < stored.demanded and not order.yes:
        return ItemFailed(LowersProfile(order.station, stored.demanded, order.profile))
    set_profile(conn, order.station, order.profile)
    return None
