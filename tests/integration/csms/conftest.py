"""Start central systems with fake hosts on free ports, and stop them after the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csms.doorway import ListenerTls
from csms.ports import Replies
from csms.replies import IdTagPolicy, LocalReplies, ReplyOptions
from csms.server import CentralSystem, ServerOptions
from tests.integration.csms.fakes import PEPPER, FakeAttempts, FakeCounter, FakeRecorder, FakeRegistry, FakeWireLog


@dataclass
class Site:
    registry: FakeRegistry
    recorder: FakeRecorder
    counter: FakeCounter
    central: CentralSystem
    port: int
    wire_log: FakeWireLog
    attempts: FakeAttempts


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def site_of() -> AsyncIterator[Callable[..., Awaitable[Site]]]:
    """Give a factory: server options in, a running site out; by default no question is ever asked."""
    sites: list[Site] = []

    async def build(
        tls: Mapping[str, ListenerTls] | None = None,
        clock: Callable[[], datetime] = _now,
        replies: Replies | None = None,
        **changes: Any,
    ) -> Site:
        quiet: dict[str, Any] = {"settle": timedelta(hours=1), "settle_after_boot": timedelta(hours=1)}
        times: dict[str, Any] = {"close_timeout": timedelta(seconds=1), "stop_timeout": timedelta(seconds=3)}
        options = ServerOptions(port=0, **{**quiet, **times, **changes})
        registry, recorder, counter = FakeRegistry(), FakeRecorder(), FakeCounter()
        replies = replies or LocalReplies(lambda: datetime.now(UTC), ReplyOptions(id_tags=IdTagPolicy.ACCEPT))
        wire_log, attempts = FakeWireLog(), FakeAttempts()
        central = CentralSystem(
            options, registry, recorder, replies, counter, PEPPER, attempts=attempts, clock=clock, wire_log=wire_log
        )
        for name, proof in (tls or {}).items():
            central.reload_tls(name, proof)
        site = Site(registry, recorder, counter, central, await central.start(), wire_log, attempts)
        sites.append(site)
        return site

    yield build
    for site in sites:
        site.recorder.before = None
        await site.central.stop()


@pytest.fixture
async def site(site_of: Callable[..., Awaitable[Site]]) -> Site:
    """Give a running site with one station CP1, accepted, with a key."""
    site = await site_of()
    site.registry.add("CP1")
    return site
