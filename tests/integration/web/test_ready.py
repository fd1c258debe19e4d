"""A bridge that stops says so to whoever sends stations to it."""

from __future__ import annotations

from pathlib import Path

from test_health import opened, settings_in


async def test_a_bridge_that_stops_is_not_ready(tmp_path: Path) -> None:
    async with opened(settings_in(tmp_path), {}) as services:
        assert (await services.ready()).ready is True
        services.stopping = True
        assert (await services.ready()).why == "the bridge is stopping"


async def test_what_an_account_may_and_did_use_is_shown(tmp_path: Path) -> None:
    async with opened(settings_in(tmp_path), {}) as services:
        (item,) = (await services.list_upstreams()).items
    assert (item.per_minute, item.requests_last_minute) == (1500, None)
