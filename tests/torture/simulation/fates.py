"""Let things happen to a world: kills, faults of hubs, storage and clocks, operators' orders. All by its seed.

Each is a coroutine that a run lives with until its end (`World.run`), and that draws from chances of its own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

from bridge.core.model import TemporaryKind
from bridge.web.services import ServiceError
from tests.torture.simulation.operators import Operator
from tests.torture.simulation.oracle import Timeliness
from tests.torture.simulation.world import Point, World

Fate = Callable[[World], Coroutine[Any, Any, None]]

PASSING: tuple[Mapping[str, Any], ...] = (
    {"kind": "down"},
    {"kind": "hang"},
    {"kind": "hang", "applied": True},
    {"kind": "reset_before", "probability": 0.5},
    {"kind": "reset_after", "probability": 0.5},
    {"kind": "late", "delay_s": 20.0, "probability": 0.5},
    {"kind": "late", "delay_s": 70.0, "probability": 0.5},
    {"kind": "latency", "delay_s": 4.0},
    {"kind": "latency", "delay_s": 14.0},
    {"kind": "invalid_body", "body": "html"},
    {"kind": "invalid_body", "body": "empty"},
    {"kind": "invalid_body", "body": "not_json"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502, "applied": True},
    {"kind": "status", "status": 503, "retry_after": "120"},
    {"kind": "status", "status": 503, "retry_after": "soon"},
    {"kind": "rate_limit", "retry_after": "30"},
    {"kind": "rate_limit"},
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 403},
)
"""Faults of a hub that are over when they end: nothing but backoff and doubt is left of them."""


def kills(mean_s: float) -> Fate:
    """Kill the process at moments that have nothing to do with what it does."""

    async def live(world: World) -> None:
        moments = world.chance("kills")
        while True:
            await asyncio.sleep(moments.expovariate(1 / mean_s))
            world.kill()

    return live


def deaths(mean_s: float, *points: Point) -> Fate:
    """Kill the process at the moments worth aiming at, one after the other."""

    async def live(world: World) -> None:
        moments = world.chance("deaths")
        while True:
            await asyncio.sleep(moments.expovariate(1 / mean_s))
            world.armed[moments.choice(points or tuple(Point))] = moments.randint(1, 4)

    return live


def hub_faults(mean_s: float, longest_s: float = 3600.0, faults: tuple[Mapping[str, Any], ...] = PASSING) -> Fate:
    """Let either hub have one of these faults for a while, again and again."""

    async def live(world: World) -> None:
        moments = world.chance("hub faults")
        while True:
            await asyncio.sleep(moments.expovariate(1 / mean_s))
            world.script(
                moments.choice(sorted(world.hubs)), seconds=moments.uniform(1.0, longest_s), **moments.choice(faults)
            )

    return live


def storage_faults(mean_s: float, longest_s: float = 120.0) -> Fate:
    """Let commits fail for a while, as a full disk or another process's lock makes them."""

    async def live(world: World) -> None:
        moments = world.chance("storage")
        while True:
            await asyncio.sleep(moments.expovariate(1 / mean_s))
            why = moments.choice(("database or disk is full", "database is locked"))
            world.note(f"commits fail: {why}")
            world.tally["faults"] += 1
            world.storage_fails = lambda why=why: why
            await asyncio.sleep(moments.uniform(0.5, longest_s))
            world.storage_fails = lambda: None
            world.note("commits succeed again")

    return live


def clock_steps(mean_s: float) -> Fate:
    """Let the wall clock jump by minutes, hours or ten years, and back."""

    async def live(world: World) -> None:
        moments = world.chance("clock")
        while True:
            await asyncio.sleep(moments.expovariate(1 / mean_s))
            by = timedelta(seconds=moments.choice((-3600, 3600, 90, -90, 7 * 3600, 315_576_000)))
            world.step_wall_clock(by)
            await asyncio.sleep(moments.expovariate(1 / mean_s))
            world.step_wall_clock(-by)

    return live


def temporary_statuses(mean_s: float) -> Fate:
    """Let an operator create temporary statuses, for now and for later, change some and remove some."""

    async def live(world: World) -> None:
        moments, operator, numbers = world.chance("temporary"), Operator(world), list[int]()
        while True:
            await asyncio.sleep(moments.expovariate(1 / mean_s))
            what = moments.random()
            try:
                if numbers and what < 0.3:
                    await operator.remove(numbers.pop(moments.randrange(len(numbers))))
                elif numbers and what < 0.4:
                    ends = world.wall() + timedelta(seconds=moments.uniform(5, 7200))
                    await operator.end_at(moments.choice(numbers), ends)
                else:
                    numbers += await _create(world, operator, moments) or ()
            except ServiceError as error:
                world.note(f"an order was refused: {error}")

    return live


def retries(mean_s: float) -> Fate:
    """Let an operator have parked rows sent at once, whatever else happens to them."""

    async def live(world: World) -> None:
        moments, operator = world.chance("retries"), Operator(world)
        while True:
            await asyncio.sleep(moments.expovariate(1 / mean_s))
            evse_id = moments.choice(sorted(world.evidence.courses))
            world.tally["retries"] += await operator.retry(evse_id, moments.choice(sorted(world.hubs)))

    return live


async def _create(world: World, operator: Operator, moments: random.Random) -> tuple[int, ...] | None:
    begins = world.wall() + timedelta(seconds=moments.choice((0, 0, 60, 3600)))
    ends = moments.choice((None, begins + timedelta(seconds=moments.uniform(5, 7200))))
    evse_id = moments.choice(sorted(world.evidence.courses))
    return await operator.create(moments.choice(list(TemporaryKind)), evse_id, begins=begins, ends=ends)


def timely(within_s: float = 2.0, longest_s: float = 30.0) -> Fate:
    """Look on: temporary statuses must begin and end within so many seconds of when they should (I10).

    Looks at their moments, a little later, and at least every `longest_s`; a process that is down, or that cannot
    store, has as long after its return.
    """

    async def live(world: World) -> None:
        watch = Timeliness(within_s)
        while True:
            await asyncio.sleep(world.stands_still_s)
            now, at = world.wall(), world.time_s()
            if world.serving and world.storage_fails() is None:
                found = watch.look(at, world.evidence.temporaries(now), world.evidence.shown())
                world.evidence.wrong += [f"{world.time_s():.1f}: {what}" for what in found]
            else:
                watch.interrupted()
            due = world.evidence.next_temporary(now)
            pause = longest_s if due is None else min(longest_s, (due - now).total_seconds() + 0.001)
            await asyncio.sleep(pause if watch.settled(at) else min(pause, within_s + 0.1))

    return live
