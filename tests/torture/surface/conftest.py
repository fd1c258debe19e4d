"""Give the tests with real processes a site, as tests/acceptance does."""

from __future__ import annotations

from tests.acceptance.conftest import make_site, processes_of_test, pytest_runtest_makereport

__all__ = ["make_site", "processes_of_test", "pytest_runtest_makereport"]
