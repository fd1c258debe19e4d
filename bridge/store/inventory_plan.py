"""Compare an inventory file with the store's inventory: what would change, and what contradicts what stays.

Never writes. Before it: `inventory_file`, and the rows that `stored_inventory` reads. After it: `inventory`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import sqlalchemy as sa

from bridge.core.model import EvseId
from bridge.inventory_file import ConnectorRow, EvseRow, Inventory, RowError, RowWarning, StationRow
from bridge.store.stations import EvseKey
from bridge.store.tables import connector, evse, station
from csms.events import SecurityProfile, StationId

_REMOVED_WITHOUT_YES = 0.1
"""Share of the stations or of the EVSEs that a pruning import may remove unasked."""

_Address = tuple[StationId, int, int]


@dataclass(frozen=True, slots=True)
class KeyColumns:
    """What is stored of a station's key; empty where it proves itself without one."""

    salt: bytes | None = None
    digest: bytes | None = None
    slow: bool = False
    kept: str = ""
    """Why the file's key was not taken; empty where it was, or is the stored one."""


@dataclass(frozen=True, slots=True)
class InventoryDiff:
    """What an import changes; every tuple is sorted."""

    stations_added: tuple[StationId, ...] = ()
    stations_changed: tuple[StationId, ...] = ()
    """Something about the station itself; its new credential included."""
    stations_removed: tuple[StationId, ...] = ()
    evses_added: tuple[EvseId, ...] = ()
    evses_changed: tuple[EvseId, ...] = ()
    """Its station, connectors, operator or a hub's id of it."""
    evses_removed: tuple[EvseId, ...] = ()
    stations_unlisted: tuple[StationId, ...] = ()
    """In the store, not in the file, and kept."""
    evses_unlisted: tuple[EvseId, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or would have done."""

    diff: InventoryDiff
    stations_before: int
    evses_before: int
    touched: tuple[EvseKey, ...] = ()
    """EVSEs to derive again: added, changed, removed, or at a station that changed."""
    credentials_changed: tuple[StationId, ...] = ()
    """Their open sessions were authenticated by what no longer holds."""
    warnings: tuple[RowWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Removals:
    """What an edit takes out of the inventory by name, where an import would prune."""

    stations: frozenset[StationId] = frozenset()
    evses: frozenset[EvseId] = frozenset()


NOTHING_REMOVED = Removals()


@dataclass(slots=True)
class StoredInventory:
    """The store's inventory; rows of removed stations and EVSEs are among them, marked by `removed_at_w`."""

    stations: dict[StationId, sa.RowMapping] = field(default_factory=dict)
    evses: dict[EvseId, sa.RowMapping] = field(default_factory=dict)
    addresses: dict[EvseId, set[_Address]] = field(default_factory=lambda: defaultdict(set))


def stored_inventory(conn: sa.Connection) -> StoredInventory:
    """Read the whole inventory."""
    stored = StoredInventory()
    for row in conn.execute(sa.select(station)).mappings():
        stored.stations[row["id"]] = row
    ids: dict[int, EvseId] = {}
    for row in conn.execute(sa.select(evse)).mappings():
        stored.evses[row["evse_id"]] = row
        ids[row["id"]] = row["evse_id"]
    for row in conn.execute(sa.select(connector)).mappings():
        stored.addresses[ids[row["evse"]]].add((row["station"], row["ocpp_evse"], row["ocpp_connector"]))
    return stored


class Plan:
    """Compares the file with the store; writes nothing."""

    def __init__(
        self, inventory: Inventory, stored: StoredInventory, *, prune: bool, remove: Removals = NOTHING_REMOVED
    ) -> None:
        self.stations = inventory.stations
        self.evses = inventory.evses
        self.stored = stored
        self._warnings = inventory.warnings
        self.connectors: dict[EvseId, list[ConnectorRow]] = defaultdict(list)
        for row in inventory.connectors:
            self.connectors[row.evse_id].append(row)
        listed_stations = {row.station for row in inventory.stations}
        listed_evses = {row.evse_id for row in inventory.evses}
        self._present_stations = {id_ for id_, row in stored.stations.items() if row["removed_at_w"] is None}
        self._present_evses = {id_ for id_, row in stored.evses.items() if row["removed_at_w"] is None}
        self._unlisted_stations = self._present_stations - listed_stations
        self._unlisted_evses = self._present_evses - listed_evses
        self._removed_stations = self._unlisted_stations if prune else self._unlisted_stations & remove.stations
        self._removed_evses = self._unlisted_evses if prune else self._unlisted_evses & remove.evses

    def errors(self) -> Iterable[RowError]:
        """Yield where the file contradicts what stays in the store."""
        folded = {row["id_folded"]: id_ for id_, row in self.stored.stations.items()}
        for row in self.stations:
            known_as = folded.get(row.station.casefold(), row.station)
            if known_as != row.station:
                yield RowError(row.line, "station", row.station, f"is registered as {known_as!r}; write it so")
            old = self.stored.stations.get(row.station)
            if row.wants_key and row.key is None and (old is None or old["key_digest"] is None):
                yield RowError(row.line, "key", "", "is missing: none is stored for this station; or write insecure")
        yield from self._second_claims()

    def _second_claims(self) -> Iterable[RowError]:
        stays = self._unlisted_evses - self._removed_evses
        kept = {address: id_ for id_ in stays for address in self.stored.addresses[id_]}
        for row in chain.from_iterable(self.connectors.values()):
            owner = kept.get((row.station, row.evse, row.connector))
            if owner is not None:
                yield RowError(
                    row.line,
                    "connector",
                    str(row.connector),
                    f"of station {row.station!r} is claimed for {row.evse_id} here and belongs to {owner} in the "
                    "store; list that EVSE with its connectors too, or import with --prune",
                )

    def result(self, credentials: Mapping[StationId, KeyColumns]) -> ImportResult:
        """Return what the import will do, without the keys of the EVSEs that it will make."""
        diff = InventoryDiff(
            stations_added=_sorted(row.station for row in self.stations if row.station not in self._present_stations),
            stations_changed=_sorted(
                row.station
                for row in self.stations
                if row.station in self._present_stations and self._station_changed(row, credentials[row.station])
            ),
            stations_removed=_sorted(self._removed_stations),
            evses_added=_sorted(row.evse_id for row in self.evses if row.evse_id not in self._present_evses),
            evses_changed=_sorted(
                row.evse_id for row in self.evses if row.evse_id in self._present_evses and self._evse_changed(row)
            ),
            evses_removed=_sorted(self._removed_evses),
            stations_unlisted=_sorted(self._unlisted_stations - self._removed_stations),
            evses_unlisted=_sorted(self._unlisted_evses - self._removed_evses),
        )
        return ImportResult(
            diff=diff,
            stations_before=len(self._present_stations),
            evses_before=len(self._present_evses),
            credentials_changed=_sorted(
                row.station
                for row in self.stations
                if row.station in self._present_stations and self._credential_changed(row, credentials[row.station])
            ),
            warnings=(
                *self._warnings,
                *self._collisions_with_kept(diff.evses_unlisted),
                *(
                    RowWarning(row.line, f"{row.station}: {credentials[row.station].kept}")
                    for row in self.stations
                    if credentials[row.station].kept
                ),
                *self._lower_profiles(),
            ),
        )

    def _lower_profiles(self) -> Iterable[RowWarning]:
        """Yield where the file demands less than the station has proved already: the ratchet stays where it is."""
        for row in self.stations:
            old = self.stored.stations.get(row.station)
            if old is not None and SecurityProfile.NONE < row.security < old["profile_reached"]:
                yield RowWarning(
                    row.line,
                    f"{row.station} has connected with security profile {old['profile_reached']}, and is refused with "
                    f"less whatever the file says; `ocpp-bridge station profile {row.station} {int(row.security)}` "
                    "allows it again",
                )

    def _station_changed(self, row: StationRow, credential: KeyColumns) -> bool:
        old = self.stored.stations[row.station]
        return any(old[name] != value for name, value in station_values(row, credential).items())

    def _credential_changed(self, row: StationRow, credential: KeyColumns) -> bool:
        old = self.stored.stations[row.station]
        return (old["key_salt"], old["key_digest"]) != (credential.salt, credential.digest)

    def _evse_changed(self, row: EvseRow) -> bool:
        old = self.stored.evses[row.evse_id]
        return (
            any(old[name] != value for name, value in evse_values(row).items())
            or self.addresses(row.evse_id) != self.stored.addresses[row.evse_id]
        )

    def addresses(self, evse_id: EvseId) -> set[_Address]:
        """Return the connectors that the file gives the EVSE."""
        return {(row.station, row.evse, row.connector) for row in self.connectors[evse_id]}

    def _collisions_with_kept(self, unlisted: Iterable[EvseId]) -> Iterable[RowWarning]:
        kept = {self.stored.evses[id_]["canonical"]: id_ for id_ in unlisted}
        for row in self.evses:
            if row.canonical in kept:
                yield RowWarning(
                    row.line,
                    f"{row.evse_id} and {kept[row.canonical]} (in the store) are the same without separators; "
                    "a hub that names ids without them cannot tell them apart",
                )

    def removes_much(self, diff: InventoryDiff) -> bool:
        """Tell whether more than a tenth of the stations or of the EVSEs would go."""
        return len(diff.stations_removed) > _REMOVED_WITHOUT_YES * len(self._present_stations) or len(
            diff.evses_removed
        ) > _REMOVED_WITHOUT_YES * len(self._present_evses)

    def with_touched(self, result: ImportResult, keys: Mapping[EvseId, tuple[EvseKey, StationId]]) -> ImportResult:
        """Return the result with the keys of the EVSEs to derive again."""
        diff = result.diff
        named = {*diff.evses_added, *diff.evses_changed, *diff.evses_removed}
        stations = {*diff.stations_added, *diff.stations_changed, *diff.stations_removed}
        touched = sorted(key for id_, (key, owner) in keys.items() if id_ in named or owner in stations)
        return replace(result, touched=tuple(touched))


def _sorted(ids: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(ids))


def station_values(row: StationRow, credential: KeyColumns) -> dict[str, Any]:
    """Return the columns of a station that the file decides, but for its id."""
    return {
        "version": None if row.default_version is None else row.default_version.value,
        "security": int(row.security),
        "key_salt": credential.salt,
        "key_digest": credential.digest,
        "key_slow": credential.slow,
        "certificate_name": row.certificate_name,
        "compression": row.compression,
        "ping_s": row.ping_s,
        "quirks": row.quirks,
        "layer0": row.layer0.value,
        "strict": row.strict,
    }


def evse_values(row: EvseRow) -> dict[str, Any]:
    """Return the columns of an EVSE that the file decides, but for its ids."""
    return {
        "station": row.station,
        "operator": row.operator,
        "chargeprice_station": row.chargeprice_station,
        "chargeprice_point": row.chargeprice_point,
        "spirii": row.spirii,
    }
