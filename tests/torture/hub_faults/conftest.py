"""Sites of real processes, as the acceptance tests have them."""

from __future__ import annotations

from tests.acceptance.conftest import make_site, processes_of_test, pytest_runtest_makereport

__all__ = ("make_site", "processes_of_test", "pytest_runtest_makereport")
