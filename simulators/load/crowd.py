"""Run all stations of one process: connect them, let them report, cut them, count.

Never speaks OCPP. Before it: `worker`. After it: `station`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import aiohttp

from simulators.load import messages
from simulators.load.messages import Kind
from simulators.load.options import LoadOptions, Member, Profile
from simulators.load.station import Ground, Station
from simulators.load.tally import Tally
from simulators.load.times import Times

_HANDSHAKE_S = 30.0
_AT_ONCE = 200
"""Handshakes at a time, where no rate is given."""
_REFUSALS = frozenset({401, 403, 404})
_BACKOFF_FIRST_S, _BACKOFF_LAST_S = 1.0, 30.0
_ANSWER_S = 30.0
"""OCPP gives no figure; the `ocpp` package waits as long."""
_SWEEP_S = 5.0
_LAST_ANSWERS_S = 10.0
_STOP_NOTICED_S = 0.1
_BURST = 10
"""Changes of one station in a row, where connectors flap."""


class _Answered:
    """Knows when each of some stations had its next status answered."""

    def __init__(self, stations: Sequence[Station], times: Times | None = None) -> None:
        """Keep in `times` how long each took from now on."""
        self.missing = set(stations)
        self.all = asyncio.Event()
        self._times = times
        self._began = time.perf_counter()
        for station in stations:
            station.on_told = self._told
        if not stations:
            self.all.set()

    def _told(self, station: Station) -> None:
        self.missing.discard(station)
        if self._times is not None:
            self._times.add(1000 * (time.perf_counter() - self._began))
        if not self.missing:
            self.all.set()


class Crowd:
    """The stations of one process."""

    def __init__(self, options: LoadOptions, members: Sequence[Member], tasks: asyncio.TaskGroup) -> None:
        """Keep each station's connection in a task of `tasks`."""
        self._options = options
        self._ground = Ground(options)
        self._stations = [Station(member, self._ground) for member in members]
        self._begun = 0
        self._tasks = tasks
        self._own: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._next_handshake = 0.0
        self._random = random.Random(options.seed)
        self._untried: set[Station] = set()
        self._tried = asyncio.Event()
        self._stopped = asyncio.Event()
        self.connected = 0
        """Stations that have a connection."""

    @property
    def tally(self) -> Tally:
        """The numbers since `taken`."""
        return self._ground.tally

    @property
    def trace(self) -> list[tuple[str, str, float]]:
        """Each status since `taken`: station, word, when it was sent by the system's clock."""
        return self._ground.trace

    def begin(self) -> None:
        """Begin a stretch: seconds count from now on."""
        self._stopped.clear()
        self._ground.began = time.perf_counter()

    def taken(self) -> None:
        """Count from nothing: what comes between two stretches is the next one's."""
        self._ground.clear()

    def stop(self) -> None:
        """End what runs."""
        self._stopped.set()

    def last(self) -> dict[str, str]:
        """Return each station's last status that was answered."""
        return {station.member.name: station.told for station in self._stations if station.told}

    # --- connections --------------------------------------------------------------------------------------------------

    async def connect(self, how_many: int) -> None:
        """Connect so many further stations; return when each was tried once, or at `stop`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
            )
            self._start(self._tick(), "clock")
            if self._options.heartbeat_s:
                self._start(self._heartbeats(), "heartbeats")
        newcomers = self._stations[self._begun : self._begun + how_many]
        self._begun += len(newcomers)
        self._untried.update(newcomers)
        self._tried.clear()
        for station in newcomers:
            self._start(self._keep(station, self._session), f"station {station.member.name}")
        if newcomers:
            await self._until(self._tried)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._own.append(self._tasks.create_task(work, name=name))

    async def _keep(self, station: Station, session: aiohttp.ClientSession) -> None:
        """Keep one station connected until it is refused for good."""
        backoff = _BACKOFF_FIRST_S
        while True:
            why = await self._handshake(station, session)
            self._untried.discard(station)
            if not self._untried:
                self._tried.set()
            if why is None:
                backoff = _BACKOFF_FIRST_S
                self.connected += 1
                closed = await station.listen()
                self.connected -= 1
                self.tally.reconnects += 1
                if station.cut:
                    continue
                self.tally.closed[closed] += 1
            elif why in _REFUSALS:
                return
            await asyncio.sleep(backoff * (1 + self._random.random() / 4))
            backoff = min(2 * backoff, _BACKOFF_LAST_S)

    async def _handshake(self, station: Station, session: aiohttp.ClientSession) -> int | None:
        """Connect once. Returns None where that was done, else the HTTP status, or 0."""
        async with self._gate:
            await self._pace_handshakes()
            try:
                async with asyncio.timeout(_HANDSHAKE_S):
                    await station.connect(session)
            except aiohttp.WSServerHandshakeError as error:
                self.tally.note_refusal(station.member.name, f"HTTP {error.status}")
                return error.status
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self.tally.note_refusal(station.member.name, _why(error))
                return 0
            return None

    async def _pace_handshakes(self) -> None:
        if self._options.connect_rate:
            now = time.perf_counter()
            self._next_handshake = max(self._next_handshake, now) + 1 / self._options.connect_rate
            await asyncio.sleep(max(self._next_handshake - now, 0))

    # --- what they do -------------------------------------------------------------------------------------------------

    async def run(self, profile: Profile, rate: float, seconds: float, stations: int) -> None:
        """Let the first `stations` report: `rate` messages a second of all together, 0 as fast as answered."""
        self._ground.words = messages.words(self._options.version, profile)
        chosen = [station for station in self._stations[:stations] if station.connected]
        if not chosen:
            await self.hold(seconds)
        elif rate:
            await self._paced(chosen, rate, seconds, _BURST if profile == "flap" else 1)
        else:
            await self._saturated(chosen, seconds)
        await self._answered(chosen, _LAST_ANSWERS_S)

    async def _paced(self, stations: list[Station], rate: float, seconds: float, burst: int) -> None:
        began, chance = time.perf_counter(), random.Random(self._options.seed)
        for number in count():
            due = began + min((number + chance.random()) / rate, seconds)
            await self._sleep_until(due, yielding=number % _AT_ONCE == 0)
            if due >= began + seconds or self._stopped.is_set():
                return
            await stations[number // burst % len(stations)].owe(Kind.STATUS, due)

    async def _sleep_until(self, moment: float, *, yielding: bool) -> None:
        """Sleep until a moment of `perf_counter`, or `stop`; where it has passed, only let others work."""
        left = moment - time.perf_counter()
        if left > _STOP_NOTICED_S:
            await self.hold(left)
        elif left > 0 or yielding:
            await asyncio.sleep(max(left, 0))

    async def _saturated(self, stations: list[Station], seconds: float) -> None:
        self._ground.eager = True
        ends = time.perf_counter() + seconds
        for station in stations:
            if not station.waiting:
                await station.owe(Kind.STATUS, time.perf_counter())
        await self.hold(ends - time.perf_counter())
        self._ground.eager = False

    async def hold(self, seconds: float) -> None:
        """Let time pass, with heartbeats if those were asked for."""
        await self._until(self._stopped, seconds)

    async def storm(self, seconds: float) -> int:
        """Cut every station at once, and let them come back, each with the status that it told last.

        Who told none yet does so before. Returns how many were answered again within `seconds` of the cut.
        """
        stations = [station for station in self._stations if station.connected]
        first = _Answered([station for station in stations if not station.told])
        for station in tuple(first.missing):
            await station.owe(Kind.STATUS, time.perf_counter())
        await self._until(first.all, seconds)
        again = _Answered(stations, self._ground.tally.back)
        for station in stations:
            station.break_off()
        await self._until(again.all, seconds)
        return len(stations) - len(again.missing)

    async def _answered(self, stations: Sequence[Station], seconds: float) -> None:
        """Wait until nothing is in flight any more."""
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            if not any(station.waiting for station in stations):
                return
            await asyncio.sleep(0.01)

    async def _heartbeats(self) -> None:
        for number in count():
            due = time.perf_counter()
            await self._stations[number % self._begun].owe(Kind.HEARTBEAT, due)
            await asyncio.sleep(due + self._options.heartbeat_s / self._begun - time.perf_counter())

    async def _tick(self) -> None:
        """Tell stations the time, wait for no answer for ever, and try once more to be accepted."""
        for number in count():
            now = datetime.now(UTC)
            self._ground.ending = f'{now:%Y-%m-%dT%H:%M:%SZ}"}}]'
            if number % _SWEEP_S == 0:
                for station in self._stations[: self._begun]:
                    await station.give_up(time.perf_counter() - _ANSWER_S)
                    await station.boot_again()
            await asyncio.sleep(1)

    async def _until(self, event: asyncio.Event, seconds: float | None = None) -> None:
        """Wait for an event, for `stop`, or for so long."""
        waits = {asyncio.create_task(one.wait()) for one in (event, self._stopped)}
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def close(self) -> None:
        """End every connection."""
        for task in self._own:
            task.cancel()
        await asyncio.gather(*self._own, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer to the handshake within {_HANDSHAKE_S:.0f} s"
    return (str(error) or type(error).__name__)[:256]
