"""Turn what the inventory says of a station or an EVSE into its JSON, and a wish into rows of the inventory file. Pure.

Never checks a value: the inventory file's parser does, so that an edit keeps every rule of an import. Before it and
after it: `inventory_edits`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from bridge.inventory_file import Inventory, InventoryInvalid, parse_inventory
from bridge.inventory_file.writing import COLUMNS
from bridge.store.inventory_lines import Cells, StationLines
from bridge.web.inventory_shapes import (
    InventoryConnector,
    InventoryEvse,
    InventoryEvseWish,
    InventoryStation,
    InventoryStationWish,
    StationEvse,
)

_KEY_MARK = "given"
"""Stands for the key in the rows, so that it is neither quoted nor stripped."""
_ON_OFF = {None: "", True: "on", False: "off"}


def evse_shown(evse_id: str, lines: Iterable[Cells]) -> InventoryEvse:
    """Return what these lines, some of them the EVSE's, say of it."""
    own = [line for line in lines if line["evse_id"] == evse_id]
    return InventoryEvse(station=own[0]["station"], **dict(_station_evse(own)))


def station_shown(found: StationLines) -> InventoryStation:
    """Return what the inventory says of a station."""
    cells = found.station
    by_id: dict[str, list[Cells]] = {}
    for line in found.lines:
        by_id.setdefault(line["evse_id"], []).append(line)
    return InventoryStation.model_validate(
        {
            "station": cells["station"],
            "version": cells["version"] or None,
            "default_version": cells["default_version"] or None,
            "security": cells["security"],
            "certificate_name": cells["certificate_name"],
            "compression": {"": None, "on": True, "off": False}[cells["compression"]],
            "ping_seconds": int(cells["ping_seconds"]) if cells["ping_seconds"] else None,
            "quirks": _quirks_shown(cells["quirks"]),
            "layer0": cells["layer0"],
            "strict": cells["strict"] == "true",
            "evses": tuple(map(_station_evse, by_id.values())),
        }
    )


def _quirks_shown(text: str) -> tuple[str, ...] | None:
    return {"": None, "none": ()}.get(text, tuple(text.split()))


def _station_evse(own: Sequence[Cells]) -> StationEvse:
    first = own[0]
    return StationEvse(
        evse_id=first["evse_id"],
        operator=first["operator"],
        chargeprice_station=first["chargeprice_station"],
        chargeprice_point=first["chargeprice_point"],
        spirii=first["spirii"] == "true",
        connectors=tuple(
            InventoryConnector(evse=int(line["evse"]) if line["evse"] else None, connector=int(line["connector"]))
            for line in own
        ),
    )


def station_rows(station: str, wish: InventoryStationWish, *, with_key: bool) -> list[Cells]:
    """Return a row for each connector of the wish."""
    cells = {
        "station": station,
        "version": wish.version,
        "default_version": wish.default_version or "",
        "security": wish.security,
        "certificate_name": wish.certificate_name,
        "compression": _ON_OFF[wish.compression],
        "ping_seconds": "" if wish.ping_seconds is None else str(wish.ping_seconds),
        "quirks": "" if wish.quirks is None else " ".join(wish.quirks) or "none",
        "layer0": wish.layer0,
        "strict": _word(wish.strict),
        "key_file": _KEY_MARK if with_key else "",
        "weak_key": _word(wish.weak_key),
    }
    return [cells | row for each in wish.evses for row in _evse_rows(each.evse_id, each)]


def evse_rows(evse_id: str, station: Cells, wish: InventoryEvseWish) -> list[Cells]:
    """Return a row for each connector of the wish, at a station of which everything stays as it is."""
    by_form = "1.6" if wish.connectors[0].evse is None else "2.0.1"
    return [station | {"version": station["version"] or by_form} | row for row in _evse_rows(evse_id, wish)]


def _evse_rows(evse_id: str, wish: InventoryEvseWish | StationEvse) -> list[Cells]:
    cells = {
        "evse_id": evse_id,
        "operator": wish.operator,
        "chargeprice_station": wish.chargeprice_station,
        "chargeprice_point": wish.chargeprice_point,
        "spirii": _word(wish.spirii),
    }
    return [
        cells | {"evse": "" if each.evse is None else str(each.evse), "connector": str(each.connector)}
        for each in wish.connectors
    ]


def _word(value: bool) -> str:
    return "true" if value else "false"


def parsed(rows: Iterable[Cells], key: bytes | None, operators: Collection[str], quirks: Collection[str]) -> Inventory:
    """Return the inventory of these rows alone; `key` is the station's.

    Raises: InventoryInvalid; the mistakes' lines count the rows, from 1.
    """
    text = io.StringIO()
    writer = csv.DictWriter(
        text, (*COLUMNS, "key_file", "weak_key"), restval="", lineterminator="\n", quoting=csv.QUOTE_ALL
    )
    writer.writeheader()
    writer.writerows(rows)

    def given_key(mark: str) -> bytes:
        return key or b""

    try:
        return parse_inventory(text.getvalue(), operators=operators, read_key_file=given_key, quirks=quirks)
    except InventoryInvalid as error:
        raise counted(error) from error


def counted(error: InventoryInvalid) -> InventoryInvalid:
    """Return the mistakes with lines that count rows, from 1, where they counted the header, too."""
    return InventoryInvalid([replace(each, line=max(0, each.line - 1)) for each in error.errors])
