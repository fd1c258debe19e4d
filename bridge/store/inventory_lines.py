"""Read the inventory as the lines of a file: what an import of them would leave as it is.

Never reads a key. Stations without an EVSE have no line: a file cannot say them. After it: `inventory_file.writing`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bridge.store.tables import connector, evse, station


def inventory_lines(conn: sa.Connection) -> list[dict[str, str]]:
    """Return a line for each connector, in the order of station, evse and connector."""
    statement = (
        sa.select(
            station.c.id,
            station.c.version,
            station.c.security,
            station.c.certificate_name,
            station.c.compression,
            station.c.ping_s,
            station.c.quirks,
            station.c.layer0,
            station.c.strict,
            connector.c.ocpp_evse,
            connector.c.ocpp_connector,
            evse.c.evse_id,
            evse.c.operator,
            evse.c.chargeprice_station,
            evse.c.chargeprice_point,
            evse.c.spirii,
        )
        .select_from(
            connector.join(evse, evse.c.id == connector.c.evse).join(station, station.c.id == connector.c.station)
        )
        .where(evse.c.removed_at_w.is_(None))
        .order_by(connector.c.station, connector.c.ocpp_evse, connector.c.ocpp_connector)
    )
    return [_line(row) for row in conn.execute(statement)]


def _line(row: Any) -> dict[str, str]:
    by_form = "1.6" if row.ocpp_evse == 0 else "2.0.1"
    return {
        "station": row.id,
        "version": by_form if row.version is None else row.version.removeprefix("ocpp"),
        "default_version": "" if row.version is None else row.version.removeprefix("ocpp"),
        "security": "insecure" if row.security == 0 else str(row.security),
        "certificate_name": row.certificate_name,
        "compression": _optional(row.compression, {True: "on", False: "off"}),
        "ping_seconds": "" if row.ping_s is None else str(row.ping_s),
        "quirks": "" if row.quirks is None else row.quirks or "none",
        "layer0": row.layer0,
        "strict": _word(row.strict),
        "evse": "" if row.ocpp_evse == 0 else str(row.ocpp_evse),
        "connector": str(row.ocpp_connector),
        "evse_id": row.evse_id,
        "operator": row.operator,
        "chargeprice_station": row.chargeprice_station,
        "chargeprice_point": row.chargeprice_point,
        "spirii": _word(row.spirii),
    }


def _word(value: bool) -> str:
    return "true" if value else "false"


def _optional(value: bool | None, words: dict[bool, str]) -> str:
    return "" if value is None else words[value]
