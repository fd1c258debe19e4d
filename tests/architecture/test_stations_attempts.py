"""docs/stations.md says about refused connections what the code says, row by row."""

from __future__ import annotations

from pathlib import Path

from bridge.app.advice import ADVICE

DOCUMENT = Path(__file__).parents[2] / "docs" / "stations.md"


def test_every_advice_is_in_the_document_as_it_is() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    begin = lines.index("| HTTP | reason begins with | what to do |") + 2
    table = lines[begin : lines.index("", begin)]
    assert table == [f"| {status or '–'} | {reason or '(any other)'} | {text} |" for status, reason, text in ADVICE]
