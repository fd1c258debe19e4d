"""Read the torture catalogue: `rows.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what happens, and what must hold."""

    id: str
    fault: str
    holds: str
    invariants: str
    not_covered: str = ""
    """Why no test has this row; empty where one has."""
    partly: str = ""
    """What of it no test shows, and why."""


def known_rows() -> dict[str, Row]:
    """Return every row by its id, in the order of the file. Raises: TypeError for a key that a row does not have."""
    found = tomllib.loads(Path(__file__).with_name("rows.toml").read_text(encoding="utf-8"))
    return {row: Row(row, **content) for row, content in found.items()}
