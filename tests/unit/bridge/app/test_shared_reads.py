"""Many who ask cost one read, and nobody is told anything older than the question."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from bridge.app.shared_reads import SharedReads, rest_s
from bridge.web.services import Unavailable


class Reader:
    """Answers with the state as it was when the read began; each read waits until it is let go."""

    def __init__(self) -> None:
        self.state = 0
        self.reads: list[list[str]] = []
        self.began = asyncio.Semaphore(0)
        self.go = asyncio.Semaphore(0)
        self.fails = False

    async def read(self, questions: Collection[str]) -> dict[str, tuple[str, int]]:
        seen = self.state
        self.reads.append(sorted(questions))
        self.began.release()
        await self.go.acquire()
        if self.fails:
            raise Unavailable("the database is busy")
        return {question: (question, seen) for question in questions}


class Time:
    """Stands still but for rests."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rested: list[float] = []

    async def rest(self, seconds: float, hurried: asyncio.Event) -> None:
        if not hurried.is_set():
            self.rested.append(seconds)
            self.now += seconds


def shared(reader: Reader, time: Time) -> SharedReads[str, tuple[str, int]]:
    return SharedReads(reader.read, lambda: time.now, time.rest)


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_all_who_ask_while_a_read_is_under_way_are_answered_by_the_one_after_it() -> None:
    reader, time = Reader(), Time()
    reads = shared(reader, time)
    first = asyncio.create_task(reads.ask("all"))
    await reader.began.acquire()
    reader.state = 1
    later = [asyncio.create_task(reads.ask(question)) for question in ("all", "faulted", "all", "faulted")]
    await turns()
    reader.go.release()
    assert await first == ("all", 0)
    reader.go.release()
    assert await asyncio.gather(*later) == [("all", 1), ("faulted", 1), ("all", 1), ("faulted", 1)]
    assert reader.reads == [["all"], ["all", "faulted"]]


async def test_an_answer_is_not_kept_for_a_later_question() -> None:
    reader, time = Reader(), Time()
    reads = shared(reader, time)
    for state in (0, 1):
        reader.state = state
        reader.go.release()
        assert await reads.ask("all") == ("all", state)
    assert len(reader.reads) == 2


async def joined(reads: SharedReads[str, tuple[str, int]], reader: Reader) -> list[asyncio.Task[tuple[str, int]]]:
    """Two who wait for one read, which has just begun."""
    before = asyncio.create_task(reads.ask("before"))
    await reader.began.acquire()
    asked = [asyncio.create_task(reads.ask("all")) for _ in range(2)]
    await turns()
    reader.go.release()
    await before
    await reader.began.acquire()
    return asked


async def test_whoever_is_cancelled_leaves_the_read_to_those_who_wait() -> None:
    reader, time = Reader(), Time()
    reads = shared(reader, time)
    leaving, staying = await joined(reads, reader)
    leaving.cancel()
    reader.go.release()
    assert await staying == ("all", 0)
    assert leaving.cancelled()
    assert reader.reads == [["before"], ["all"], ["all"]]


async def test_everybody_hears_of_a_failed_read_and_the_next_one_is_tried() -> None:
    reader, time = Reader(), Time()
    reads = shared(reader, time)
    asked = await joined(reads, reader)
    reader.fails = True
    reader.go.release()
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(error) for error in told] == ["the database is busy"] * 2
    assert reader.reads == [["before"], ["all"]]
    reader.fails = False
    reader.go.release()
    assert await reads.ask("all") == ("all", 0)


async def test_a_read_for_many_is_followed_by_a_rest() -> None:
    reader, time = Reader(), Time()
    reads = shared(reader, time)
    asked = await joined(reads, reader)
    time.now = 0.1
    reader.go.release()
    await asyncio.gather(*asked)
    time.now = 0.2
    reader.go.release()
    await reads.ask("all", patient=True)
    assert time.rested == [pytest.approx(0.2)]


async def test_a_person_who_opens_a_page_ends_a_rest_for_everybody() -> None:
    async def rest(_: float, hurried: asyncio.Event) -> None:
        await hurried.wait()

    reader, time = Reader(), Time()
    reads: SharedReads[str, tuple[str, int]] = SharedReads(reader.read, lambda: time.now, rest)
    asked = await joined(reads, reader)
    time.now = 0.1
    reader.go.release()
    await asyncio.gather(*asked)
    window = asyncio.create_task(reads.ask("all", patient=True))
    await turns()
    assert len(reader.reads) == 2
    reader.go.release()
    async with asyncio.timeout(10):
        assert await reads.ask("faulted") == ("faulted", 0)
    assert await window == ("all", 0)
    assert reader.reads[2:] == [["all", "faulted"]]


async def test_a_rest_ends_by_itself() -> None:
    reader = Reader()
    reads = SharedReads(reader.read)
    asked = await joined(reads, reader)
    await asyncio.sleep(0.01)
    reader.go.release()
    await asyncio.gather(*asked)
    reader.go.release()
    async with asyncio.timeout(10):
        assert await reads.ask("all", patient=True) == ("all", 0)


async def test_whoever_is_alone_never_waits() -> None:
    reader, time = Reader(), Time()
    reads = shared(reader, time)
    for _ in range(3):
        asked = asyncio.create_task(reads.ask("all"))
        await reader.began.acquire()
        time.now += 5
        reader.go.release()
        await asked
    assert time.rested == []


@pytest.mark.parametrize(
    ("took", "asked", "expected"),
    [
        pytest.param(0.1, 1, 0.0, id="alone"),
        pytest.param(0.1, 2, 0.3, id="two"),
        pytest.param(0.01, 10, 0.27, id="ten-of-a-quick-one"),
        pytest.param(0.1, 10, 1.0, id="ten"),
        pytest.param(30.0, 2, 1.0, id="a-second-at-most"),
    ],
)
def test_reads_for_many_rest_so_that_more_come_together(took: float, asked: int, expected: float) -> None:
    assert rest_s(took, asked) == pytest.approx(expected)
