"""Send seeded rubbish on a live session; whatever comes, it is answered or ignored, and a neighbour notices nothing."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.fuzz.effort import TIMES, seeded
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import PATIENCE_S, STATUS_16, STATUS_201, Station, dial

pytestmark = pytest.mark.row("T80")

SECONDS_EACH = 4.0 * TIMES
ACTIONS = (
    "BootNotification",
    "Heartbeat",
    "StatusNotification",
    "StartTransaction",
    "StopTransaction",
    "MeterValues",
    "TransactionEvent",
    "NotifyEvent",
    "DataTransfer",
    "Reset",
    "Nonsense",
    "",
)

KEYS = (
    "connectorId", "evseId", "status", "connectorStatus", "errorCode", "timestamp", "eventType", "seqNo", "evse", "id",
    "transactionInfo", "transactionId", "chargingState", "eventData", "component", "variable", "name", "actualValue",
    "chargingStation", "vendorName", "model", "idTag", "meterStart", "x",
)  # fmt: skip
SCALARS = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, 10**30, 1.5, 1e308, "", "Available", "Charging", "Occupied",
    "Started", "2026-11-21T10:00:00Z", "0001-01-01T00:00:00Z", "a" * 300, "\x00", "\ud800", "é" * 40,
    "AvailabilityState",
)  # fmt: skip


def value(random_: random.Random, depth: int) -> Any:
    if depth == 0 or random_.random() < 0.6:
        return random_.choice(SCALARS)
    if random_.random() < 0.3:
        return [value(random_, depth - 1) for _ in range(random_.randrange(4))]
    return {random_.choice(KEYS): value(random_, depth - 1) for _ in range(random_.randrange(6))}


def well_formed(random_: random.Random, number: int) -> str:
    payload = {random_.choice(KEYS): value(random_, 4) for _ in range(random_.randrange(8))}
    return json.dumps([2, f"f{number}", random_.choice(ACTIONS), payload])


def frame(random_: random.Random, number: int) -> str | bytes:
    text = well_formed(random_, number)
    match random_.randrange(6):
        case 0:
            return random_.randbytes(random_.randrange(200))
        case 1:
            at = random_.randrange(len(text))
            return text[:at] + chr(random_.randrange(0x20, 0x250)) + text[at + random_.randrange(3) :]
        case 2:
            return text[: random_.randrange(len(text))]
        case 3:
            return json.dumps(value(random_, 5))
        case 4:
            return json.dumps(
                [random_.choice((2, 3, 4, 5, 6, "2", None)), value(random_, 1), value(random_, 2), value(random_, 3)]
            )
        case _:
            return text


async def drain(station: Station, until: str) -> list[str]:
    """Read answers up to that id, and return the ids seen."""
    ids: list[str] = []
    while not ids or ids[-1] != until:
        ids.append((await station.receive())[1])
    return ids


@pytest.mark.parametrize(
    ("version", "status"),
    [("ocpp1.6", STATUS_16), ("ocpp2.0.1", STATUS_201), ("ocpp2.1", STATUS_201)],
    ids=["1.6", "2.0.1", "2.1"],
)
async def test_rubbish_ends_no_session_and_every_readable_call_is_answered_once(
    site_of: Callable[..., Awaitable[Site]], version: str, status: dict[str, Any]
) -> None:
    site = await site_of(messages_per_second=0)
    site.registry.add("FUZZ")
    site.registry.add("CALM")
    random_ = seeded("session")
    fuzzed = await dial(site.port, "FUZZ", offers=[version])
    calm = await dial(site.port, "CALM", offers=[version])
    number, ends_at = 0, time.monotonic() + SECONDS_EACH
    while time.monotonic() < ends_at:
        expected = []
        for _ in range(50):
            number += 1
            if random_.random() < 0.3:
                expected.append(f"f{number}")
                await fuzzed.send(well_formed(random_, number))
            else:
                await fuzzed.send(frame(random_, number + 10_000_000))
        await fuzzed.send([2, f"end{number}", "Heartbeat", {}])
        try:
            ids = await drain(fuzzed, f"end{number}")
        except ConnectionClosed as closed:
            pytest.fail(f"session ended near frame {number}: {closed}")
        assert [each for each in ids if each in set(expected)] == expected
        async with asyncio.timeout(PATIENCE_S):
            assert (await calm.call("StatusNotification", status))[0] == 3
    assert number > 500
    assert site.counter.counts["frame_failed"] == 0
    assert len(site.recorder.opened) == 2
