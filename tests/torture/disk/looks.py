"""Look at a running bridge as a load balancer and an operator do. After it: `tests.acceptance.harness`."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from tests.acceptance.harness import Site

_TIMEOUT = aiohttp.ClientTimeout(total=5)


async def answers(site: Site, path: str) -> int:
    """Return the status of /livez or /readyz, which need no token."""
    ports = json.loads((site.state_dir / "ports.json").read_text(encoding="ascii"))
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT) as http,
        http.get(f"http://127.0.0.1:{ports['web']}{path}") as response,
    ):
        return response.status


async def is_ready(site: Site) -> bool:
    """Say whether the bridge is sent stations."""
    return await answers(site, "/readyz") == 200


async def is_unready(site: Site) -> bool:
    """Say whether the bridge says that nothing can be recorded."""
    return await answers(site, "/readyz") == 503


def events(site: Site, name: str) -> list[dict[str, Any]]:
    """Return the lines of one event in the bridge's log."""
    lines = site.bridge.log.read_text(encoding="utf-8").splitlines()
    parsed = [json.loads(line) for line in lines if line.startswith("{")]
    return [line for line in parsed if line["event"] == name]
