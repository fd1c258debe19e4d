"""docs/architecture.md names every module of csms in its map, and every folder and module of bridge."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
VERSIONS = {"v16", "v201", "v21"}


def test_every_module_of_csms_answers_a_question_of_the_map_and_no_other_is_there() -> None:
    _, _, section = TEXT.partition("\n## Inside csms\n")
    rows = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    named = set(re.findall(r"`(\w+)`", "\n".join(rows)))
    within = {file.stem for version in VERSIONS for file in _modules(ROOT / "csms" / version)}
    assert named - within == {file.stem for file in _modules(ROOT / "csms")} - within
    assert within <= named


def test_every_folder_and_module_of_the_bridge_has_its_place() -> None:
    _, _, places = TEXT.partition("\n## Where things are\n")
    missing = [file.stem for file in _modules(ROOT / "bridge") if not re.search(rf"\b{file.stem}(/|\.py)`", places)]
    assert not missing


def _modules(folder: Path) -> list[Path]:
    return sorted(
        each
        for each in folder.iterdir()
        if (each.suffix == ".py" or (each / "__init__.py").is_file()) and not each.name.startswith("__")
    )
