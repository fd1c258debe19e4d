"""Look at the dashboard with a real browser, over real processes: bridge, mock hubs and a fleet.

Needs playwright and Chromium. Without playwright these tests are not collected, so that no other target needs it;
`make e2e` sets E2E=required, and then its lack is a mistake. Everything shares one event loop: a browser takes a second
to start.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import AsyncIterator, Generator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if importlib.util.find_spec("playwright") is None:
    if os.environ.get("E2E") == "required":
        raise pytest.UsageError("playwright is not installed: make e2e installs it")
    collect_ignore_glob = ["test_*.py"]
else:
    import aiohttp
    from playwright.async_api import Browser, async_playwright

    from tests.acceptance.harness import READY_S, FleetPlan, Site
    from tests.acceptance.processes import tail, until
    from tests.acceptance.scripted import ScriptedStation
    from tests.e2e.browsing import Visitors, chromium_path
    from tests.e2e.scenes import STATION, at_rest, connected, running_site, told

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeSite = Callable[..., Site]

_LEAVING_S = 20
_SITES = pytest.StashKey[list["Site"]]()
ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every test of this folder in one event loop: the browser lives in it."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser; a root user's may not use its sandbox."""
    playwright = await async_playwright().start()
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = await playwright.chromium.launch(executable_path=chromium_path(), args=arguments)
    yield browser
    for leave in (browser.close, playwright.stop):
        with suppress(TimeoutError):  # who does not answer any more ends with this process, whose tests are done
            await asyncio.wait_for(leave(), _LEAVING_S)


@pytest_asyncio.fixture(loop_scope="session")
async def visitors(chromium: Browser) -> AsyncIterator[Visitors]:
    """People with browsers; the test fails where a page complains, or asks for anything but the bridge."""
    async with Visitors(chromium) as found:
        yield found
        assert found.complaints() == []


@pytest_asyncio.fixture(loop_scope="session")
async def make_site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MakeSite]:
    """Return what makes a site of the test's own: `make_site(SETTING="value")`; nothing is started yet."""
    made: list[Site] = []
    request.node.stash[_SITES] = made
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:

        def make(**settings: str) -> Site:
            folder = tmp_path / f"site-{len(made)}"
            folder.mkdir()
            made.append(Site(folder, http, settings, None))
            return made[-1]

        yield make
        for site in reversed(made):
            site.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A site whose stations change all the time, for tests that only look or that undo what they did."""
    async with running_site(tmp_path_factory.mktemp("shared"), WEB__PUBLIC_PAGE="true") as site:
        await site.start(FleetPlan(stations=16, speed=3))

        async def told_something() -> bool:
            return bool((await site.ask("deliveries?limit=1"))["items"])

        await until(told_something, READY_S, "a first push is in the log")
        yield site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def quiet_site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A site without a fleet, for tests that bring stations of their own and leave everything else as it is."""
    settings = {"OCPP__UNKNOWN_STATIONS": "quarantine", "WEB__PUBLIC_PAGE": "true"}
    async with running_site(tmp_path_factory.mktemp("quiet"), **settings) as site:
        await site.start_hubs()
        await site.start_bridge()
        yield site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _killed_site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with running_site(tmp_path_factory.mktemp("killed")) as site:
        await site.start_hubs()
        await site.start_bridge()
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def restarted_site(_killed_site: Site) -> AsyncIterator[Site]:
    """A site whose bridge a test may kill, stop or start again; it runs when the test begins."""
    yield _killed_site
    if _killed_site.bridge.exit_code is not None:
        await _killed_site.start_bridge()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _lone_station(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, ScriptedStation]]:
    async with running_site(tmp_path_factory.mktemp("lone")) as site:
        await site.start_hubs()
        await site.start_bridge()
        async with connected(site, STATION) as station:
            yield site, station


@pytest_asyncio.fixture(loop_scope="session")
async def one_station(_lone_station: tuple[Site, ScriptedStation]) -> AsyncIterator[tuple[Site, ScriptedStation]]:
    """A site with one station that is available, and hubs that a test may break; they are whole when it begins."""
    site, station = _lone_station
    yield site, station
    for hub in site.hubs.values():
        await hub.heal()
    await station.report("Available")
    await told(site, "Available")
    await at_rest(site)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the ends of the processes' logs to the report of a test that failed."""
    report = yield
    if report.failed:
        for site in item.stash.get(_SITES, []):
            for log in site.processes.logs():
                report.sections.append((f"end of {log.name}", tail(log)))
    return report
