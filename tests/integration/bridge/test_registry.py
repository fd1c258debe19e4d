from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.app.registry import StoreRegistry
from bridge.store.engine import Store
from bridge.store.errors import StoreUnavailable
from csms.ports import NotRecorded


class CountingStore:
    """Counts the reads of a real store; each waits for `open`, and fails while `down`."""

    def __init__(self, store: Store) -> None:
        self.reads = 0
        self.open = asyncio.Event()
        self.open.set()
        self.reading = asyncio.Event()
        self.down = False
        self._store = store

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        self.reads += 1
        self.reading.set()
        await self.open.wait()
        if self.down:
            raise StoreUnavailable("the disk is full")
        async with self._store.read() as connection:
            yield connection


@pytest.fixture
def counting(bridge) -> CountingStore:
    return CountingStore(bridge.store)


@pytest.fixture
def registry(counting: CountingStore) -> StoreRegistry:
    return StoreRegistry(cast("Store", counting))


async def test_all_who_ask_together_share_one_read(registry: StoreRegistry, counting: CountingStore) -> None:
    found = await asyncio.gather(*(registry.find(identity) for identity in ["one", "ONE", "nobody"] * 100))
    assert [None if record is None else record.station for record in found[:3]] == ["one", "one", None]
    assert found[3:] == found[:3] * 99
    assert counting.reads == 1


async def test_who_asks_during_a_read_gets_what_is_stored_after_the_question(
    registry: StoreRegistry, counting: CountingStore
) -> None:
    counting.open.clear()
    first = asyncio.create_task(registry.find("one"))
    await counting.reading.wait()
    second = asyncio.create_task(registry.find("one"))
    await asyncio.sleep(0)
    counting.open.set()
    await asyncio.gather(first, second)
    assert counting.reads == 2


async def test_who_gives_up_leaves_the_others_their_answer(registry: StoreRegistry, counting: CountingStore) -> None:
    counting.open.clear()
    first, second = (asyncio.create_task(registry.find("one")) for _ in range(2))
    await counting.reading.wait()
    first.cancel()
    counting.open.set()
    record = await second
    assert record is not None
    assert record.station == "one"


async def test_a_read_that_fails_fails_for_those_who_asked_and_for_nobody_later(
    registry: StoreRegistry, counting: CountingStore
) -> None:
    counting.down = True
    ended = await asyncio.gather(registry.find("one"), registry.find("nobody"), return_exceptions=True)
    assert [type(end) for end in ended] == [NotRecorded, NotRecorded]
    counting.down = False
    assert await registry.find("one") is not None
