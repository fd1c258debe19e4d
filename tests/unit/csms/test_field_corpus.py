"""Frames seen in the field: each is read, its status taken, and what is broken is broken in the way that we know.

The corpus says itself, per line, what a correct reader makes of it (`frame`); the tables here are literals by line
number, counted from 0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from csms.events import Epoch, OcppVersion, StationId, StatusReported
from csms.frames import Call, CallResult, Malformed, parse
from csms.translation import Translated
from csms.v16.translate import translate

CORPUS = Path(__file__).parents[2] / "corpus" / "field-frames.jsonl"
LINES: list[dict[str, Any]] = [json.loads(line) for line in CORPUS.read_text().splitlines()]
FROM_STATIONS = [number for number, line in enumerate(LINES) if line["direction"] == "cp->cs"]

# line: (kind, answer)
BROKEN = {
    49: ("not_json", None),
    51: ("not_json", '[4,"1000000","FormationViolation","The frame is not JSON",{}]'),
}

# line: (connector, status, errorCode, timestamp)
STATUSES = {
    0: (1, "Faulted", "OverVoltage", "2023-04-05T10:19:38.000Z"),
    2: (1, "Faulted", "", "2023-04-05T10:20:15.000Z"),
    7: (1, "Preparing", "", "2026-06-17T05:46:32Z"),
    16: (1, "SuspendedEVSE", "", "2024-07-10T18:23:03Z"),
    22: (0, "Faulted", "OtherError", "2022-01-31T14:44:28Z"),
    24: (0, "Available", "", ""),
    26: (1, "Preparing", "", ""),
    46: (1, "Charging", "", "2021-10-08T14:47:20.001Z"),
    50: (0, "Available", "", "0001-01-01T00:00:00Z"),
    53: (0, "Available", "", "1970-01-01T00:00:00.740Z"),
    54: (1, "Available", "", "1970-01-01T00:00:00.750Z"),
    57: (0, "Available", "", ""),
    60: (0, "Unavailable", "", ""),
    65: (0, "Available", "", "2024-09-03T06:25:55.199Z"),
    67: (1, "Available", "", "2024-09-03T06:25:55.409Z"),
    69: (1, "Preparing", "", "2024-05-10T09:06:00Z"),
    85: (2, "Preparing", "", "2024-04-26T14:35:02+02"),
}


def test_corpus_is_the_one_that_the_tables_count() -> None:
    assert len(LINES) == 86
    assert len(FROM_STATIONS) == 49
    assert {line["version"] for line in LINES} == {"1.6"}
    assert {number for number in FROM_STATIONS if LINES[number]["frame"] is None} == BROKEN.keys()
    status = "StatusNotification"
    sent = {number for number in FROM_STATIONS if LINES[number]["frame"] and status in LINES[number]["frame"]}
    assert sent == STATUSES.keys()


@pytest.mark.parametrize("number", [number for number in FROM_STATIONS if number not in BROKEN])
def test_frame_of_a_station_is_read_as_it_was_meant(number: int) -> None:
    message_type, *rest = LINES[number]["frame"]
    expected = {2: Call, 3: CallResult}[message_type](*rest)
    assert parse(LINES[number]["raw"], OcppVersion.V16) == expected
    assert parse(LINES[number]["raw"].encode(), OcppVersion.V16) == expected


@pytest.mark.parametrize("number", BROKEN)
def test_broken_frame_of_a_station_is_counted_and_answered_where_it_can_be(number: int) -> None:
    kind, answer = BROKEN[number]
    answers = "f6b115bc-5fee-4c85-bff1-49eea158e49e" if number == 49 else None
    assert parse(LINES[number]["raw"], OcppVersion.V16) == Malformed(kind, answer, answers)


@pytest.mark.parametrize("number", STATUSES)
def test_status_of_a_station_is_taken(number: int) -> None:
    call = parse(LINES[number]["raw"], OcppVersion.V16)
    assert isinstance(call, Call)
    result = translate(call.action, call.payload, station=StationId("S"), epoch=Epoch(1), strict=False)
    assert isinstance(result, Translated)
    (event,) = result.events
    assert isinstance(event, StatusReported)
    assert (event.connector, event.status, event.error_code, event.reported_at) == STATUSES[number]


@pytest.mark.parametrize("number", [number for number in FROM_STATIONS if number not in BROKEN])
def test_no_request_of_a_station_is_rejected(number: int) -> None:
    call = parse(LINES[number]["raw"], OcppVersion.V16)
    if isinstance(call, Call):
        result = translate(call.action, call.payload, station=StationId("S"), epoch=Epoch(1), strict=False)
        assert isinstance(result, Translated)
