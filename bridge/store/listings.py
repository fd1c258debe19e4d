"""Remember the static data of EVSEs and stations as imported; say what an import changes.

Never decides what a hub is told of it: `bridge.documents` does. Before it: `listing_file`. Twin: `inventory`.

What the file does not list stays, unless the import prunes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from uuid import uuid4

import sqlalchemy as sa

from bridge.core.documents import DocumentKind, canonical_json
from bridge.core.identifiers import canonical
from bridge.core.model import EvseId
from bridge.listing_file import Listing
from bridge.store.bulk import upsert
from bridge.store.errors import ListingNeedsYes
from bridge.store.listing_claims import Station, check_claims, renamed
from bridge.store.tables import evse, listing

ListingName = tuple[DocumentKind, str]
"""Kind and key of a listed thing."""

_REMOVED_WITHOUT_YES = 0.1
"""Share of the listed EVSEs or of the stations that a pruning import may remove unasked."""


@dataclass(frozen=True, slots=True)
class ListingRow:
    """One EVSE's data, or one station's."""

    kind: DocumentKind
    key: str
    reference: str
    """UUID that the station has at the hub; empty where it has none, or for an EVSE."""
    content: str
    """JSON, canonical."""

    @property
    def name(self) -> ListingName:
        """What tells it from the others."""
        return self.kind, self.key


@dataclass(frozen=True, slots=True)
class ListingDiff:
    """What an import changes; every tuple is sorted."""

    added: tuple[ListingName, ...] = ()
    changed: tuple[ListingName, ...] = ()
    removed: tuple[ListingName, ...] = ()
    unlisted: tuple[ListingName, ...] = ()
    """In the store, not in the file, and kept."""


@dataclass(frozen=True, slots=True)
class ListingResult:
    """What an import did, or would have done."""

    diff: ListingDiff
    before: int
    warnings: tuple[str, ...] = ()


def load_listings(
    conn: sa.Connection,
    kind: DocumentKind | None = None,
    *,
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> list[ListingRow]:
    """Return what is listed, all or of one kind, ordered by kind and key; with `after` only what is behind these."""
    statement = sa.select(listing).order_by(listing.c.kind, listing.c.key).limit(limit)
    if after is not None:
        statement = statement.where(sa.tuple_(listing.c.kind, listing.c.key) > sa.tuple_(*map(sa.literal, after)))
    if kind is not None:
        statement = statement.where(listing.c.kind == str(kind))
    return [ListingRow(DocumentKind(row.kind), row.key, row.reference, row.content) for row in conn.execute(statement)]


def random_reference() -> str:
    """Return a new UUID for a station."""
    return str(uuid4())


def listed_evse_data(conn: sa.Connection, operators: Collection[str]) -> list[tuple[EvseId, str]]:
    """Return id and content of what is listed of the EVSEs that the inventory has of these operators."""
    statement = (
        sa.select(listing.c.key, listing.c.content)
        .join(evse, evse.c.evse_id == listing.c.key)
        .where(
            listing.c.kind == str(DocumentKind.EVSE_DATA),
            evse.c.removed_at_w.is_(None),
            evse.c.operator.in_(sorted(operators)),
        )
        .order_by(listing.c.key)
    )
    return [(EvseId(row.key), row.content) for row in conn.execute(statement)]


def import_listing(
    conn: sa.Connection,
    wanted: Listing,
    *,
    prune: bool = False,
    yes: bool = False,
    new_reference: Callable[[], str] = random_reference,
) -> ListingResult:
    """Bring what is listed to what the file says, within the caller's transaction.

    A station keeps the reference that is stored where the file gives none; at first it gets a new one, for ever. One
    that the file has under another name, with its reference, is the same station and has changed. A dry run is the
    same call in a transaction that the caller rolls back.

    Args:
        conn: In a transaction; on any error the caller rolls back.
        wanted: What `parse_listing` returned.
        prune: Remove what the file does not list.
        yes: Remove even more than a tenth.
        new_reference: Makes the UUID of a station that has none. Source: Chargeprice API, PUT
            /v2/charging_stations/:id, id: "Create: Client-side generated UUID".

    Raises: ListingInvalid where a station claims what another one that stays has; ListingNeedsYes.
    """
    stored = {row.name: row for row in load_listings(conn)}
    rows = {row.name: row for row in _rows(wanted, stored, new_reference)}
    stations = _stations(rows.values())
    gone = {(DocumentKind.STATION, key) for key in renamed(stations, _stations(stored.values()))}
    diff = _diff(rows, stored, gone, prune)
    check_claims(stations, _stations(stored[name] for name in diff.unlisted))
    result = ListingResult(diff, len(stored), (*wanted.warnings, *_not_in_inventory(conn, wanted)))
    if not yes and _removes_much(diff, stored):
        raise ListingNeedsYes(result)
    _write(conn, [rows[name] for name in (*diff.added, *diff.changed)], {*diff.removed, *gone})
    return result


def _diff(
    rows: dict[ListingName, ListingRow], stored: dict[ListingName, ListingRow], gone: set[ListingName], prune: bool
) -> ListingDiff:
    """Return what changes; `gone`: stations that the file has under another name."""
    references = {stored[name].reference for name in gone}
    known = stored.keys() | {name for name, row in rows.items() if row.reference in references}
    unlisted = stored.keys() - rows.keys() - gone
    return ListingDiff(
        added=_sorted(rows.keys() - known),
        changed=_sorted(name for name, row in rows.items() if name in known and stored.get(name) != row),
        removed=_sorted(unlisted if prune else ()),
        unlisted=_sorted(() if prune else unlisted),
    )


def _rows(
    wanted: Listing, stored: dict[ListingName, ListingRow], new_reference: Callable[[], str]
) -> Iterable[ListingRow]:
    for data in wanted.evse_data:
        yield ListingRow(DocumentKind.EVSE_DATA, data.evse_id, "", canonical_json(data.content))
    for station in wanted.stations:
        old = stored.get((DocumentKind.STATION, station.key))
        reference = station.reference or (new_reference() if old is None else old.reference)
        yield ListingRow(DocumentKind.STATION, station.key, reference, canonical_json(station.content))


def _stations(rows: Iterable[ListingRow]) -> list[Station]:
    return [Station(row.key, row.reference, row.content) for row in rows if row.kind is DocumentKind.STATION]


def _sorted(names: Iterable[ListingName]) -> tuple[ListingName, ...]:
    return tuple(sorted(names))


def _removes_much(diff: ListingDiff, stored: dict[ListingName, ListingRow]) -> bool:
    return any(
        sum(name[0] is kind for name in diff.removed) > _REMOVED_WITHOUT_YES * sum(name[0] is kind for name in stored)
        for kind in {name[0] for name in diff.removed}
    )


def _not_in_inventory(conn: sa.Connection, wanted: Listing) -> Iterable[str]:
    """Yield a warning for each EVSE and station that the inventory does not have: nothing is sent of it until then."""
    ids = [row[0] for row in conn.execute(sa.select(evse.c.evse_id).where(evse.c.removed_at_w.is_(None)))]
    present, spelled = set(ids), {canonical(id_): id_ for id_ in ids}
    for data in wanted.evse_data:
        if data.evse_id in present:
            continue
        other = spelled.get(canonical(EvseId(data.evse_id)))
        if other is None:
            yield f"{data.evse_id} is not in the inventory: its data is sent once it is"
        else:
            yield f"{data.evse_id} is not in the inventory, which has {other}: write the id the same in both"
    for station in wanted.stations:
        points = station.content.get("charge_points", ())
        if not any(evse_id in present for point in points for evse_id in point["evse_ids"]):
            yield f"station {station.key}: none of its EVSEs is in the inventory: it is sent once one is"


def _write(conn: sa.Connection, rows: list[ListingRow], removed: Iterable[ListingName]) -> None:
    values = [
        {"kind": str(row.kind), "key": row.key, "reference": row.reference, "content": row.content} for row in rows
    ]
    if values:
        upsert(conn, listing, values)
    gone = [{"kind_": str(kind), "key_": key} for kind, key in removed]
    if gone:
        conn.execute(
            sa.delete(listing).where(listing.c.kind == sa.bindparam("kind_"), listing.c.key == sa.bindparam("key_")),
            gone,
        )
