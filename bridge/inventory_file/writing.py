"""Write an inventory as the file that would bring it in again. Pure.

Never writes a key: only digests of keys are kept. A station's key that is not in a file stays as it is. Twin: `parser`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

Line = Mapping[str, str]
"""The cells of one connector, by column; a column that is not there is empty."""

COLUMNS = (
    "station",
    "version",
    "default_version",
    "security",
    "certificate_name",
    "compression",
    "ping_seconds",
    "quirks",
    "layer0",
    "strict",
    "evse",
    "connector",
    "evse_id",
    "operator",
    "chargeprice_station",
    "chargeprice_point",
    "spirii",
)
NOTE = "# Keys are not written: only digests of them are kept. Imported again, this file leaves every key as it is.\n"


def write_lines(lines: Iterable[Line]) -> str:
    """Return the file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return NOTE + text.getvalue()
