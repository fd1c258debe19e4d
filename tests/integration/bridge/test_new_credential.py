"""An account that is held is probed as soon as its certificate or key is a new one, not a minute later."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests_bridge import HUBJECT, FakeUpstream, until

from bridge.core.model import Accepted, AccountName, Held
from bridge.edits import CredentialOrder, credentials_changed


async def test_a_held_account_is_probed_at_once(bridge) -> None:
    upstream = FakeUpstream(answer=lambda _record: Held("HTTP 401"))
    lane = bridge.lane(upstream)
    task = asyncio.create_task(lane.run())
    try:
        await until(lambda: len(upstream.pushed) == 1)
        await asyncio.sleep(0.05)
        assert len(upstream.pushed) == 1, "a held account waits for its probe"
        upstream.answer = lambda _record: Accepted()
        await bridge.writer.submit(credentials_changed, CredentialOrder(HUBJECT, bridge.clock()))
        lane.wake()
        await until(lambda: len(upstream.pushed) >= 5)
    finally:
        lane.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(task, 5)
    assert (await bridge.rows("SELECT held FROM lane WHERE account = 'hubject'")) == [(None,)]


async def test_an_account_without_a_lane_or_a_hold_is_left_alone(bridge) -> None:
    order = CredentialOrder(AccountName("nobody"), bridge.clock())
    assert await bridge.writer.submit(credentials_changed, order) is None
    assert await bridge.rows("SELECT 1 FROM lane WHERE account = 'nobody'") == []
