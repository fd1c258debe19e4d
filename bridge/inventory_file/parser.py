"""Read the records of the inventory file, bring together what belongs together, and find every mistake.

Never stops at the first one. Before it: the file's content. After it: the values in `rows`.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.core.identifiers import canonical
from bridge.core.model import EvseId, Layer0
from bridge.inventory_file.cells import SHORTEST_KEY, Wrong, cell_parsers
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

REQUIRED_COLUMNS = ("station", "version", "connector", "evse_id", "operator")
OPTIONAL_COLUMNS = (
    "key",
    "key_file",
    "security",
    "weak_key",
    "certificate_name",
    "compression",
    "ping_seconds",
    "quirks",
    "evse",
    "layer0",
    "default_version",
    "chargeprice_station",
    "chargeprice_point",
    "spirii",
    "strict",
)
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
_SECRET_COLUMNS = ("key", "key_file")


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
    rows = [_parse_row(line, cells, parsers, errors) for line, cells in _records(content, errors)]
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


# --- rows and cells -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Row:
    line: int
    cells: dict[str, Any]
    """Parsed cells that are filled and right."""
    texts: dict[str, str]
    wrong: set[str]

    def error(self, column: str, wanted: str) -> RowError:
        shown = "" if column in _SECRET_COLUMNS else self.texts.get(column, "")
        return RowError(self.line, column, shown, wanted)


def _records(content: bytes | str, errors: list[RowError]) -> Iterator[tuple[int, dict[str, str]]]:
    if isinstance(content, bytes):
        try:
            content = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            errors.append(RowError(line, "", "", "is not UTF-8; save the file as CSV UTF-8"))
            return
    lines: list[int] = []
    reader = csv.reader(_without_comments(content.removeprefix("\ufeff"), lines), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not _header_is_right(header, lines[0] if lines else 1, errors):
            return
        for record in reader:
            if not any(cell.strip() for cell in record):
                continue
            if len(record) != len(header):
                wanted = f"has {len(record)} fields and the header {len(header)}; quote a value that contains a comma"
                errors.append(RowError(lines[-1], "", "", wanted))
                continue
            yield lines[-1], dict(zip(header, record, strict=True))
    except csv.Error as error:
        errors.append(RowError(lines[-1] if lines else 1, "", "", f"cannot be read as CSV ({error})"))


def _without_comments(content: str, lines: list[int]) -> Iterator[str]:
    """Yield the lines that are neither empty nor begin with `#`, and note in `lines` the number of each in the file.

    Within a quoted value a line may begin with anything; no column of ours has such values.
    """
    for number, line in enumerate(io.StringIO(content, newline=""), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            lines.append(number)
            yield line


def _header_is_right(header: list[str], line: int, errors: list[RowError]) -> bool:
    known = ", ".join(REQUIRED_COLUMNS + OPTIONAL_COLUMNS)
    if missing := [name for name in REQUIRED_COLUMNS if name not in header]:
        # Nothing of the line is shown: where the header is missing, it holds a key.
        wanted = f"must name the columns, separated by commas; missing: {', '.join(missing)}; known: {known}"
        errors.append(RowError(line, "", "", wanted))
        return False
    for name in header:
        if name not in REQUIRED_COLUMNS + OPTIONAL_COLUMNS:
            errors.append(RowError(line, "", name or "(empty)", f"is no column; known: {known}"))
        elif header.count(name) > 1:
            errors.append(RowError(line, "", name, "is named twice"))
    return not errors


def _parse_row(
    line: int, texts: dict[str, str], parsers: Mapping[str, Callable[[str], Any]], errors: list[RowError]
) -> _Row:
    row = _Row(line, {}, {name: text.strip() for name, text in texts.items()}, set())
    for column, text in row.texts.items():
        if not text:
            continue
        try:
            row.cells[column] = parsers[column](texts[column] if column == "key" else text)
        except Wrong as wrong:
            row.wrong.add(column)
            errors.append(row.error(column, str(wrong)))
    _merge_key_columns(row, errors)
    errors += (
        row.error(column, "is missing")
        for column in ("station", "connector", "evse_id")
        if column not in row.cells and column not in row.wrong
    )
    return row


def _merge_key_columns(row: _Row, errors: list[RowError]) -> None:
    if "key" in row.cells and "key_file" in row.cells:
        errors.append(row.error("key_file", "stands beside a key; give one of the two"))
    if "key_file" in row.cells:
        row.cells["key"] = row.cells.pop("key_file")
    if "key_file" in row.wrong:
        row.wrong.add("key")


# --- what belongs together ------------------------------------------------------------------------------------------


def _grouped(rows: Iterable[_Row], column: str) -> dict[Any, list[_Row]]:
    groups: dict[Any, list[_Row]] = defaultdict(list)
    for row in rows:
        if column in row.cells:
            groups[row.cells[column]].append(row)
    return groups


def _agreed(rows: Sequence[_Row], columns: Sequence[str], of: str, errors: list[RowError]) -> dict[str, Any]:
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


def _stations(rows: Sequence[_Row], errors: list[RowError]) -> list[StationRow]:
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


def _station(id_: StationId, rows: Sequence[_Row], errors: list[RowError]) -> StationRow | None:
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


def _proof_errors(station: StationRow, row: _Row, *, weak_key: bool) -> Iterator[RowError]:
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
            "write true into a column weak_key (quarantine map: --weak-key)",
        )
    if station.wants_key and ":" in station.station:
        yield row.error("station", "must not contain a colon, which HTTP Basic cannot carry in a user id")
    if station.certificate_name and station.security < SecurityProfile.TLS_BASIC:
        yield row.error("certificate_name", "is for stations that connect over TLS: security 2 or 3")


def _evses(rows: Sequence[_Row], errors: list[RowError]) -> list[EvseRow]:
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
    rows: Sequence[_Row], versions: Mapping[StationId, OcppVersion], errors: list[RowError]
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


def _refuse_spanning(rows: Iterable[_Row], claims: Iterable[ConnectorRow], errors: list[RowError]) -> None:
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


def _claim(
    row: _Row, evse: int, claims: dict[tuple[StationId, int, int], ConnectorRow], errors: list[RowError]
) -> None:
    claim = ConnectorRow(row.line, row.cells["station"], evse, row.cells["connector"], row.cells["evse_id"])
    other = claims.setdefault((claim.station, claim.evse, claim.connector), claim)
    if other is not claim:
        wanted = (
            f"of station {claim.station!r} is claimed for {claim.evse_id} here "
            f"and for {other.evse_id} in line {other.line}; it belongs to one EVSE"
        )
        errors.append(row.error("connector", wanted))
