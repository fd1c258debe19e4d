"""Let these tests have sites of real processes, as the acceptance tests have, and databases with an inventory."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import make_site, processes_of_test, pytest_runtest_makereport
from tests.torture.disk.traffic import stock

__all__ = ["make_site", "processes_of_test", "pytest_runtest_makereport"]

Stocked = Callable[[], Path]


@pytest.fixture
async def stocked(tmp_path: Path) -> Stocked:
    """Return what makes another folder with the same database of six stations."""
    model, numbers = tmp_path / "model", itertools.count(1)
    model.mkdir()
    await stock(model)
    return lambda: Path(shutil.copytree(model, tmp_path / f"stocked-{next(numbers)}"))
