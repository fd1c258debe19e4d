"""Give the tests of processes under signals, and of the database's own faults, a site as acceptance tests have it."""

from __future__ import annotations

from tests.acceptance.conftest import (  # noqa: F401 - fixtures and a hook, for the tests here
    database_url,
    make_site,
    processes,
    processes_of_test,
    pytest_runtest_makereport,
)
