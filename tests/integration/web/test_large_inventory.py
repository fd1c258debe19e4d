"""Whoever looks at a large inventory, or brings one in, keeps no station waiting for long: in both databases.

Nothing is compared with a clock's time but with other work of the same thread, so that a busy machine changes nothing.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import thread_time

from real_services import real_services, rows

from bridge.inventory_file import parse_inventory
from bridge.store.engine import Store
from bridge.store.writer import Writer
from bridge.web.shapes import ImportRequest

MANY = 3000


@asynccontextmanager
async def steps() -> AsyncIterator[list[float]]:
    """How much CPU the event loop's thread takes between two turns, in seconds, the longest steps first."""
    found: list[float] = []

    async def watch() -> None:
        began = thread_time()
        while True:
            await asyncio.sleep(0)
            found.append((now := thread_time()) - began)
            began = now

    gc.disable()  # the product does so much less often than a test's process
    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    yield found
    watching.cancel()
    gc.enable()
    found.sort(reverse=True)


async def test_an_export_is_made_in_many_short_steps(store: Store, writer: Writer, tmp_path: Path) -> None:
    services = real_services(store, writer, tmp_path)
    await services.import_inventory(ImportRequest(csv=rows(MANY)))
    async with steps() as taken:
        exported = await services.export_inventory()
    assert exported.count("DE*ABC*E") == MANY
    assert taken[0] < sum(taken[:10]) / 2


async def test_a_file_is_read_beside_the_event_loop(store: Store, writer: Writer, tmp_path: Path) -> None:
    services, text = real_services(store, writer, tmp_path), rows(MANY)
    at_once = min(_reading(text) for _ in range(3))
    async with steps() as taken:
        assert (await services.import_inventory(ImportRequest(csv=text, dry_run=True))).applied is False
    assert taken[0] < at_once / 2


def _reading(text: str) -> float:
    began = thread_time()
    parse_inventory(text, operators=("acme", "other"), read_key_file=lambda _: b"")
    return thread_time() - began
