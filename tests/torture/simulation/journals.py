"""Read from the hubs' journals how fast, how often and how late they were told. Times are seconds since 1970.

Never judges. Before it: `hubs`, `evidence`. After it: the tests.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from tests.torture.simulation.oracle import WORDS
from tests.torture.simulation.owners import told
from tests.torture.simulation.world import World


def now(world: World) -> float:
    """Return the moment, as the journals have it."""
    return world.true_time().timestamp()


def busiest(times: Iterable[float], seconds: float) -> int:
    """Return how many of these times fall into the fullest window of so many seconds; `times` are in order.

    A millisecond less, since seconds since 1970 as a float are not exact, and the first of the next minute is no more.
    """
    window: deque[float] = deque()
    most = 0
    for time in times:
        window.append(time)
        while window[0] <= time - seconds + 0.001:
            window.popleft()
        most = max(most, len(window))
    return most


def left_between(world: World, hub: str, since: float, until: float = math.inf) -> list[float]:
    """Return when attempts at a hub left us, those included that met nobody."""
    return [time for time in world.hubs[hub].left_at if since <= time < until]


def values_sent(world: World, hub: str, evse_id: str, since: float = 0.0) -> list[tuple[float, str]]:
    """Return when a hub was told what of one EVSE."""
    points = world.evidence.points
    return [
        (entry.received_at, value)
        for entry in world.hubs[hub].journal(since)
        for key, value in entry.records
        if points.get(key, key) == evse_id
    ]


def longest_lag(world: World, hub: str, since: float, until: float) -> float:
    """Return the longest time that a change waited until the hub was told, or until the next one took its place."""
    sent: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for entry in world.hubs[hub].journal(since):
        for key, value in entry.records:
            sent[world.evidence.points.get(key, key)].append((entry.received_at, value))
    return max(
        (
            _lag(sent[evse_id], *change)
            for evse_id in world.evidence.courses
            if told(hub, evse_id)
            for change in _changes(world, hub, evse_id)
            if since <= change[0] < until
        ),
        default=0.0,
    )


def _lag(sent: list[tuple[float, str]], began: float, word: str, ended: float) -> float:
    arrived = (time for time, value in sent if time >= began and value == word)
    return min(next(arrived, math.inf), ended) - began


def _changes(world: World, hub: str, evse_id: str) -> Iterator[tuple[float, str, float]]:
    """Yield each word that an EVSE had for the hub, with when it began and ended."""
    words, epoch = WORDS[world.hubs[hub].hub.name], now(world) - asyncio.get_running_loop().time()
    states = [(moment + epoch, words[state]) for moment, state in world.evidence.courses[evse_id].states]
    kept = [one for number, one in enumerate(states) if not number or one[1] != states[number - 1][1]]
    ends = [moment for moment, _ in kept[1:]] + [now(world)]
    for (began, word), ended in zip(kept, ends, strict=True):
        yield began, word, ended
