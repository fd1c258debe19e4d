"""Check that every row of the torture catalogue is a test, or says why it is none, and stands in the document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.catalogue.recording import passed_before
from tests.catalogue.rows import known_rows
from tests.catalogue.table import BEGIN, DOCUMENT, END, tables
from tests.mutation.guards import known_guards

ROOT = Path(__file__).parents[2]
ROWS = known_rows()
_MARK = re.compile(r"mark\.row\(([^)]*)\)")


def covered() -> frozenset[str]:
    """Return the ids that tests carry in their source."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(row for text in texts for mark in _MARK.findall(text) for row in re.findall(r"T\d\d", mark))


COVERED = covered()


def test_the_catalogue_has_the_rows_01_to_90():
    assert list(ROWS) == [f"T{number:02}" for number in range(1, 91)]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_a_test_or_says_why_it_is_none(row):
    assert (row in COVERED) is not bool(ROWS[row].not_covered)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_stands_in_the_document_as_it_was_run(row):
    _, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    table, _, _ = rest.partition(END)
    (line,) = (line for line in table.splitlines() if line.startswith(f"| {row} |"))
    fault, result = ROWS[row].fault, line.split("|")[5].strip()
    assert f"| {fault} |" in line
    assert result.startswith("not covered: " if ROWS[row].not_covered else "held (")
    assert ROWS[row].not_covered in line
    assert ROWS[row].partly in line


def test_the_document_shows_every_guard_as_noticed():
    _, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    table, _, _ = rest.partition(END)
    for guard in known_guards().values():
        (line,) = (line for line in table.splitlines() if line.startswith(f"| {guard.name} |"))
        assert guard.protects in line
        assert "not noticed" not in line


def test_the_last_outcome_of_a_test_counts_and_different_seeds_add_up():
    lines = [
        '{"test": "a", "rows": ["T01"], "outcome": "failed", "seeds": [1], "counts": {"kills": 1}}',
        '{"test": "a", "rows": ["T01"], "outcome": "passed", "seeds": [1], "counts": {"kills": 1}}',
        '{"test": "a", "rows": ["T01"], "outcome": "passed", "seeds": [2, 3], "counts": {"kills": 2}}',
        '{"test": "b", "rows": ["T02"], "outcome": "failed"}',
    ]
    table = tables(lines)
    assert "| I1 I2 I3 | 3 | held (1 test); not shown: " in table
    assert "**broken** (1 test)" in table
    assert "| kills of real processes survived | 3 |" in table


def test_a_run_that_goes_on_leaves_out_what_passed_last(tmp_path):
    results = tmp_path / "rows.jsonl"
    assert passed_before(str(results)) == frozenset()
    outcomes = [("a", "failed"), ("a", "passed"), ("b", "passed"), ("b", "failed"), ("c", "skipped")]
    lines = [f'{{"test": "{test}", "rows": ["T01"], "outcome": "{outcome}"}}\n' for test, outcome in outcomes]
    results.write_text("".join(lines), encoding="utf-8")
    assert passed_before(str(results)) == {"a"}
