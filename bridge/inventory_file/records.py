"""Read the records of the inventory file, each cell by its column, and find what is wrong with one alone.

Never compares two rows. Before it: the file's content. After it: `parser`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.inventory_file.cells import Wrong
from bridge.inventory_file.rows import (
    RowError,
)

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
_SECRET_COLUMNS = ("key", "key_file")


@dataclass(slots=True)
class Row:
    """One row of the file, each cell parsed by itself."""

    line: int
    cells: dict[str, Any]
    """Parsed cells that are filled and right."""
    texts: dict[str, str]
    wrong: set[str]

    def error(self, column: str, wanted: str) -> RowError:
        """Return that a cell of this row should be different; the value is shown unless it is a secret."""
        shown = "" if column in _SECRET_COLUMNS else self.texts.get(column, "")
        return RowError(self.line, column, shown, wanted)


def records(content: bytes | str, errors: list[RowError]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each record's line number and its cells by column; what is wrong with the whole file goes to `errors`."""
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


def parse_row(
    line: int, texts: dict[str, str], parsers: Mapping[str, Callable[[str], Any]], errors: list[RowError]
) -> Row:
    """Return a record with its cells parsed; what is wrong with one goes to `errors`."""
    row = Row(line, {}, {name: text.strip() for name, text in texts.items()}, set())
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


def _merge_key_columns(row: Row, errors: list[RowError]) -> None:
    if "key" in row.cells and "key_file" in row.cells:
        errors.append(row.error("key_file", "stands beside a key; give one of the two"))
    if "key_file" in row.cells:
        row.cells["key"] = row.cells.pop("key_file")
    if "key_file" in row.wrong:
        row.wrong.add("key")
