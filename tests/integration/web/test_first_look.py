"""Whoever looks at a page first waits no longer than others, and keeps no station waiting."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp

from bridge.web.server import WebOptions, start_web

TOKEN = "test-token-of-more-than-thirty-two-characters"


@contextmanager
def compiled() -> Iterator[list[str]]:
    """The templates that this process compiles meanwhile. Source: Python's audit events, compile."""
    found: list[str] = []
    watching = True

    def note(event: str, args: tuple[Any, ...]) -> None:
        if watching and event == "compile" and str(args[1]).endswith(".html"):
            found.append(str(args[1]).rsplit("/", 1)[-1])

    sys.addaudithook(note)  # for good: a hook cannot be taken away
    yield found
    watching = False


async def test_every_template_is_compiled_before_the_first_request(services: Any) -> None:
    with compiled() as before:
        server = await start_web(WebOptions(port=0), services, TOKEN)
    with compiled() as afterwards:
        async with aiohttp.ClientSession(headers={"X-API-Key": TOKEN}) as session:
            for path in ("/login", "/", "/stations", "/hubs", "/temporary/new", "/nowhere"):
                await (await session.get(f"http://127.0.0.1:{server.port}{path}")).read()
    await server.close()
    assert {"overview.html", "base.html", "failure.html"} <= set(before)
    assert afterwards == []
