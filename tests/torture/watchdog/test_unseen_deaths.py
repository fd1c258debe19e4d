"""What nobody awaits dies: it is counted and logged, whoever started it."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from bridge.app.watch import log_unhandled
from csms.options import ServerOptions
from csms.replies import IdTagPolicy, LocalReplies, ReplyOptions
from csms.server import CentralSystem
from tests.integration.csms.fakes import PEPPER, FakeCounter, FakeRecorder, FakeRegistry


class FailingCounter(FakeCounter):
    """Cannot count one kind."""

    def count(self, what: str, station: str | None = None) -> None:
        if what == "ping_failed":
            raise KeyError(what)
        super().count(what)


def _broken_clock() -> float:
    raise OSError("no such clock")


async def seen(counts: Counter[str], what: str) -> None:
    async with asyncio.timeout(20):
        while not counts[what]:  # noqa: ASYNC110 - a counter sets no event
            await asyncio.sleep(0.005)


@pytest.mark.row("T10")
async def test_task_of_the_central_system_that_dies_is_counted_and_logged() -> None:
    counter = FailingCounter()
    replies = LocalReplies(lambda: datetime.now(UTC), ReplyOptions(id_tags=IdTagPolicy.ACCEPT))
    with capture_logs() as logs:
        central = CentralSystem(
            ServerOptions(port=0),
            FakeRegistry(),
            FakeRecorder(),
            replies,
            counter,
            PEPPER,
            monotonic=_broken_clock,
        )
        await central.start()
        await seen(counter.counts, "task_failed")
        await central.stop()
    (died,) = [entry for entry in logs if entry["event"] == "task_failed"]
    assert (died["task"], type(died["exc_info"])) == ("ping stations", KeyError)


@pytest.mark.row("T10")
async def test_whatever_else_dies_unseen_is_counted_and_logged() -> None:
    counts: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    log_unhandled(loop, lambda what: counts.update([what]))

    def fails() -> None:
        raise KeyError("unseen")

    with capture_logs() as logs:
        loop.call_soon(fails)
        await seen(counts, "unhandled_error")
    (died,) = [entry for entry in logs if entry["event"] == "unhandled_error"]
    assert type(died["exc_info"]) is KeyError
