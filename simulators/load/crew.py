"""Start the processes of a load, give all of them the same orders, and add up what they counted.

Each process has a share of the stations and of the rate. Never opens a connection. Before it: `command`. After it:
`worker`; `report` shows the sum.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, astuple, dataclass
from typing import Any

from simulators.load.options import LoadOptions, Member
from simulators.load.roster import shares
from simulators.load.strain import Strain
from simulators.load.tally import Tally

_LINE_LIMIT = 2**27
_END_S = 10.0


class CrewEnded(Exception):
    """A process of the load ended though nobody asked it to; its own words are on stderr."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far all processes are."""

    connected: int = 0
    sent: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """What all processes found while they carried out one order."""

    seconds: float
    connected: int
    settled: int
    """After a cut: stations that were answered again."""
    tally: Tally
    strains: tuple[Strain, ...]
    """Of each process."""


class _Hand:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.progress = Progress()

    def tell(self, order: dict[str, Any]) -> None:
        if self._process.stdin is None:
            raise AssertionError("it is a pipe")
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def answer(self) -> dict[str, Any]:
        """Return its next answer. Raises: CrewEnded."""
        if self._process.stdout is None:
            raise AssertionError("it is a pipe")
        while line := await self._process.stdout.readline():
            document: dict[str, Any] = json.loads(line)
            if "done" in document:
                return document
            self.progress = Progress(**document["progress"])
        raise CrewEnded

    async def end(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


class Crew:
    """The processes of one load."""

    def __init__(self, hands: Sequence[_Hand]) -> None:
        self._hands = hands

    @property
    def progress(self) -> Progress:
        """How far the order that is carried out is."""
        found = [hand.progress for hand in self._hands]
        return Progress(*(sum(values) for values in zip(*map(astuple, found), strict=True)))

    def stop(self) -> None:
        """End the order that is carried out; it answers with what it has."""
        for hand in self._hands:
            hand.tell({"do": "stop"})

    async def connect(self) -> Stretch:
        """Connect every station. Raises: CrewEnded."""
        return await self._stretch(lambda _share: {"do": "connect", "count": sys.maxsize})

    async def run(self, profile: str, rate: float, seconds: float) -> Stretch:
        """Let every station report: `rate` messages a second together, 0 as fast as answered. Raises: CrewEnded."""
        return await self._stretch(
            lambda share: {
                "do": "run",
                "profile": profile,
                "rate": rate * share,
                "seconds": seconds,
                "stations": sys.maxsize,
            }
        )

    async def storm(self, seconds: float) -> Stretch:
        """Cut every station and let it come back. Raises: CrewEnded."""
        return await self._stretch(lambda _share: {"do": "storm", "seconds": seconds})

    async def hold(self, seconds: float) -> Stretch:
        """Let time pass. Raises: CrewEnded."""
        return await self._stretch(lambda _share: {"do": "hold", "seconds": seconds})

    async def _stretch(self, order: Callable[[float], dict[str, Any]]) -> Stretch:
        for hand in self._hands:
            hand.tell(order(1 / len(self._hands)))
        answers = await asyncio.gather(*(hand.answer() for hand in self._hands))
        tally = Tally()
        for answer in answers:
            tally.merge(Tally.of(answer["tally"]))
        return Stretch(
            max(answer["seconds"] for answer in answers),
            sum(answer["connected"] for answer in answers),
            sum(answer["settled"] for answer in answers),
            tally,
            tuple(Strain.of(answer["strain"]) for answer in answers),
        )

    async def prepare(self, options: LoadOptions, members: list[Member]) -> None:
        """Deal out the stations. Raises: CrewEnded."""
        share = options.connect_rate / len(self._hands)
        for number, (hand, stations) in enumerate(zip(self._hands, shares(members, len(self._hands)), strict=True)):
            own = asdict(options) | {"connect_rate": share, "seed": options.seed + number}
            hand.tell({"do": "prepare", "options": own, "stations": [astuple(one) for one in stations]})
        await asyncio.gather(*(hand.answer() for hand in self._hands))


@asynccontextmanager
async def crew(processes: int) -> AsyncIterator[Crew]:
    """Run so many processes until the block ends. Ctrl-C reaches none of them. Raises: OSError."""
    hands: list[_Hand] = []
    try:
        for _ in range(processes):
            hands += [_Hand(await _spawn())]
        yield Crew(hands)
    finally:
        await asyncio.gather(*(hand.end() for hand in hands))


async def _spawn() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulators.load.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_LIMIT,
        start_new_session=True,
    )
