"""Remember stations that the inventory does not know: those in quarantine, and those that were taken in as they came.

Never derives anything: neither kind has an EVSE. Before it: `bridge.app.newcomers`, which gathers what guests do into a
few writes, and `edits.quarantine`. After it: whoever lists them.

Whoever connects can make up an identity, so both kinds are bounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.store.bulk import insert_or_update, upsert
from bridge.store.micros import from_micros, to_micros
from bridge.store.station_records import find_station
from bridge.store.tables import evse, quarantined, station
from bridge.store.working_copies import copies_of
from csms.events import OcppVersion, SecurityProfile, StationId
from csms.records import Credential, StationRecord

MOST = 1_000
"""Rows of either kind."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is new of one guest since it was written last."""

    station: StationId
    """As it spells itself."""
    seen_at: datetime
    connections: int = 0
    """0: it only said something, or left; then nothing is written of one that is in no quarantine any more."""
    address: str = ""
    version: str = ""
    showed_credentials: bool = False
    described: tuple[str, str, str, str] | None = None
    """Vendor, model, serial, firmware; None: it has not said."""


@dataclass(frozen=True, slots=True)
class Sightings:
    """What is new of guests, and whose rows must stay because they are connected now."""

    of: tuple[Sighting, ...]
    connected: frozenset[str] = frozenset()
    """Casefolded identities."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One station in quarantine."""

    station: StationId
    address: str
    version: OcppVersion
    vendor: str
    model: str
    serial: str
    firmware: str
    first_seen: datetime
    last_seen: datetime
    connections: int
    showed_credentials: bool


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A station that is taken into the inventory as it came, without EVSEs."""

    identity: str
    credential: Credential | None
    """It is held to it from now on; None: it proves nothing, and is insecure."""


# --- quarantine -----------------------------------------------------------------------------------------------------


def note_sightings(conn: sa.Connection, orders: Sequence[Sightings]) -> list[None]:
    """Write what guests did; what became known meanwhile leaves, and so do the oldest where there are too many."""
    for order in orders:
        arrived = [_arrival(sighting) for sighting in order.of if sighting.connections]
        if arrived:
            conn.execute(_arrivals(conn), arrived)
        for sighting in order.of:
            _update(conn, sighting)
        drop_known(conn)
        _evict(conn, order.connected)
    return [None] * len(orders)


def list_quarantined(conn: sa.Connection) -> list[Quarantined]:
    """Return all of them, those that were seen last first."""
    rows = conn.execute(sa.select(quarantined).order_by(quarantined.c.last_seen_w.desc(), quarantined.c.id_folded))
    return [_quarantined(row) for row in rows.mappings()]


def find_quarantined(conn: sa.Connection, identity: str) -> Quarantined | None:
    """Return the one of this identity, in whatever spelling."""
    statement = sa.select(quarantined).where(quarantined.c.id_folded == identity.casefold())
    row = conn.execute(statement).mappings().first()
    return None if row is None else _quarantined(row)


def known_stations(conn: sa.Connection) -> list[StationId]:
    """Return the stations of the inventory, which an unknown one may be meant to be."""
    return list(conn.execute(sa.select(station.c.id).where(station.c.removed_at_w.is_(None))).scalars())


def count_quarantined(conn: sa.Connection) -> int:
    """Return how many there are."""
    count: int = conn.execute(sa.select(sa.func.count()).select_from(quarantined)).scalar_one()
    return count


def forget_quarantined(conn: sa.Connection, identities: Sequence[str]) -> list[bool]:
    """Remove them; tell of each whether it was there."""
    return [
        conn.execute(sa.delete(quarantined).where(quarantined.c.id_folded == identity.casefold())).rowcount > 0
        for identity in identities
    ]


def drop_known(conn: sa.Connection) -> None:
    """Remove what the inventory knows by now."""
    known = sa.select(station.c.id_folded).where(station.c.removed_at_w.is_(None))
    conn.execute(sa.delete(quarantined).where(quarantined.c.id_folded.in_(known)))


def _evict(conn: sa.Connection, connected: frozenset[str]) -> None:
    surplus = count_quarantined(conn) - MOST
    if surplus <= 0:
        return
    oldest = (
        sa.select(quarantined.c.id_folded)
        .where(quarantined.c.id_folded.not_in(connected))
        .order_by(quarantined.c.last_seen_w, quarantined.c.id_folded)
        .limit(surplus)
    )
    conn.execute(sa.delete(quarantined).where(quarantined.c.id_folded.in_(conn.execute(oldest).scalars().all())))


def _arrivals(conn: sa.Connection) -> sa.Executable:
    insert = insert_or_update(conn, quarantined)
    names = ("id", "address", "version", "last_seen_w", "showed_credentials")
    return insert.on_conflict_do_update(
        index_elements=[quarantined.c.id_folded],
        set_={name: insert.excluded[name] for name in names}
        | {"connections": quarantined.c.connections + insert.excluded.connections},
    )


def _arrival(sighting: Sighting) -> dict[str, Any]:
    return {
        "id_folded": sighting.station.casefold(),
        "id": sighting.station,
        "address": sighting.address,
        "version": sighting.version,
        "first_seen_w": to_micros(sighting.seen_at),
        "last_seen_w": to_micros(sighting.seen_at),
        "connections": sighting.connections,
        "showed_credentials": sighting.showed_credentials,
    }


def _update(conn: sa.Connection, sighting: Sighting) -> None:
    values: dict[str, Any] = {} if sighting.connections else {"last_seen_w": to_micros(sighting.seen_at)}
    if sighting.described is not None:
        values |= dict(zip(("vendor", "model", "serial", "firmware"), sighting.described, strict=True))
    if values:
        row = quarantined.c.id_folded == sighting.station.casefold()
        conn.execute(sa.update(quarantined).where(row).values(values))


def _quarantined(row: sa.RowMapping) -> Quarantined:
    return Quarantined(
        station=row["id"],
        address=row["address"],
        version=OcppVersion(row["version"]),
        vendor=row["vendor"],
        model=row["model"],
        serial=row["serial"],
        firmware=row["firmware"],
        first_seen=from_micros(row["first_seen_w"]),
        last_seen=from_micros(row["last_seen_w"]),
        connections=row["connections"],
        showed_credentials=row["showed_credentials"],
    )


# --- taken in as they came ------------------------------------------------------------------------------------------


def accept_stations(conn: sa.Connection, orders: Sequence[Acceptance]) -> list[StationRecord | None]:
    """Take stations into the inventory, without EVSEs, and return their records; None where there are too many.

    What is there already stays as it is. Its reports are facts like any other: they count once it has EVSEs.
    """
    return [_accept(conn, order) for order in orders]


def _accept(conn: sa.Connection, order: Acceptance) -> StationRecord | None:
    folded = order.identity.casefold()
    known = find_station(conn, folded)
    if known is not None:
        return known
    if _without_evses(conn) >= MOST:
        return None
    # One that left the inventory comes back as it was spelled: the file that may name it again does so, too.
    old = conn.execute(sa.select(station.c.id).where(station.c.id_folded == folded)).scalar()
    id_ = StationId(order.identity if old is None else old)
    values: Mapping[str, Any] = {
        "id": id_,
        "id_folded": folded,
        "removed_at_w": None,
        "security": int(SecurityProfile.NONE if order.credential is None else SecurityProfile.BASIC),
        "key_salt": None if order.credential is None else order.credential.salt,
        "key_digest": None if order.credential is None else order.credential.digest,
    }
    upsert(conn, station, [values])
    conn.execute(sa.delete(quarantined).where(quarantined.c.id_folded == folded))
    copies_of(conn).drop(id_)
    return find_station(conn, folded)


def _without_evses(conn: sa.Connection) -> int:
    owners = sa.select(evse.c.station).where(evse.c.removed_at_w.is_(None))
    statement = (
        sa.select(sa.func.count())
        .select_from(station)
        .where(station.c.removed_at_w.is_(None), station.c.id.not_in(owners))
    )
    count: int = conn.execute(statement).scalar_one()
    return count
