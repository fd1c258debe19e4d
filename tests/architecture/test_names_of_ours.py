"""Every name of the product that a test reaches into is there: also in scripts that are only run as processes.

A script that breaks a part of the bridge from inside is imported by no test; what it names may have moved.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
OURS = ("bridge", "csms", "simulators", "tests")
FILES = sorted(path for path in TESTS.rglob("*.py") if "e2e" not in path.parts)


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of every `from module import name` of ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
            yield from ((node.module, alias.name) for alias in node.names)


def reached(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of every `package.module.name` whose module the file imports by that name."""
    modules = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname is None and alias.name.split(".")[0] in OURS
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (module := ast.unparse(node.value)) in modules:
            yield module, node.attr


def is_there(module: str, name: str) -> bool:
    found = importlib.import_module(module)
    if hasattr(found, name):
        return True
    try:
        importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_what_a_test_names_of_ours_is_there(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = sorted({*imported(tree), *reached(tree)})
    assert [f"{module}.{name}" for module, name in named if not is_there(module, name)] == []


def test_what_is_gone_is_noticed() -> None:
    tree = ast.parse("import bridge.store.writer\nfrom bridge.store import nothing\nbridge.store.writer._apply = None")
    named = [*imported(tree), *reached(tree)]
    assert named == [("bridge.store", "nothing"), ("bridge.store.writer", "_apply")]
    assert [is_there(module, name) for module, name in named] == [False, False]
