"""docs/simulators.md names every fault that a mock hub can have."""

from __future__ import annotations

import re
from pathlib import Path

from simulators.hubs.faults import FaultKind

DOCUMENT = Path(__file__).parents[2] / "docs" / "simulators.md"


def test_every_kind_of_fault_is_in_the_table_once() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    begin = lines.index("<!-- table: faults -->") + 4
    cells = [line.split("|")[1] for line in lines[begin : lines.index("", begin)]]
    assert sorted(kind for cell in cells for kind in re.findall(r"`(\w+)`", cell)) == sorted(FaultKind)
