"""Check the torture catalogue, and how its table is made."""

from __future__ import annotations

from tests.catalogue.rows import known_rows
from tests.catalogue.table import tables

ROWS = known_rows()


def test_the_catalogue_has_the_rows_01_to_90():
    assert list(ROWS) == [f"T{number:02}" for number in range(1, 91)]


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
    assert "| kills survived | 3 |" in table
