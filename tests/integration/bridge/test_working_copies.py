"""Prove that the writer's working copies never differ from what is stored, whatever wrote it and whatever failed."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from datetime import timedelta

import pytest
from tests_bridge import STATIONS, FakeUpstream

from bridge.core.model import Accepted, Deferred, Refused
from bridge.core.temporary import TemporaryRefused
from bridge.store.stations import read_stations
from bridge.store.working_copies import copies_of
from csms.events import (
    ChargingState,
    OcppVersion,
    ReportedStatus,
    ResyncEnded,
    ResyncFinished,
    ResyncOutcome,
    StationId,
    StatusReported,
    TransactionPhase,
    TransactionReported,
)
from csms.ports import EventRefused, NotRecorded, Superseded

V201 = OcppVersion.V201
WORDS = ("Available", "Preparing", "Charging", "Faulted", "Reserved", "Unavailable")


def compare(conn, asked):
    """Compare every copy with a fresh reading, in the writer's own transaction."""
    copies = copies_of(conn).kept()
    fresh = read_stations(conn, list(copies)) if copies else {}
    assert copies == fresh
    return [len(copies)] * len(asked)


async def step(bridge, rng: random.Random, epochs: dict[str, int], numbers: list[int]) -> None:
    """Do one thing that a day may bring."""
    name = rng.choice(("one", "two"))
    version, evse = (OcppVersion.V16, 0) if name == "one" else (V201, rng.choice((1, 2)))
    connector = rng.choice((0, 1, 2))
    if name not in epochs or rng.random() < 0.05:
        epochs[name] = await bridge.connect(name, version)
    epoch, station = epochs[name], StationId(name)
    match rng.randrange(12):
        case 0 | 1 | 2:
            await bridge.report(name, epoch, connector, rng.choice(WORDS), evse=evse, version=version)
        case 3:
            await bridge.boot(name, epoch)
        case 4 if name == "two":
            state, phase = rng.choice(list(ChargingState)), rng.choice(list(TransactionPhase))
            event = TransactionReported(
                station, epoch, V201, evse, 1, f"t{rng.randrange(3)}", rng.randrange(9), phase, state, offline=False
            )
            await bridge.intake.record(event)
        case 5:
            await bridge.intake.record(ResyncEnded(station, epoch, evse, 1, rng.choice(list(ResyncOutcome))))
            await bridge.intake.record(ResyncFinished(station, epoch))
        case 6:
            poison = StatusReported(station, epoch, version, evse, 2**70, ReportedStatus.AVAILABLE)
            good = bridge.report(name, epoch, 1, rng.choice(WORDS), evse=evse, version=version)
            await asyncio.gather(bridge.intake.record(poison), good, return_exceptions=True)
        case 7:
            bridge.prober.open.clear()
            bridge.clock.pass_(minutes=rng.choice((0.02, 1, 16)))
            await bridge.ticker.tick()
        case 8 | 9:
            begins = bridge.clock.now + timedelta(minutes=rng.choice((-30, -1, 1, 30)))
            ends = rng.choice((None, begins + timedelta(minutes=rng.choice((31, 60)))))
            kind, enforce = rng.choice(("MAINTENANCE", "BLOCKED")), rng.random() < 0.5
            ids = rng.sample(("DE*ABC*E1*1", "DE*ABC*E2*1", "DE*ABC*E2*2"), 2)
            numbers += await bridge.temporary(*ids, kind=kind, begins=begins, ends=ends, enforce=enforce)
        case 10 if numbers:
            number = numbers.pop(rng.randrange(len(numbers)))
            if rng.random() < 0.5:
                await bridge.remove_temporaries(number)
            else:
                await bridge.change_temporary(number, valid_to=rng.choice((None, bridge.clock.now)))
        case 11:
            # The wall clock steps, by more than the day for which ended temporary statuses stay loaded too.
            bridge.clock.now += timedelta(hours=rng.choice((-30, -1, 1, 30)))
            bridge.clock.steady += timedelta(minutes=10)
            await bridge.ticker.tick()
        case _:
            await bridge.import_(STATIONS.replace("s1,p1", f"s1,p{rng.randrange(9)}"))


@pytest.mark.parametrize("seed", range(3))
async def test_copies_equal_what_is_stored_after_everything_that_a_day_brings(bridge, seed: int) -> None:
    rng = random.Random(seed)
    answers = (Accepted(), Deferred("503"), Deferred("timeout", in_doubt=True), Refused("604"))
    upstream = FakeUpstream(answer=lambda _: rng.choice(answers))
    lane = bridge.lane(upstream)
    serving = asyncio.create_task(lane.run())
    epochs: dict[str, int] = {}
    numbers: list[int] = []
    compared = 0
    for _ in range(160):
        with suppress(EventRefused, Superseded, NotRecorded, TemporaryRefused):
            await step(bridge, rng, epochs, numbers)
        bridge.clock.pass_(seconds=rng.choice((0, 1, 5)))
        compared += await bridge.writer.submit(compare, None)
    lane.stop()
    await asyncio.wait_for(serving, 5)
    assert compared > 50
    assert numbers
    assert upstream.pushed
