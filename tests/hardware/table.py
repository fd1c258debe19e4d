"""Compare the table of docs/hardware.md with what a run measured, or write it anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.hardware.fixtures import Fixture

DOCUMENT = Path(__file__).parents[2] / "docs" / "hardware.md"
WRITE = "HARDWARE_TABLE"
"""Environment variable: set to `write`, the run writes the table."""

_MARK = "<!-- table: hardware -->\n\n"
_HEAD = ("#", "quirk", "devices", "how we cope", "fixture", "result")


def row(fixture: Fixture, result: str) -> str:
    """Return the fixture's line of the table."""
    cells = (fixture.id, fixture.quirk, fixture.devices, fixture.copes, f"`{fixture.name}`", result)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def rows_in_document() -> list[str]:
    """Return the lines of the table's body as they are written."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert _MARK in text, f"docs/hardware.md has no line {_MARK.strip()}"
    return text.partition(_MARK)[2].partition("\n\n")[0].splitlines()[2:]


def write(fixtures: list[Fixture], results: Mapping[str, str]) -> None:
    """Put what was measured in the place of the table."""
    before, mark, rest = DOCUMENT.read_text(encoding="utf-8").partition(_MARK)
    assert mark, f"docs/hardware.md has no line {_MARK.strip()}"
    head = ["| " + " | ".join(_HEAD) + " |", "|" + "---|" * len(_HEAD)]
    body = [row(fixture, results[fixture.name]) for fixture in fixtures]
    after = rest.partition("\n\n")[2]
    DOCUMENT.write_text(before + mark + "\n".join([*head, *body]) + "\n\n" + after, encoding="utf-8")
