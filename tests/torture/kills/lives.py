"""Say for each seed when the bridge is killed, and what the world does meanwhile. Pure; the same in every run.

A seed is one life of the bridge: from its start to its `kill -9`. Twenty seeds in a row are a block, which shares its
database, its fleet and its hubs: seeds 1 to 20 run on SQLite, 21 to 40 on PostgreSQL, and so on. After it: `world`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

BLOCK = 20
"""Seeds that share a site: making one takes as long as five kills."""
DATABASES = ("sqlite", "postgresql")
_SCENARIOS = ("flapping", "busy", "outage", "restart")
_HOLDS = ("0 s", "0.3 s")


class During(StrEnum):
    """What the bridge is at when it is killed."""

    START = "start-up"
    TRAFFIC = "traffic"
    STORM = "reconnect storm"
    IMPORT = "inventory import"
    FULL_LOAD = "fullLoad"
    TEMPORARY = "temporary statuses"


_OFTEN = {
    During.START: 4,
    During.TRAFFIC: 5,
    During.STORM: 3,
    During.IMPORT: 3,
    During.FULL_LOAD: 3,
    During.TEMPORARY: 3,
}

_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "reset_after", "probability": 0.3},
    {"kind": "reset_before", "probability": 0.3},
    {"kind": "hang", "probability": 0.2},
    {"kind": "late", "probability": 0.2, "delay_s": 1.2},
    {"kind": "status", "status": 503, "retry_after": "1", "probability": 0.5},
    {"kind": "invalid_body", "body": "not_json", "probability": 0.3},
    {"kind": "down", "seconds": 0.7},
)
_FAULTY = 0.35
"""Share of the days on which a hub has one."""
_LATENCIES_S = (0.0, 0.05, 0.2, 0.4, 0.6)


@dataclass(frozen=True, slots=True)
class HubDay:
    """What one hub is like during a life."""

    latency_s: float
    fault: dict[str, Any] | None

    def __str__(self) -> str:
        """Return what a reader needs to know of it."""
        return f"{self.latency_s * 1000:.0f} ms" + (f" and {self.fault['kind']}" if self.fault else "")


@dataclass(frozen=True, slots=True)
class Life:
    """One life of the bridge, and its end."""

    seed: int
    during: During
    answers: int
    """So many reports are answered since the start, before what it is killed in begins; not in start-up."""
    delay_s: float
    """From then, or from the start of the process, to the kill."""
    hubject: HubDay
    chargeprice: HubDay

    def __str__(self) -> str:
        """Return where the kill falls, and the line that replays it."""
        begun = "the start of the process" if self.during is During.START else f"{self.answers} answers"
        return (
            f"seed {self.seed}: {self.delay_s * 1000:.0f} ms after {begun}, {self.during}, "
            f"hubject {self.hubject}, chargeprice {self.chargeprice}; make kills KILL_SEEDS={self.seed}"
        )


@dataclass(frozen=True, slots=True)
class Block:
    """Seeds that share a site."""

    number: int
    """Counts from 0; block 0 begins with seed 1."""
    seeds: tuple[int, ...]

    @property
    def database(self) -> str:
        """Which kind of database it runs on."""
        return DATABASES[self.number % len(DATABASES)]

    @property
    def scenario(self) -> str:
        """Which day its fleet has."""
        return _SCENARIOS[self.number // len(DATABASES) % len(_SCENARIOS)]

    @property
    def available_hold(self) -> str:
        """How long an Available must stand there before it counts."""
        return _HOLDS[self.number // (len(DATABASES) * len(_SCENARIOS)) % len(_HOLDS)]

    def __str__(self) -> str:
        """Return its name in the name of its test."""
        return f"block {self.number} on {self.database}"


def life(seed: int) -> Life:
    """Return the life of a seed."""
    chance = random.Random(f"kill:{seed}")
    during = chance.choices(list(_OFTEN), list(_OFTEN.values()))[0]
    longest = {During.START: 2.2, During.TRAFFIC: 0.3}.get(during, 0.4)
    return Life(
        seed,
        during,
        answers=chance.randint(0, chance.choice((10, 100, 400))),
        delay_s=chance.uniform(0, longest),
        hubject=_hub_day(chance),
        chargeprice=_hub_day(chance),
    )


def _hub_day(chance: random.Random) -> HubDay:
    fault = chance.choice(_FAULTS)
    return HubDay(chance.choice(_LATENCIES_S), fault if chance.random() < _FAULTY else None)


def blocks(seeds: Iterable[int]) -> tuple[Block, ...]:
    """Return the seeds in their blocks, in order."""
    found: dict[int, list[int]] = {}
    for seed in sorted(set(seeds)):
        found.setdefault((seed - 1) // BLOCK, []).append(seed)
    return tuple(Block(number, tuple(members)) for number, members in sorted(found.items()))


def seeds_of(text: str) -> tuple[int, ...]:
    """Return the seeds that a text such as "1-40,77" names. Raises: ValueError."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        begin, end = int(first), int(last if dash else first)
        if not 1 <= begin <= end:
            raise ValueError(f"{part!r}: seeds count from 1, as in 1-40,77")
        seeds.extend(range(begin, end + 1))
    return tuple(dict.fromkeys(seeds))
