"""Write the inventory rows of one station in quarantine, so that a mapping keeps every rule of an import. Pure.

Never checks a value: the inventory file's parser does. Before it: an operator's wish. After it: `inventory_file`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence

from bridge.inventory_file import Inventory, InventoryInvalid, RowError, parse_inventory
from bridge.web.quarantine_shapes import MapWish
from csms.events import OcppVersion, StationId

_COLUMNS = (
    "station",
    "version",
    "evse",
    "connector",
    "evse_id",
    "operator",
    "security",
    "certificate_name",
    "key_file",
    "weak_key",
)
_KEY_MARK = "given"
"""Stands for the key in the rows, so that it is neither quoted nor stripped."""
_NUMBERED = re.compile(r"(?:(?P<evse>\d{1,9})\.)?(?P<connector>\d{1,9})=(?P<id>.*)", re.ASCII | re.DOTALL)


def inventory_of(
    station: StationId,
    version: OcppVersion,
    wish: MapWish,
    key: bytes | None,
    operators: Collection[str],
) -> Inventory:
    """Return the inventory that has this station alone, with these EVSEs. Raises: InventoryInvalid.

    The mistakes' lines count the wish's EVSEs, from 1.
    """
    rows = io.StringIO()
    writer = csv.DictWriter(rows, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in _rows(station, version, wish, with_key=key is not None):
        writer.writerow(row)

    def given_key(mark: str) -> bytes:
        return key or b""

    try:
        return parse_inventory(rows.getvalue(), operators=operators, read_key_file=given_key)
    except InventoryInvalid as error:
        raise InventoryInvalid([_counted(row) for row in error.errors]) from error


def _rows(station: StationId, version: OcppVersion, wish: MapWish, *, with_key: bool) -> list[dict[str, str]]:
    constant = {
        "station": station,
        "version": version.value,
        "operator": wish.operator,
        "security": _security(wish),
        "certificate_name": wish.certificate_name or "",
        "key_file": _KEY_MARK if with_key else "",
        "weak_key": "true" if wish.weak_key else "",
    }
    return [constant | address for address in _addresses(wish.evses, version)]


def _security(wish: MapWish) -> str:
    if wish.insecure:
        return "insecure"
    return "3" if wish.certificate_name is not None else "1"


def _addresses(evses: Sequence[str], version: OcppVersion) -> list[dict[str, str]]:
    """Return evse, connector and evse_id of each text: "EVSEID" alone, "CONNECTOR=EVSEID", "EVSE.CONNECTOR=EVSEID".

    Raises: InventoryInvalid.
    """
    errors: list[RowError] = []
    found = []
    for number, text in enumerate(evses, start=1):
        numbered = _NUMBERED.fullmatch(text)
        if numbered is None and len(evses) > 1:
            errors.append(RowError(number, "evses", text, f"must begin with its connector, such as {number}={text}"))
            continue
        evse, connector, evse_id = (None, "1", text) if numbered is None else numbered.group("evse", "connector", "id")
        if version is not OcppVersion.V16 and evse is None:
            # In 2.x most EVSEs have one connector: a single number is the EVSE's.
            evse, connector = connector, "1"
        found.append({"evse": evse or "", "connector": connector, "evse_id": evse_id})
    if errors:
        raise InventoryInvalid(errors)
    return found


def _counted(error: RowError) -> RowError:
    return RowError(max(0, error.line - 1), error.column, error.value, error.wanted)
