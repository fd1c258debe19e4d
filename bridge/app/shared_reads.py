"""Let everybody who asks at once be answered by one read, and read no more often than once a second for many windows.

An answer is never older than its question: whoever asks while a read is under way waits for the next one. A person who
opens a page has the next one begin at once; windows that keep themselves up to date wait for it. Never keeps an answer
for later, so that nothing has to be forgotten when something changes. Before it: `overview_services`. Beside
it: `static/live.js`, which keeps each window to the same rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from bridge.web.services import Unavailable

_Question = TypeVar("_Question", bound=Hashable)
_Answer = TypeVar("_Answer")

_LONGEST_REST_S = 1.0


@dataclass(slots=True)
class _Round(Generic[_Question, _Answer]):
    """Those who are answered by one read."""

    questions: set[_Question] = field(default_factory=set)
    asked: int = 0
    """How many wait for it."""
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody of them does not wait for a rest to end."""
    answers: Mapping[_Question, _Answer] | None = None
    error: str | None = None
    """Why nothing could be read."""

    @property
    def over(self) -> bool:
        return self.answers is not None or self.error is not None


async def _rest(seconds: float, hurried: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await hurried.wait()


class SharedReads(Generic[_Question, _Answer]):
    """Reads for all who ask, one read at a time."""

    def __init__(
        self,
        read: Callable[[Collection[_Question]], Awaitable[Mapping[_Question, _Answer]]],
        clock: Callable[[], float] = monotonic,
        rest: Callable[[float, asyncio.Event], Awaitable[None]] = _rest,
    ) -> None:
        """`read` answers every question that it is given; it raises Unavailable. `clock` and `rest` are in seconds.

        `rest` ends early where the event is set.
        """
        self._read = read
        self._clock = clock
        self._rest = rest
        self._reading = asyncio.Lock()
        self._next: _Round[_Question, _Answer] = _Round()
        self._rest_s = 0.0
        self._ended_at = clock()

    async def ask(self, question: _Question, *, patient: bool = False) -> _Answer:
        """Return what a read that begins after now answers. Raises: Unavailable.

        Only where everybody who asks is `patient`, the read waits so that more come together. Whoever is cancelled
        leaves the read to the next one who waits for it.
        """
        mine = self._next
        mine.questions.add(question)
        mine.asked += 1
        if not patient:
            mine.hurried.set()
        async with self._reading:
            if not mine.over:
                await self._hold(mine)
        if mine.answers is None:
            raise Unavailable(mine.error)
        return mine.answers[question]

    async def _hold(self, held: _Round[_Question, _Answer]) -> None:
        if (rest := self._rest_s - (self._clock() - self._ended_at)) > 0:
            await self._rest(rest, held.hurried)
        if self._next is held:
            self._next = _Round()
        began_at = self._clock()
        try:
            held.answers = await self._read(frozenset(held.questions))
        except Unavailable as error:
            held.error = str(error)
        finally:
            self._ended_at = self._clock()
            self._rest_s = rest_s(self._ended_at - began_at, held.asked)


def rest_s(took_s: float, asked: int) -> float:
    """Return how long to wait behind a read that took so long and answered so many, so that more come together.

    Nobody who is alone waits, nor who has just opened a page; nobody at all waits for more than a second.
    """
    return min(3 * took_s * (asked - 1), _LONGEST_REST_S)
