"""docs/adr/README.md lists every decision by its title."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "adr"


def test_every_decision_is_listed_by_its_title() -> None:
    listed = [line for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines() if line[:1].isdecimal()]
    assert listed == [_line(file) for file in sorted(FOLDER.glob("0*.md"))]


def _line(file: Path) -> str:
    number, _, title = file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").partition(". ")
    return f"{number}. [{title}]({file.name})"
