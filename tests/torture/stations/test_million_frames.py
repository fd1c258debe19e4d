"""A million damaged frames: each is read or malformed, and each request gets exactly one legal answer.

TORTURE_FRAMES and TORTURE_SEED say how many and which; the same ones give the same frames. Hypothesis looks for the
strange in tests/fuzz; this is about number: real messages of every version, cut, doubled and mixed.
"""

from __future__ import annotations

import json
import random

import pytest

from csms.events import OcppVersion
from csms.frames import Call, Malformed, parse
from tests.catalogue.recording import Tally
from tests.fuzz.test_frames_fuzz import assert_answered, check_answer
from tests.torture.stations.devices import BOOT_201, event201, status16, status201
from tests.torture.stations.effort import FRAMES, seed

SEED = seed(80)
VERSIONS = list(OcppVersion)

MESSAGES = [
    ("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1.0"}),
    ("BootNotification", BOOT_201),
    ("StatusNotification", status16(1, "Charging", timestamp="2026-11-26T03:00:00Z", info="x", vendorErrorCode="E1")),
    ("StatusNotification", status201(1, 1, "Occupied")),
    ("NotifyEvent", event201(1, 1, "Faulted")),
    ("StartTransaction", {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "1970-01-01T00:00:00Z"}),
    ("Heartbeat", {}),
    ("DataTransfer", {"vendorId": "V", "data": [1, None, {"a": [True]}]}),
    (
        "TransactionEvent",
        {
            "eventType": "Started",
            "timestamp": "2026-11-26T03:00:00Z",
            "triggerReason": "CablePluggedIn",
            "seqNo": 0,
            "transactionInfo": {"transactionId": "t", "chargingState": "Charging"},
            "evse": {"id": 1, "connectorId": 1},
        },
    ),
]
PIECES = ["", "[", "]", "{", "}", '"', ",", ":", "\\", "\x00", "\ufeff", "NaN", "1e999", "-0", "9" * 30, "null", "true"]
PIECES += ["\\ud800", "\u2028", '"status"', '"Available"', "[2,", "[3,", "2147483648", '"1970-01-01T00:00:00Z"']


def damaged(chance: random.Random) -> str:
    """Return a frame with up to four slices cut out, doubled, or replaced by a piece."""
    action, payload = chance.choice(MESSAGES)
    kind = chance.choice([2, 2, 2, 2, 3, 4, 5, 6])
    text = json.dumps([kind, f"id-{chance.randrange(1000)}", action, payload])
    for _ in range(chance.randint(0, 4)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.randrange(12))
        text = text[:start] + chance.choice([chance.choice(PIECES), text[start:end] * 2]) + text[end:]
    return text


def answered(text: str, version: OcppVersion, *, strict: bool) -> bool:
    """Check what the frame is answered with; tell whether it was a request."""
    frame = parse(text, version, strict=strict)
    if isinstance(frame, Call):
        assert_answered(frame, version, strict)
        return True
    if isinstance(frame, Malformed):
        check_answer(frame.answer, version)
    return False


@pytest.mark.row("T80")
@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(20_000, id="20000"),
        pytest.param(FRAMES, id="a-million", marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
)
def test_every_damaged_frame_is_read_or_malformed_and_every_request_answered_once(frames: int, tally: Tally) -> None:
    chance, requests = random.Random(SEED), 0
    for number in range(frames):
        text, version, strict = damaged(chance), chance.choice(VERSIONS), chance.random() < 0.2
        try:
            requests += answered(text, version, strict=strict)
        except Exception as error:
            raise AssertionError(
                f"frame {number} of seed {SEED}, {version.value}, strict={strict}: {text!r}"
            ) from error
    assert frames / 10 < requests < frames, "some of both"
    tally.seed(SEED)
    tally.count(hostile=frames)
