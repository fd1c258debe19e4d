"""Check that every guard can still be switched off, so that the mutation run proves what it says."""

from __future__ import annotations

import pytest

from tests.mutation.guards import ROOT, known_guards

GUARDS = known_guards()


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_is_where_its_entry_says_and_compiles_without_it(name):
    guard = GUARDS[name]
    compile(guard.without(ROOT), guard.file, "exec")


@pytest.mark.parametrize("name", GUARDS)
def test_the_tests_that_must_turn_red_exist(name):
    for test in GUARDS[name].tests:
        path, _, function = test.partition("::")
        if path.startswith("-"):
            continue
        source = (ROOT / path).read_text(encoding="utf-8")
        assert function.partition("[")[0] in source
