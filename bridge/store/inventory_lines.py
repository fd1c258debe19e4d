"""Read the inventory as the lines of a file: what an import of them would leave as it is.

Never reads a key. Stations without an EVSE have no line: a file cannot say them, but an edit
can look at one. After it: `inventory_file.writing`, `edits.inventory_edits`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.core.model import EvseId
from bridge.store.evses import owners
from bridge.store.tables import connector, evse, station
from csms.events import StationId

_AT_ONCE = 1000
Cells = dict[str, str]
"""By column."""


@dataclass(frozen=True, slots=True)
class StationLines:
    """What the inventory says of one station."""

    station: Cells
    """The columns that belong to the station; `version` is empty where neither it nor a connector says one."""
    lines: tuple[Cells, ...]
    """One for each connector, whole."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What somebody saw of the inventory who is about to edit it."""

    stations: dict[StationId, StationLines]
    """Of those asked for, those that there are."""
    homes: dict[EvseId, StationId]
    """The stations of those EVSEs asked for that there are."""


async def inventory_lines(conn: AsyncConnection) -> list[Cells]:
    """Return a line for each connector, in the order of station, evse and connector.

    They are taken a part at a time: the event loop is free between two parts.
    """
    found: list[Cells] = []
    async with conn.stream(_LINES) as result:
        async for part in result.partitions(_AT_ONCE):
            found += map(_line, part)
    return found


def look(conn: sa.Connection, stations: Iterable[StationId], evse_ids: Iterable[EvseId]) -> Looked:
    """Return what the inventory says of these stations, and where these EVSEs are."""
    found = {id_: lines for id_ in stations if (lines := _station_lines(conn, id_)) is not None}
    return Looked(found, owners(conn, evse_ids))


def _station_lines(conn: sa.Connection, id_: StationId) -> StationLines | None:
    row = conn.execute(sa.select(*_STATION).where(station.c.id == id_, station.c.removed_at_w.is_(None))).first()
    if row is None:
        return None
    lines = tuple(_line(each) for each in conn.execute(_LINES.where(connector.c.station == id_)))
    return StationLines(_station_cells(row, lines[0]["version"] if lines else ""), lines)


_STATION = (
    station.c.id,
    station.c.version,
    station.c.security,
    station.c.certificate_name,
    station.c.compression,
    station.c.ping_s,
    station.c.quirks,
    station.c.layer0,
    station.c.strict,
)
_LINES = (
    sa.select(
        *_STATION,
        connector.c.ocpp_evse,
        connector.c.ocpp_connector,
        evse.c.evse_id,
        evse.c.operator,
        evse.c.chargeprice_station,
        evse.c.chargeprice_point,
        evse.c.spirii,
    )
    .select_from(connector.join(evse, evse.c.id == connector.c.evse).join(station, station.c.id == connector.c.station))
    .where(evse.c.removed_at_w.is_(None))
    .order_by(connector.c.station, connector.c.ocpp_evse, connector.c.ocpp_connector)
)


def _line(row: Any) -> Cells:
    return _station_cells(row, "1.6" if row.ocpp_evse == 0 else "2.0.1") | {
        "evse": "" if row.ocpp_evse == 0 else str(row.ocpp_evse),
        "connector": str(row.ocpp_connector),
        "evse_id": row.evse_id,
        "operator": row.operator,
        "chargeprice_station": row.chargeprice_station,
        "chargeprice_point": row.chargeprice_point,
        "spirii": _word(row.spirii),
    }


def _station_cells(row: Any, by_form: str) -> Cells:
    default_version = "" if row.version is None else row.version.removeprefix("ocpp")
    return {
        "station": row.id,
        "version": default_version or by_form,
        "default_version": default_version,
        "security": "insecure" if row.security == 0 else str(row.security),
        "certificate_name": row.certificate_name,
        "compression": _optional(row.compression, {True: "on", False: "off"}),
        "ping_seconds": "" if row.ping_s is None else str(row.ping_s),
        "quirks": "" if row.quirks is None else row.quirks or "none",
        "layer0": row.layer0,
        "strict": _word(row.strict),
    }


def _word(value: bool) -> str:
    return "true" if value else "false"


def _optional(value: bool | None, words: dict[bool, str]) -> str:
    return "" if value is None else words[value]
