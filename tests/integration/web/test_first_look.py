"""Whoever looks at a page first waits no longer than others, and keeps no station waiting."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest

from bridge.web.pages import rendering
from bridge.web.server import WebOptions, start_web

TOKEN = "test-token-of-more-than-thirty-two-characters"


@contextmanager
def compiled() -> Iterator[dict[str, int]]:
    """Which templates are compiled meanwhile, and in which thread. Source: Python's audit events, compile."""
    found: dict[str, int] = {}
    watching = True

    def note(event: str, args: tuple[Any, ...]) -> None:
        if watching and event == "compile" and str(args[1]).endswith(".html"):
            found[str(args[1]).rsplit("/", 1)[-1]] = threading.get_ident()

    sys.addaudithook(note)  # for good: a hook cannot be taken away
    yield found
    watching = False


@pytest.fixture
def never_looked_at() -> None:
    """Forget what earlier tests of this process have compiled."""
    rendering._environment.cache_clear()


@pytest.mark.usefixtures("never_looked_at")
async def test_no_template_is_compiled_where_stations_are_answered(services: Any) -> None:
    with compiled() as at_start:
        server = await start_web(WebOptions(port=0), services, TOKEN)
    with compiled() as at_first:
        async with aiohttp.ClientSession(headers={"X-API-Key": TOKEN, "Accept": "text/html,*/*"}) as session:
            for path in ("/login", "/", "/stations", "/hubs", "/temporary/new", "/nowhere"):
                await (await session.get(f"http://127.0.0.1:{server.port}{path}")).read()
    await server.close()
    assert at_start == {}
    assert {"overview.html", "base.html", "failure.html"} <= set(at_first)
    assert threading.get_ident() not in at_first.values()
