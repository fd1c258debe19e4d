"""Real threads and the system's own word on where they may run; what is waited for is seen, or a test fails late.

The event loop's thread is the test's own. Where a test is not about how busy the process is, no share is too little.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.app.gathering import Gathering
from bridge.core.gathering import GatherOptions

AFFINITY = hasattr(os, "sched_setaffinity")
pytestmark = [
    pytest.mark.skipif(not AFFINITY, reason="this system lets no thread choose its processor"),
    pytest.mark.skipif(AFFINITY and len(os.sched_getaffinity(0)) < 2, reason="one processor is all there is here"),
]

EVERYWHERE = frozenset(os.sched_getaffinity(0)) if AFFINITY else frozenset()
LOOK = timedelta(milliseconds=5)
ALWAYS = GatherOptions(busy=0.0, calm=0.0, look_every=LOOK, choose_again=timedelta(hours=1))
SEEN_S = 40.0
LOOKS_S = 0.05
"""Long enough for some looks. Where it is not, a test that waits for nothing to happen sees less."""
REFUSED = Path(__file__).with_name("refused_affinity.py")


class Worker:
    """A thread, which works while `busy` is set."""

    def __init__(self) -> None:
        self.busy, self._ends = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def id(self) -> int:
        assert self._thread.native_id is not None
        return self._thread.native_id

    def end(self) -> None:
        self._ends.set()
        self.busy.set()
        self._thread.join(SEEN_S)

    def _run(self) -> None:
        while not self._ends.is_set():
            self.busy.wait()
            for _ in range(10_000):
                pass


@dataclass
class Threads:
    """The event loop's thread, the one that shall join it, and others."""

    own: int = field(default_factory=threading.get_native_id)
    workers: list[Worker] = field(default_factory=list)
    asked: int = 0
    partner: int | None = None

    def start(self) -> Worker:
        self.workers.append(Worker())
        return self.workers[-1]

    def ask(self) -> int | None:
        self.asked += 1
        return self.partner

    @asynccontextmanager
    async def gathering(self, options: GatherOptions = ALWAYS) -> AsyncIterator[asyncio.Task[None]]:
        """Look again and again, as a task that must not end by itself."""
        task = asyncio.create_task(Gathering(self.ask, options).run())
        yield task
        assert not task.done()
        await cancel(task)

    def together(self, *workers: Worker) -> bool:
        """Whether the event loop's thread and these may run on the same one processor only."""
        found = {places(self.own), *(places(worker.id) for worker in workers)}
        return len(found) == 1 and len(found.pop()) == 1


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads()
    yield made
    for worker in made.workers:
        worker.end()
    for name in os.listdir("/proc/self/task"):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(name), EVERYWHERE)


@pytest.fixture
def partner(threads: Threads) -> Worker:
    worker = threads.start()
    threads.partner = worker.id
    return worker


def places(thread: int) -> frozenset[int]:
    return frozenset(os.sched_getaffinity(thread))


def elsewhere(thread: int) -> frozenset[int]:
    """Return one processor on which the thread does not run now."""
    return frozenset({min(EVERYWHERE - places(thread))})


async def until(look: Callable[[], bool], what: str) -> None:
    ends = asyncio.get_running_loop().time() + SEEN_S
    while not look():
        assert asyncio.get_running_loop().time() < ends, what
        await asyncio.sleep(0.001)


async def cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_two_threads_share_a_processor_while_the_process_is_busy_and_are_freed_once_it_is_calm(
    threads: Threads, partner: Worker
) -> None:
    other = threads.start()
    options = GatherOptions(busy=0.3, calm=0.2, look_every=timedelta(milliseconds=50))
    async with threads.gathering(options):
        for _ in range(2):
            partner.busy.set()
            await until(lambda: threads.together(partner), "busy, and not together")
            assert places(other.id) == EVERYWHERE
            partner.busy.clear()
            await until(lambda: places(threads.own) == places(partner.id) == EVERYWHERE, "calm, and not free")


async def test_threads_of_an_idle_process_run_anywhere(threads: Threads, partner: Worker) -> None:
    async with threads.gathering(GatherOptions(busy=1.0, look_every=LOOK)):
        await asyncio.sleep(LOOKS_S)
        assert places(threads.own) == places(partner.id) == EVERYWHERE
    assert threads.asked == 0


async def test_thread_that_is_started_meanwhile_may_run_anywhere_after_the_next_look(
    threads: Threads, partner: Worker
) -> None:
    async with threads.gathering():
        await until(lambda: threads.together(partner), "not together")
        newcomer = threads.start()
        assert len(places(newcomer.id)) == 1
        await until(lambda: places(newcomer.id) == EVERYWHERE, "the newcomer is not free")
        assert threads.together(partner)


async def test_processor_is_chosen_anew_where_the_system_places_the_two_meanwhile(
    threads: Threads, partner: Worker
) -> None:
    options = GatherOptions(busy=0.0, calm=0.0, look_every=LOOK, choose_again=timedelta(0))
    async with threads.gathering(options):
        for _ in range(3):
            await until(lambda: threads.together(partner), "not together")
            await until(lambda: places(threads.own) == places(partner.id) == EVERYWHERE, "never left to the system")


async def test_everything_is_free_at_the_end_also_what_was_started_just_before(
    threads: Threads, partner: Worker
) -> None:
    async with threads.gathering():
        await until(lambda: threads.together(partner), "not together")
        newcomer = threads.start()
    assert places(threads.own) == places(partner.id) == places(newcomer.id) == EVERYWHERE


async def test_everything_is_free_where_the_end_comes_while_a_processor_is_chosen_anew(
    threads: Threads, partner: Worker
) -> None:
    options = GatherOptions(busy=0.0, calm=0.0, look_every=LOOK, choose_again=timedelta(0))
    async with threads.gathering(options):
        await until(lambda: threads.together(partner), "not together")
        await until(lambda: places(threads.own) == EVERYWHERE, "never left to the system")
    assert places(threads.own) == places(partner.id) == EVERYWHERE


async def test_what_others_say_of_a_thread_holds_and_nothing_is_done_any_more(
    threads: Threads, partner: Worker
) -> None:
    with capture_logs() as logs:
        async with threads.gathering():
            await until(lambda: threads.together(partner), "not together")
            chosen = elsewhere(partner.id)
            os.sched_setaffinity(partner.id, chosen)
            await until(lambda: places(threads.own) == EVERYWHERE, "the other one is not free")
            asked = threads.asked
            await asyncio.sleep(LOOKS_S)
            assert threads.asked == asked
            assert places(partner.id) == chosen
    assert places(partner.id) == chosen
    assert [each["event"] for each in logs] == ["threads_placed_by_others"]


async def test_what_others_say_before_the_process_is_busy_holds_as_well(threads: Threads, partner: Worker) -> None:
    with capture_logs() as logs:
        async with threads.gathering(GatherOptions(busy=0.0, look_every=timedelta(milliseconds=40))):
            await asyncio.sleep(0)
            chosen = frozenset({max(EVERYWHERE)})
            os.sched_setaffinity(partner.id, chosen)
            await until(lambda: bool(logs), "nobody noticed")
            await asyncio.sleep(LOOKS_S)
    assert places(threads.own) == EVERYWHERE
    assert places(partner.id) == chosen
    assert [each["event"] for each in logs] == ["threads_placed_by_others"]


async def test_others_who_choose_the_same_processor_for_the_whole_process_keep_it(
    threads: Threads, partner: Worker
) -> None:
    other = threads.start()
    with capture_logs() as logs:
        async with threads.gathering():
            await until(lambda: threads.together(partner), "not together")
            chosen = places(threads.own)
            os.sched_setaffinity(other.id, chosen)  # as `taskset -a` does with every thread
            await until(lambda: bool(logs), "nobody noticed")
    assert places(threads.own) == places(partner.id) == places(other.id) == chosen


async def test_a_thread_that_had_a_processor_of_its_own_keeps_it(threads: Threads, partner: Worker) -> None:
    others = [threads.start() for _ in EVERYWHERE]
    for other, processor in zip(others, EVERYWHERE, strict=True):
        os.sched_setaffinity(other.id, {processor})
    async with threads.gathering():
        await until(lambda: threads.together(partner), "not together")
        await asyncio.sleep(LOOKS_S)
    assert [places(other.id) for other in others] == [{processor} for processor in EVERYWHERE]


async def test_process_that_may_use_one_processor_only_is_left_alone(threads: Threads, partner: Worker) -> None:
    one = frozenset({min(EVERYWHERE)})
    os.sched_setaffinity(0, one)
    async with threads.gathering():
        await asyncio.sleep(LOOKS_S)
    assert threads.asked == 0
    assert (places(threads.own), places(partner.id)) == (one, EVERYWHERE)


@pytest.mark.parametrize("has_ended", [False, True], ids=["never started", "ended"])
async def test_event_loop_stays_free_where_its_partner_does_not_run(threads: Threads, has_ended: bool) -> None:
    worker = threads.start()
    worker.end()
    threads.partner = worker.id if has_ended else None
    async with threads.gathering():
        await until(lambda: threads.asked > 2, "nobody asked")
        assert places(threads.own) == EVERYWHERE


async def test_a_partner_that_ends_meanwhile_ends_nothing(threads: Threads, partner: Worker) -> None:
    options = GatherOptions(busy=0.0, calm=0.0, look_every=LOOK, choose_again=timedelta(0))
    with capture_logs() as logs:
        async with threads.gathering(options):
            await until(lambda: threads.together(partner), "not together")
            partner.end()
            asked = threads.asked
            await until(lambda: threads.asked > asked + 2, "nobody looks any more")
            assert places(threads.own) == EVERYWHERE
    assert logs == []


NOT_PERMITTED = "threads_not_placed: [Errno 1] Operation not permitted"


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        pytest.param("at once", [NOT_PERMITTED], id="as by a filter of systemd"),
        pytest.param("later", [NOT_PERMITTED], id="once they were placed"),
        pytest.param("partner", [NOT_PERMITTED], id="for the second one"),
        pytest.param("missing", [], id="a system that has no such call"),
    ],
)
def test_system_that_refuses_is_named_once_and_ends_nothing(refused: str, said: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(REFUSED), refused], capture_output=True, text=True, timeout=SEEN_S, check=False
    )
    if done.returncode == 77:
        pytest.skip(done.stderr.strip())
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, said, "")


async def test_threads_that_begin_and_end_all_the_time_disturb_nothing(threads: Threads, partner: Worker) -> None:
    options = GatherOptions(busy=0.0, calm=0.0, look_every=timedelta(0), choose_again=timedelta(hours=1))
    ends = asyncio.get_running_loop().time() + 1.0
    with capture_logs() as logs:
        async with threads.gathering(options):
            while asyncio.get_running_loop().time() < ends:
                threading.Thread(target=int).start()
                await asyncio.sleep(0)
            assert threads.together(partner)
    assert logs == []
