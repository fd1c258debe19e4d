"""Bring together what belongs together in the inventory file, and find every mistake.

Never stops at the first one. Before it: `records`. After it: the values in `rows`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bridge.core.identifiers import canonical
from bridge.core.model import EvseId, Layer0
from bridge.inventory_file.cells import SHORTEST_KEY, cell_parsers
from bridge.inventory_file.records import Row, parse_row, records
from bridge.inventory_file.rows import (
    ConnectorRow,
    EvseRow,
    Inventory,
    InventoryInvalid,
    RowError,
    RowWarning,
    StationRow,
)
from csms.events import OcppVersion, SecurityProfile, StationId

_STATION_COLUMNS = (
    "version",
    "default_version",
    "key",
    "weak_key",
    "security",
    "certificate_name",
    "compression",
    "ping_seconds",
    "quirks",
    "layer0",
    "strict",
)
_EVSE_COLUMNS = ("station", "operator", "chargeprice_station", "chargeprice_point", "spirii")


def parse_inventory(
    content: bytes | str,
    *,
    operators: Collection[str],
    read_key_file: Callable[[str], bytes],
    quirks: Collection[str] = (),
) -> Inventory:
    """Return what the file says.

    Args:
        content: The file, UTF-8 with or without a byte order mark. Empty lines and lines that begin with `#` count for
            nothing.
        operators: Names of the operators that are configured.
        read_key_file: Returns the content of the file that a row names for its key; raises OSError.
        quirks: Names of the quirk profiles that there are.

    Raises: InventoryInvalid, which lists every mistake.
    """
    errors: list[RowError] = []
    parsers = cell_parsers(operators, read_key_file, quirks)
    rows = [parse_row(line, cells, parsers, errors) for line, cells in records(content, errors)]
    stations = _stations(rows, errors)
    evses = _evses(rows, errors)
    connectors = _connectors(rows, {station.station: station.version for station in stations}, errors)
    if errors:
        raise InventoryInvalid(sorted(errors, key=lambda error: (error.line, error.column)))
    return Inventory(tuple(stations), tuple(evses), tuple(connectors), tuple(_canonical_warnings(evses)))


def _canonical_warnings(evses: Iterable[EvseRow]) -> Iterator[RowWarning]:
    """Yield a warning for each EVSE whose id a hub could take for an earlier one's."""
    seen: dict[str, EvseRow] = {}
    for evse in evses:
        other = seen.setdefault(evse.canonical, evse)
        if other is not evse:
            yield RowWarning(
                evse.line,
                f"{evse.evse_id} and {other.evse_id} (line {other.line}) are the same without separators; "
                "a hub that names ids without them cannot tell them apart",
            )


# --- what belongs together ------------------------------------------------------------------------------------------


def _grouped(rows: Iterable[Row], column: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        if column in row.cells:
            groups[row.cells[column]].append(row)
    return groups


def _agreed(rows: Sequence[Row], columns: Sequence[str], of: str, errors: list[RowError]) -> dict[str, Any]:
    """Return what the rows say together; a value that differs from an earlier row's is an error that names both."""
    agreed: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for row in rows:
        for column in columns:
            if column not in row.cells:
                continue
            if column not in agreed:
                agreed[column], lines[column] = row.cells[column], row.line
            elif agreed[column] != row.cells[column]:
                errors.append(row.error(column, f"differs from line {lines[column]}; all rows of {of} must agree"))
    return agreed


def _stations(rows: Sequence[Row], errors: list[RowError]) -> list[StationRow]:
    stations: list[StationRow] = []
    spellings: dict[str, StationRow] = {}
    for id_, members in _grouped(rows, "station").items():
        station = _station(id_, members, errors)
        if station is None:
            continue
        other = spellings.setdefault(id_.casefold(), station)
        if other is not station:
            wanted = f"differs from {other.station!r} (line {other.line}) only in case; stations must differ in more"
            errors.append(members[0].error("station", wanted))
        stations.append(station)
    return stations


def _station(id_: StationId, rows: Sequence[Row], errors: list[RowError]) -> StationRow | None:
    first = rows[0]
    said = _agreed(rows, _STATION_COLUMNS, "a station", errors)
    version = said.get("version")
    if version is None:
        if not any("version" in row.wrong for row in rows):
            errors.append(first.error("version", "is missing: 1.6, 2.0.1 or 2.1"))
        return None
    default_version = said.get("default_version")
    if default_version not in (None, version):
        errors.append(first.error("default_version", f"must be empty or the station's version, {version.value}"))
    station = StationRow(
        line=first.line,
        station=id_,
        version=version,
        default_version=default_version,
        security=said.get("security", SecurityProfile.BASIC),
        key=said.get("key"),
        layer0=said.get("layer0", Layer0.DOWNGRADE),
        strict=said.get("strict", False),
        certificate_name=said.get("certificate_name", ""),
        compression=said.get("compression"),
        ping_s=said.get("ping_seconds"),
        quirks=said.get("quirks"),
    )
    errors += _proof_errors(station, first, weak_key=said.get("weak_key", False))
    return station


def _proof_errors(station: StationRow, row: Row, *, weak_key: bool) -> Iterator[RowError]:
    """Yield what is wrong with how the station is to prove itself."""
    key = station.key
    if key is not None and station.security is SecurityProfile.NONE:
        yield row.error("security", "an insecure station has no key; remove the key or the word insecure")
    if key is not None and station.security is SecurityProfile.TLS_CERTIFICATE:
        yield row.error("security", "a station of profile 3 proves itself by its certificate; remove the key")
    if key is not None and station.wants_key and len(key) < SHORTEST_KEY and not weak_key:
        yield row.error(
            "key",
            f"has {len(key)} bytes and must have at least {SHORTEST_KEY}; where the station takes no longer one, "
            "write true into a column weak_key",
        )
    if station.wants_key and ":" in station.station:
        yield row.error("station", "must not contain a colon, which HTTP Basic cannot carry in a user id")
    if station.certificate_name and station.security < SecurityProfile.TLS_BASIC:
        yield row.error("certificate_name", "is for stations that connect over TLS: security 2 or 3")


def _evses(rows: Sequence[Row], errors: list[RowError]) -> list[EvseRow]:
    evses: list[EvseRow] = []
    for id_, members in _grouped(rows, "evse_id").items():
        said = _agreed(members, _EVSE_COLUMNS, f"EVSE {id_}", errors)
        if "operator" not in said and not any("operator" in row.wrong for row in members):
            errors.append(members[0].error("operator", "is missing"))
        if "station" in said and "operator" in said:
            evses.append(
                EvseRow(
                    line=members[0].line,
                    evse_id=id_,
                    canonical=canonical(id_),
                    station=said["station"],
                    operator=said["operator"],
                    chargeprice_station=said.get("chargeprice_station", ""),
                    chargeprice_point=said.get("chargeprice_point", ""),
                    spirii=said.get("spirii", False),
                )
            )
    return evses


def _connectors(
    rows: Sequence[Row], versions: Mapping[StationId, OcppVersion], errors: list[RowError]
) -> list[ConnectorRow]:
    claims: dict[tuple[StationId, int, int], ConnectorRow] = {}
    for row in rows:
        version = versions.get(row.cells.get("station", ""))
        if version is None:
            continue
        if version is OcppVersion.V16 and row.texts.get("evse"):
            errors.append(row.error("evse", "must be empty: OCPP 1.6 knows connectors only"))
            continue
        if version is not OcppVersion.V16 and not row.texts.get("evse"):
            errors.append(row.error("evse", "is missing: OCPP 2.x counts connectors within an EVSE"))
            continue
        evse = row.cells.get("evse", 0)
        if {"connector", "evse_id"} <= row.cells.keys() and "evse" not in row.wrong:
            _claim(row, evse, claims, errors)
    _refuse_spanning(rows, claims.values(), errors)
    return list(claims.values())


def _refuse_spanning(rows: Iterable[Row], claims: Iterable[ConnectorRow], errors: list[RowError]) -> None:
    """An EVSE serves one car at a time, in OCPP 2.x as in our inventory: its connectors share one OCPP EVSE."""
    by_line = {row.line: row for row in rows}
    first: dict[tuple[StationId, EvseId], ConnectorRow] = {}
    for claim in claims:
        other = first.setdefault((claim.station, claim.evse_id), claim)
        if other.evse != claim.evse:
            wanted = (
                f"differs from {other.evse} in line {other.line}: {claim.evse_id} is one EVSE of the station, which "
                "serves one car at a time; give each OCPP EVSE an evse_id of its own"
            )
            errors.append(by_line[claim.line].error("evse", wanted))


def _claim(row: Row, evse: int, claims: dict[tuple[StationId, int, int], ConnectorRow], errors: list[RowError]) -> None:
    claim = ConnectorRow(row.line, row.cells["station"], evse, row.cells["connector"], row.cells["evse_id"])
    other = claims.setdefault((claim.station, claim.evse, claim.connector), claim)
    if other is not claim:
        wanted = (
            f"of station {claim.station!r} is claimed for {claim.evse_id} here "
            f"and for {other.evse_id} in line {other.line}; it belongs to one EVSE"
        )
        errors.append(row.error("connector", wanted))
