"""Real sockets, and a clock that stands still until told: what lies between two rounds is seen exactly."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from selectors import EVENT_READ
from typing import Any

import pytest

from bridge.app.rounds import Rounds

ROUND = timedelta(seconds=1)
NOW = 0.0
"""What asyncio asks with where callbacks are waiting."""
OWN = -1


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Watched:
    """A selector with the loop's own socket and others; `ready` makes some of them so."""

    rounds: Rounds
    clock: Clock
    own: socket.socket
    others: list[socket.socket]
    ends: list[socket.socket]

    def ready(self, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            self.others[number].send(b"x")

    def look(self, timeout: float | None = NOW) -> list[Any]:
        """Look, and read what is found, as a loop does."""
        found = [key.data for key, _ in self.rounds.select(timeout)]
        for number in found:
            self.ends[number].recv(1)
        return sorted(found)

    def keep_busy(self) -> None:
        """As many as make the loop busy, and not so many that the next look follows at once."""
        self.ready(12)
        assert self.look() == list(range(12))


@pytest.fixture
def watched() -> Iterator[Watched]:
    with ExitStack() as stack:
        clock = Clock()
        rounds = stack.enter_context(Rounds(round_=ROUND, clock=clock))
        pairs = [socket.socketpair() for _ in range(41)]
        for one, other in pairs:
            stack.enter_context(one)
            stack.enter_context(other)
        (own, own_end), *others = pairs
        rounds.register(own_end, EVENT_READ, OWN)
        for number, (_, end) in enumerate(others):
            rounds.register(end, EVENT_READ, number)
        yield Watched(rounds, clock, own, [one for one, _ in others], [*(end for _, end in others), own_end])


def test_a_socket_is_seen_at_once_where_little_happens(watched: Watched) -> None:
    for number in range(8):
        watched.ready(1, number)
        assert watched.look() == [number]


def test_in_a_busy_loop_the_next_socket_is_seen_in_the_next_round(watched: Watched) -> None:
    watched.keep_busy()
    watched.ready(1)
    watched.clock.now += 0.999
    assert watched.look() == []
    watched.clock.now += 0.001
    assert watched.look() == [0]


@pytest.mark.parametrize(("a_round", "at_once"), [(6, False), (3, True)])
def test_a_steady_stream_keeps_it_busy_and_a_thin_one_does_not(watched: Watched, a_round: int, at_once: bool) -> None:
    watched.keep_busy()
    for _ in range(40):
        watched.clock.now += 1
        watched.ready(a_round)
        assert len(watched.look()) == a_round
    watched.ready(1)
    assert watched.look() == ([0] if at_once else [])


def test_a_storm_is_forgotten_within_eight_rounds(watched: Watched) -> None:
    for _ in range(5):
        watched.ready(40)
        assert len(watched.look()) == 40
    watched.clock.now += 8
    watched.look()
    watched.ready(1)
    assert watched.look() == [0]


@pytest.mark.parametrize(("count", "at_once"), [(32, True), (31, False)])
def test_many_at_once_are_followed_by_the_next_look(watched: Watched, count: int, at_once: bool) -> None:
    watched.ready(count)
    assert len(watched.look()) == count
    watched.ready(1)
    assert watched.look() == ([0] if at_once else [])


def test_the_loops_own_socket_ends_a_rest_and_keeps_nobody_busy(watched: Watched) -> None:
    for _ in range(20):
        watched.own.send(b"x")
        assert watched.look(None) == [OWN]
    watched.ready(1)
    assert watched.look() == [0]
    watched.keep_busy()
    watched.ready(1)
    watched.own.send(b"x")
    assert watched.look(None) == [OWN]


def test_a_rest_lasts_until_the_next_round(watched: Watched) -> None:
    with Rounds(round_=timedelta(milliseconds=200)) as rounds:
        for key in list(watched.rounds.get_map().values()):
            rounds.register(key.fileobj, key.events, key.data)
        real = Watched(rounds, watched.clock, watched.own, watched.others, watched.ends)
        real.keep_busy()
        real.ready(1)
        assert real.look(None) == [0], "one look waits for the round and finds what is ready then"
        assert real.look(3600) == [], "and does not wait on where nothing is"


# --- with asyncio: its first socket must be the one by which it is woken ---------------------------------------------


def in_a_loop_that_rests(order: Callable[[asyncio.AbstractEventLoop, asyncio.Event], None]) -> None:
    """Let `order` set the event of a loop that rests for ever: it is busy, and its clock stands still."""

    async def wait() -> None:
        loop, pairs = asyncio.get_running_loop(), [socket.socketpair() for _ in range(12)]
        seen = 0

        def read(end: socket.socket) -> None:
            nonlocal seen
            end.recv(1)
            seen += 1

        for one, end in pairs:
            loop.add_reader(end, read, end)
            one.send(b"x")
        async with asyncio.timeout(20):
            while seen < len(pairs):  # noqa: ASYNC110 - callbacks that wait are what keeps it from resting
                await asyncio.sleep(0)
        pairs[0][0].send(b"x")
        await asyncio.sleep(0.02)  # a timer ends a rest
        assert seen == len(pairs), "it did not rest"
        event = asyncio.Event()
        order(loop, event)
        await asyncio.wait_for(event.wait(), 20)
        for one, end in pairs:
            loop.remove_reader(end)
            one.close()
            end.close()

    rounds = Rounds(round_=timedelta(hours=1), clock=Clock())
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(rounds)) as runner:
        runner.run(wait())


def test_another_thread_wakes_a_loop_that_rests() -> None:
    def order(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
        threading.Thread(target=loop.call_soon_threadsafe, args=(event.set,)).start()

    in_a_loop_that_rests(order)


def test_a_signal_wakes_a_loop_that_rests() -> None:
    def order(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
        loop.add_signal_handler(signal.SIGUSR1, event.set)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()

    in_a_loop_that_rests(order)
