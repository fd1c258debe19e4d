"""Where the threads of a real bridge may run, by the system's own word."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until

ALWAYS_BUSY = [sys.executable, str(Path(__file__).with_name("always_busy.py"))]
AFFINITY = hasattr(os, "sched_setaffinity")
pytestmark = [
    pytest.mark.skipif(not AFFINITY, reason="this system lets no thread choose its processor"),
    pytest.mark.skipif(AFFINITY and len(os.sched_getaffinity(0)) < 2, reason="one processor is all there is here"),
]
SEEN_S = 30.0
LOOKS_S = 1.5
"""Longer than from one look to the next, as shipped."""


def places(site: Site) -> dict[int, set[int]]:
    """Return where each thread of the bridge may run; its event loop's has the number of the process."""
    found = {}
    for thread in map(int, os.listdir(f"/proc/{site.bridge.pid}/task")):
        with suppress(ProcessLookupError):
            found[thread] = os.sched_getaffinity(thread)
    return found


def held(site: Site) -> dict[int, set[int]]:
    return {thread: where for thread, where in places(site).items() if len(where) == 1}


async def tasks(site: Site) -> set[str]:
    return {name for name in json.loads(await site.page("/healthz"))["components"] if name.startswith("task ")}


async def test_event_loop_and_writer_of_a_busy_bridge_share_a_processor_and_others_run_anywhere(
    make_site: MakeSite,
) -> None:
    site = make_site()
    site.bridge_command = ALWAYS_BUSY
    await site.start_bridge()
    assert "task gathering" in await tasks(site)

    def two() -> bool:
        found = held(site)
        return len(found) == 2 and site.bridge.pid in found and len({frozenset(where) for where in found.values()}) == 1

    await until(two, SEEN_S, "two threads on one processor")
    assert len(places(site)) > 2
    assert await site.stop_bridge() == 0


async def test_nothing_is_placed_where_the_configuration_says_off_however_busy_it_is(make_site: MakeSite) -> None:
    site = make_site(CPU_AFFINITY="off")
    site.bridge_command = ALWAYS_BUSY
    await site.start_bridge()
    assert "task gathering" not in await tasks(site)
    await asyncio.sleep(LOOKS_S)
    assert held(site) == {}
    assert await site.stop_bridge() == 0


async def test_nothing_is_placed_while_the_bridge_is_idle(make_site: MakeSite) -> None:
    site = make_site()
    await site.start_bridge()
    await asyncio.sleep(LOOKS_S)
    assert held(site) == {}
    assert await site.stop_bridge() == 0
