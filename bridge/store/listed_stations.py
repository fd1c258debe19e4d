"""Know which listed station names each EVSE: under its UUID the EVSE's statuses go to Chargeprice.

Never decides what is sent. Before it: `listings` and the inventory, either of which may have changed. After it:
`stations`, whose working copies hold an EVSE's references.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bridge.core.documents import DocumentKind
from bridge.store.listings import ListingRow, load_listings
from bridge.store.stations import EvseKey
from bridge.store.tables import evse
from bridge.store.working_copies import copies_of


def evse_ids(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the EVSE ids that a listed station's content names; one may come several times."""
    for point in content["charge_points"]:
        yield from point["evse_ids"]


def operators_of(conn: sa.Connection) -> dict[str, str]:
    """Return the operator of every EVSE that the inventory has, by EVSE id."""
    rows = conn.execute(sa.select(evse.c.evse_id, evse.c.operator).where(evse.c.removed_at_w.is_(None)))
    return {row.evse_id: row.operator for row in rows}


def match_listed(conn: sa.Connection) -> list[EvseKey]:
    """Write down for every EVSE the station that lists it, and return those for which it is another one now."""
    wanted = _wanted(load_listings(conn, DocumentKind.STATION))
    rows = conn.execute(
        sa.select(evse.c.id, evse.c.evse_id, evse.c.listed_station).where(evse.c.removed_at_w.is_(None))
    )
    changed = [
        {"key": row.id, "wanted": wanted.get(row.evse_id, "")}
        for row in rows
        if row.listed_station != wanted.get(row.evse_id, "")
    ]
    if changed:
        statement = sa.update(evse).where(evse.c.id == sa.bindparam("key"))
        conn.execute(statement.values(listed_station=sa.bindparam("wanted")), changed)
    keys = [EvseKey(row["key"]) for row in changed]
    copies_of(conn).drop_evses(keys)
    return keys


def _wanted(stations: Sequence[ListingRow]) -> dict[str, str]:
    return {evse_id: row.reference for row in stations for evse_id in evse_ids(json.loads(row.content))}
