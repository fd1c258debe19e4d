"""Give each test a site of its own, end its processes in any case, and show their logs where it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.harness import Site
from tests.acceptance.processes import Processes, tail

MakeSite = Callable[..., Site]

_PROCESSES = pytest.StashKey[list[Processes]]()


@pytest.fixture
def processes_of_test(request: pytest.FixtureRequest) -> Iterator[list[Processes]]:
    """Collect the test's processes: ended at the end, whatever the end is."""
    found: list[Processes] = []
    request.node.stash[_PROCESSES] = found
    yield found
    for processes in reversed(found):
        processes.end()


@pytest.fixture
def processes(processes_of_test: list[Processes], tmp_path: Path) -> Processes:
    """Processes for a test that needs no site."""
    processes_of_test.append(Processes(tmp_path))
    return processes_of_test[-1]


@pytest.fixture
async def make_site(processes_of_test: list[Processes], tmp_path: Path) -> AsyncIterator[MakeSite]:
    """Return what makes a site: `make_site(database_url=..., SETTING="value")`; nothing is started yet."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:

        def make(database_url: str | None = None, **settings: str) -> Site:
            site = Site(tmp_path, http, settings, database_url)
            processes_of_test.append(site.processes)
            return site

        yield make


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Give the test each kind of database: the default SQLite file, and a database of a real PostgreSQL server."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the ends of the processes' logs to the report of a test that failed."""
    report = yield
    if report.failed:
        for processes in item.stash.get(_PROCESSES, []):
            for log in processes.logs():
                report.sections.append((f"end of {log.name}", tail(log)))
    return report
