"""Give the tests of this folder what those of the store and those with real processes have."""

from __future__ import annotations

from tests.acceptance.conftest import make_site, processes_of_test, pytest_runtest_makereport
from tests.integration.bridge.conftest import bridge, clock
from tests.integration.conftest import sqlite_template, sqlite_url, store, store_url, writer

__all__ = [
    "bridge",
    "clock",
    "make_site",
    "processes_of_test",
    "pytest_runtest_makereport",
    "sqlite_template",
    "sqlite_url",
    "store",
    "store_url",
    "writer",
]
