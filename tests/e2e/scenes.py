"""Sites and scripted stations, for tests that do what an operator does and see what a hub is told.

Never looks at a page. Before it: each test. After it: `tests.acceptance`.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id, inventory

STATION = "CP1"
EVSE = evse_id(STATION)
WITHIN_S = 20.0
_NAMES = (f"NEW{number:03}" for number in itertools.count(1))


@asynccontextmanager
async def running_site(folder: Path, **settings: str) -> AsyncIterator[Site]:
    """Yield a site of which nothing is started yet, and end all of it."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        site = Site(folder, http, settings, None)
        try:
            yield site
        finally:
            site.close()


async def at_rest(site: Site) -> None:
    """Wait until Hubject has everything that it should, and nothing is ordered."""

    async def look() -> bool:
        item = await site.ask("upstreams/hubject")
        waits = item["backlog"] or item["refused"] or item["full_load"]["wanted"]
        return item["state"] == "ok" and not waits

    await until(look, WITHIN_S, "Hubject's account is at rest")


@asynccontextmanager
async def another_station(
    site: Site, answers: Mapping[str, dict[str, Any] | None] | None = None
) -> AsyncIterator[tuple[ScriptedStation, str]]:
    """Add a station to a site that runs, connect it, and yield it with its name; its EVSE is available."""
    name = next(_NAMES)
    async with connected(site, name, answers) as station:
        yield station, name


@asynccontextmanager
async def connected(
    site: Site, name: str, answers: Mapping[str, dict[str, Any] | None] | None = None
) -> AsyncIterator[ScriptedStation]:
    """Add a station to the inventory, connect it, and wait until Hubject knows that it is available."""
    await site.import_inventory(inventory(name))
    async with ScriptedStation(site.ocpp_url, name, answers=answers) as station:
        await station.boot()
        await station.report("Available")
        await told(site, "Available", evse_id(name))
        yield station


async def told(site: Site, word: str, evse: str = EVSE) -> None:
    """Wait until Hubject holds this word for an EVSE."""

    async def look() -> bool:
        return (await site.hubs["hubject"].state()).get(evse) == word

    await until(look, WITHIN_S, f"Hubject holds {word} for {evse}")


async def full_loads(site: Site) -> int:
    """Return how many fullLoads Hubject was sent."""
    return sum("fullLoad" in str(entry) for entry in await site.hubs["hubject"].journal())


async def viewer_key(site: Site) -> str:
    """Return a new key that may only look."""
    code, said = await site.run("key", "create", "looker", "--role", "viewer")
    assert code == 0, said
    return said.split()[-1] if len(said.split()) == 1 else next(word for word in said.split() if len(word) > 30)
