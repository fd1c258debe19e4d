"""Take an inventory into the store, all or nothing, and say what it changed; list it.

Never derives what the hubs should now be told: the caller does, in the same transaction, for the EVSEs in
`ImportResult.touched`. Before it: `inventory_file`. After it: `derive`.

What the file does not list stays, unless the import prunes. A removed EVSE keeps its row and its deliveries, as
tombstones; a removed station keeps its row and the count of its connections, and its reports and its credential are
forgotten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.core.model import EvseId, Layer0
from bridge.inventory_file import (
    EvseRow,
    Inventory,
    InventoryInvalid,
    StationRow,
)
from bridge.store.bulk import upsert
from bridge.store.errors import NeedsYes
from bridge.store.inventory_plan import (
    NOTHING_REMOVED,
    ImportResult,
    InventoryDiff,
    KeyColumns,
    Plan,
    Removals,
    StoredInventory,
    evse_values,
    station_values,
    stored_inventory,
)
from bridge.store.micros import to_micros
from bridge.store.rotations import replaced_keys
from bridge.store.station_keys import StationKeys
from bridge.store.stations import EvseKey
from bridge.store.tables import charging, connector, evse, fact, station, station_key
from bridge.store.working_copies import drop_copies
from csms.events import ConnectorAddress, OcppVersion, StationId
from csms.records import Credential

__all__ = [
    "ImportResult",
    "InventoryDiff",
    "InventoryEntry",
    "import_inventory",
    "list_inventory",
]


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """One EVSE as it stands in the inventory."""

    evse_id: EvseId
    station: StationId
    operator: str
    connectors: tuple[ConnectorAddress, ...]
    security: int
    default_version: OcppVersion | None
    layer0: Layer0
    strict: bool
    chargeprice_station: str
    chargeprice_point: str
    spirii: bool


def import_inventory(
    conn: sa.Connection,
    inventory: Inventory,
    *,
    keys: StationKeys,
    now: datetime,
    prune: bool = False,
    remove: Removals = NOTHING_REMOVED,
    yes: bool = False,
) -> ImportResult:
    """Bring the store's inventory to what the file says, within the caller's transaction.

    A dry run is the same call in a transaction that the caller rolls back. Importing a file twice changes nothing the
    second time: a key that matches its stored digest is not salted again.

    Args:
        conn: In a transaction; on any error the caller rolls back.
        inventory: What `parse_inventory` returned.
        keys: Makes and compares credentials.
        now: Wall time, for what is removed.
        prune: Remove what the file does not list.
        remove: Remove these, of what the file does not list.
        yes: Remove even more than a tenth.

    Raises: InventoryInvalid (the file contradicts what stays in the store), NeedsYes.
    """
    stored = stored_inventory(conn)
    plan = Plan(inventory, stored, prune=prune, remove=remove)
    if errors := [*plan.errors()]:
        raise InventoryInvalid(errors)
    replaced = replaced_keys(conn)
    credentials = {
        row.station: _credential(row, stored.stations.get(row.station), keys, replaced.get(row.station, ()))
        for row in plan.stations
    }
    result = plan.result(credentials)
    if not yes and plan.removes_much(result.diff):
        raise NeedsYes(result)
    _write(conn, plan, credentials, result.diff, now)
    _end_rotations(conn, result.credentials_changed)
    drop_copies(conn)
    return plan.with_touched(result, _keys(conn))


def list_inventory(conn: sa.Connection) -> list[InventoryEntry]:
    """Return every EVSE of the inventory with its connectors, ordered by EVSE id."""
    connectors: dict[int, list[ConnectorAddress]] = defaultdict(list)
    addresses = sa.select(connector).order_by(connector.c.ocpp_evse, connector.c.ocpp_connector)
    for row in conn.execute(addresses):
        connectors[row.evse].append(ConnectorAddress(row.ocpp_evse, row.ocpp_connector))
    statement = (
        sa.select(evse, station.c.security, station.c.version, station.c.layer0, station.c.strict)
        .join(station, station.c.id == evse.c.station)
        .where(evse.c.removed_at_w.is_(None))
        .order_by(evse.c.evse_id)
    )
    return [entry_of(row, tuple(connectors[row.id])) for row in conn.execute(statement)]


def entry_of(row: sa.Row[Any], connectors: tuple[ConnectorAddress, ...]) -> InventoryEntry:
    """Return a row of `evse`, with these columns of its station, as an entry."""
    return InventoryEntry(
        evse_id=row.evse_id,
        station=row.station,
        operator=row.operator,
        connectors=connectors,
        security=row.security,
        default_version=None if row.version is None else OcppVersion(row.version),
        layer0=Layer0(row.layer0),
        strict=row.strict,
        chargeprice_station=row.chargeprice_station,
        chargeprice_point=row.chargeprice_point,
        spirii=row.spirii,
    )


def _keys(conn: sa.Connection) -> dict[EvseId, tuple[EvseKey, StationId]]:
    rows = conn.execute(sa.select(evse.c.evse_id, evse.c.id, evse.c.station))
    return {row[0]: (EvseKey(row[1]), row[2]) for row in rows}


def _credential(
    row: StationRow, old: sa.RowMapping | None, keys: StationKeys, replaced: Sequence[Credential]
) -> KeyColumns:
    """Return what is to be stored of the station's key: as it is where the key is unchanged or not given.

    A key that a rotation has replaced since the file was written, the last one or one before it (`replaced`), does not
    come back: the station uses the new one.
    """
    if not row.wants_key:
        return KeyColumns()
    stored = None if old is None else _stored_credential(old, "key")
    if row.key is None:
        if stored is None:
            raise AssertionError("Plan.errors refuses a secure station without a key")
        return _columns(stored)
    if old is not None and stored is not None:
        if keys.proves(row.key, stored):
            return _columns(stored)
        rotated = (_stored_credential(old, "retired"), _stored_credential(old, "pending"), *replaced)
        if any(each is not None and keys.proves(row.key, each) for each in rotated):
            return _columns(stored, kept=_ROTATED)
    return _columns(keys.new(row.key))


_ROTATED = "its key was rotated since this file was written, and the new one stays; remove the key from the file"


def _stored_credential(row: sa.RowMapping, name: str) -> Credential | None:
    """Return one of a station's credentials: `key`, `pending` or `retired`."""
    digest = row[f"{name}_digest"]
    slow = row.get(f"{name}_slow", False)
    return None if digest is None else Credential(row[f"{name}_salt"], digest, slow)


def _columns(credential: Credential, kept: str = "") -> KeyColumns:
    return KeyColumns(credential.salt, credential.digest, credential.slow, kept)


_NO_KEYS = {f"{name}_{column}": None for name in ("key", "pending", "retired") for column in ("salt", "digest")} | {
    "key_slow": False,
    "retired_slow": False,
    "pending_at_w": None,
    "profile_reached": 0,
}
"""What a station is left with that leaves the inventory."""


# --- writing --------------------------------------------------------------------------------------------------------


def _write(
    conn: sa.Connection,
    plan: Plan,
    credentials: Mapping[StationId, KeyColumns],
    diff: InventoryDiff,
    now: datetime,
) -> None:
    written_stations = {*diff.stations_added, *diff.stations_changed}
    written_evses = {*diff.evses_added, *diff.evses_changed}
    stations = [row for row in plan.stations if row.station in written_stations]
    evses = [row for row in plan.evses if row.evse_id in written_evses]
    if stations:
        rows = [
            {"id": row.station, "id_folded": row.station.casefold(), "removed_at_w": None}
            | station_values(row, credentials[row.station])
            for row in stations
        ]
        upsert(conn, station, rows)
        # The word `insecure` is never there by itself: it takes the ratchet back.
        conn.execute(sa.update(station).where(station.c.security == 0).values(profile_reached=0))
    _write_evses(conn, plan.stored, evses)
    keys = _keys(conn)
    _remove_connectors(
        conn, [keys[id_][0] for id_ in (*written_evses, *diff.evses_removed) if id_ in plan.stored.evses]
    )
    addresses = [
        {"station": row.station, "ocpp_evse": row.evse, "ocpp_connector": row.connector, "evse": keys[id_][0]}
        for id_ in sorted(written_evses)
        for row in plan.connectors[id_]
    ]
    if addresses:
        conn.execute(sa.insert(connector), addresses)
    _remove(conn, diff, now)


def _end_rotations(conn: sa.Connection, stations: Iterable[StationId]) -> None:
    """Forget the other keys of stations that got a new one from the file."""
    for id_ in stations:
        conn.execute(
            sa.update(station)
            .where(station.c.id == id_)
            .values({name: value for name, value in _NO_KEYS.items() if name.startswith(("pending_", "retired_"))})
        )
        conn.execute(sa.delete(station_key).where(station_key.c.station == id_))


def _write_evses(conn: sa.Connection, stored: StoredInventory, evses: Iterable[EvseRow]) -> None:
    new, old = [], []
    for row in evses:
        values = evse_values(row) | {"removed_at_w": None}
        if row.evse_id in stored.evses:
            old.append({f"new_{name}": value for name, value in values.items()} | {"id_": row.evse_id})
        else:
            new.append(values | {"evse_id": row.evse_id, "canonical": row.canonical})
    if new:
        conn.execute(sa.insert(evse), new)
    if old:
        columns = [name.removeprefix("new_") for name in old[0] if name != "id_"]
        statement = (
            sa.update(evse)
            .where(evse.c.evse_id == sa.bindparam("id_"))
            .values({name: sa.bindparam(f"new_{name}") for name in columns})
        )
        conn.execute(statement, old)


def _remove_connectors(conn: sa.Connection, keys: Iterable[EvseKey]) -> None:
    gone = [{"key": key} for key in keys]
    if gone:
        conn.execute(sa.delete(connector).where(connector.c.evse == sa.bindparam("key")), gone)


def _remove(conn: sa.Connection, diff: InventoryDiff, now: datetime) -> None:
    at = to_micros(now)
    if diff.evses_removed:
        conn.execute(
            sa.update(evse).where(evse.c.evse_id == sa.bindparam("id_")).values(removed_at_w=at),
            [{"id_": id_} for id_ in diff.evses_removed],
        )
    if diff.stations_removed:
        gone = [{"id_": id_} for id_ in diff.stations_removed]
        conn.execute(
            sa.update(station)
            .where(station.c.id == sa.bindparam("id_"))
            .values(removed_at_w=at, unreachable_at=None, **_NO_KEYS),
            gone,
        )
        for table in (fact, charging, station_key):
            conn.execute(sa.delete(table).where(table.c.station == sa.bindparam("id_")), gone)
