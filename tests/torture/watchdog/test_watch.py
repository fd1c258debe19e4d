"""The shipped watch over tasks that die, hang, end by themselves, or only seem to hang. The test sets its clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bridge.app.watch import Watch
from bridge.core.backoff import BackoffOptions
from bridge.core.model import Moment
from bridge.core.watching import WatchOptions
from bridge.lane import LaneLost
from bridge.store.errors import StoreBroken

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AT_ONCE = WatchOptions(restart=BackoffOptions(first=timedelta(0), ceiling=timedelta(0)))


@dataclass
class Watched:
    """A watch, and what the test sets for it."""

    steady: datetime = START
    waited: timedelta = timedelta(0)
    fatal: list[Exception] = field(default_factory=list)
    keeping: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = Watch(
            lambda: Moment(self.steady, self.steady),
            waited=lambda: self.waited,
            jitter=lambda: 0.0,
            fatal=self.fatal.append,
            options=AT_ONCE,
        )

    def keep(self, name: str, run: Callable[[], Coroutine[None, None, None]]) -> asyncio.Task[None]:
        self.keeping.append(asyncio.create_task(self.watch.keep(name, run)))
        return self.keeping[-1]

    def looks(self, number: int, every: timedelta = timedelta(seconds=1)) -> None:
        for _ in range(number):
            self.steady += every
            self.watch.look()

    def task(self, name: str) -> tuple[str, int, int]:
        found = next(each for each in self.watch.tasks() if each.name == name)
        return found.state, found.restarts, found.stalls


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    made = Watched()
    made.watch.look()
    yield made
    for task in made.keeping:
        task.cancel()
    await asyncio.gather(*made.keeping, return_exceptions=True)


@dataclass
class Task:
    """A task whose runs are counted; each goes the way that the test says."""

    ways: list[Exception | None] = field(default_factory=list)
    """How each run ends, in this order; a run beyond them goes on for ever. None: by itself."""
    began: int = 0
    alive: int = 0
    most_alive: int = 0
    lets_go: asyncio.Event = field(default_factory=asyncio.Event)
    clings: bool = False
    """Does not end when it is cancelled, until `lets_go`."""
    started: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self) -> None:
        self.alive += 1
        self.most_alive = max(self.alive, self.most_alive)
        try:
            async with self.started:
                self.began += 1
                self.started.notify_all()
            if self.ways:
                way = self.ways.pop(0)
                if way is not None:
                    raise way
                return
            await self._hang()
        finally:
            self.alive -= 1

    async def _hang(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self.clings:
                await self.lets_go.wait()
            raise

    async def begins(self, times: int) -> None:
        async with asyncio.timeout(20), self.started:
            await self.started.wait_for(lambda: self.began >= times)


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.row("T10")
async def test_task_that_dies_is_started_anew_and_counted_and_its_traceback_logged_once(watched: Watched) -> None:
    task, other = Task([KeyError("x"), KeyError("x"), ValueError("y")]), Task()
    with capture_logs() as logs:
        watched.keep("ticker", task.run)
        watched.keep("wire log", other.run)
        await task.begins(4)
    assert watched.task("ticker") == ("recovering", 3, 0)
    assert watched.task("wire log") == ("running", 0, 0)
    assert other.began == 1
    died = [entry for entry in logs if entry["event"] == "task_failed"]
    assert [type(entry["exc_info"]).__name__ for entry in died] == ["KeyError", "NoneType", "ValueError"]


@pytest.mark.row("T10")
@pytest.mark.parametrize("way", [None, asyncio.CancelledError()], ids=["it returns", "something cancels it"])
async def test_task_that_ends_without_a_word_is_started_anew_too(watched: Watched, way: Exception | None) -> None:
    task = Task([way])
    watched.keep("enforcer", task.run)
    await task.begins(2)
    assert watched.task("enforcer") == ("recovering", 1, 0)
    assert watched.watch.tasks()[0].why == "it ended by itself"


@pytest.mark.row("T10")
async def test_task_is_well_again_once_it_has_run_for_a_minute(watched: Watched) -> None:
    task = Task([KeyError("x")])
    watched.keep("ticker", task.run)
    await task.begins(2)
    watched.looks(59)
    assert watched.task("ticker")[0] == "recovering"
    watched.looks(1)
    assert watched.task("ticker") == ("running", 1, 0)
    assert watched.watch.tasks()[0].why == ""


@pytest.mark.row("T10")
async def test_task_that_hangs_is_ended_and_started_anew(watched: Watched) -> None:
    task = Task()
    watched.keep("lane hubject", task.run)
    await task.begins(1)
    watched.watch.went_round("lane hubject")(timedelta(seconds=30))
    with capture_logs() as logs:
        watched.looks(32)
        assert watched.task("lane hubject") == ("stalled", 0, 1)
        await task.begins(2)
    assert watched.task("lane hubject") == ("recovering", 1, 1)
    (line,) = [entry for entry in logs if entry["event"] == "task_stalled"]
    assert "test_watch.py" in line["where"][-2]


@pytest.mark.row("T10")
async def test_no_second_lane_of_an_account_runs_while_the_first_does_not_let_go(watched: Watched) -> None:
    task = Task(clings=True)
    watched.keep("lane hubject", task.run)
    await task.begins(1)
    watched.watch.went_round("lane hubject")(timedelta(seconds=30))
    watched.looks(32)
    await settle()
    assert watched.task("lane hubject") == ("stalled", 0, 1)
    assert task.began == 1
    task.lets_go.set()
    await task.begins(2)
    assert task.most_alive == 1


@pytest.mark.row("T10")
@pytest.mark.parametrize(
    ("looks", "every", "waited"),
    [
        pytest.param(1, timedelta(hours=1), timedelta(0), id="the process was stopped for an hour"),
        pytest.param(5, timedelta(minutes=1), timedelta(0), id="the loop was blocked again and again"),
        pytest.param(3600, timedelta(seconds=1), timedelta(seconds=6), id="the storage is slow"),
    ],
)
async def test_who_could_not_go_round_is_not_said_to_hang(
    watched: Watched, looks: int, every: timedelta, waited: timedelta
) -> None:
    task = Task()
    watched.keep("ticker", task.run)
    await task.begins(1)
    watched.watch.went_round("ticker")(timedelta(seconds=30))
    watched.looks(1)
    watched.waited = waited
    watched.looks(looks, every)
    assert watched.task("ticker") == ("running", 0, 0)


@pytest.mark.row("T10")
@pytest.mark.parametrize("error", [LaneLost("the lane of hubject is owned by another process"), StoreBroken("gone")])
async def test_what_must_end_the_process_is_passed_on_and_nothing_is_started_anew(
    watched: Watched, error: Exception
) -> None:
    task = Task([error])
    async with asyncio.timeout(20):
        await watched.keep("lane hubject", task.run)
    assert watched.fatal == [error]
    assert task.began == 1


async def test_after_the_order_to_stop_nothing_is_started_anew_and_a_run_may_end(watched: Watched) -> None:
    leaves = asyncio.Event()

    async def run() -> None:
        await leaves.wait()

    keeping = watched.keep("lane hubject", run)
    await settle()
    watched.watch.stop()
    leaves.set()
    async with asyncio.timeout(20):
        await keeping
    assert watched.task("lane hubject") == ("running", 0, 0)


async def test_cancellation_ends_the_run_before_it_returns(watched: Watched) -> None:
    task = Task()
    keeping = watched.keep("ticker", task.run)
    await task.begins(1)
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    assert task.alive == 0
