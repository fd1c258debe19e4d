"""What OCPP 2.1 adds to framing: CALLRESULTERROR (type 5) and SEND (type 6), neither of which is ever answered."""

from __future__ import annotations

import json

import pytest

from csms.events import OcppVersion
from csms.faults import Fault
from csms.frames import CallResultError, Malformed, Send, parse, result_error_text

V16 = OcppVersion.V16
V201 = OcppVersion.V201
V21 = OcppVersion.V21

STREAM = '[6,"s1","NotifyPeriodicEventStream",{"id":1,"pending":0}]'
REFUSAL = '[5,"r1","OccurrenceConstraintViolation","currentTime is missing",{}]'


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.parametrize("text", [STREAM, STREAM.encode()], ids=["text", "bytes"])
def test_send_is_read(text: str | bytes, strict: bool) -> None:
    assert parse(text, V21, strict=strict) == Send("s1", "NotifyPeriodicEventStream", {"id": 1, "pending": 0})


def test_send_without_a_payload_has_an_empty_one() -> None:
    assert parse('[6,"s1","X",null]', V21, strict=True) == Send("s1", "X", {})


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
def test_call_result_error_is_read(strict: bool) -> None:
    expected = CallResultError("r1", "OccurrenceConstraintViolation", "currentTime is missing")
    assert parse(REFUSAL, V21, strict=strict) == expected


def test_short_call_result_error_is_read_as_a_short_call_error_is() -> None:
    assert parse('[5,"r1"]', V21) == CallResultError("r1", "GenericError", "")
    assert parse('[5,"r1"]', V21, strict=True) == Malformed("wrong_length", None)


NEVER_ANSWERED = {
    "SEND without an id": ("[6]", "bad_id"),
    "SEND with an integer id": ('[6,1,"X",{}]', "bad_id"),
    "SEND with an id of 37 characters": (f'[6,"{"a" * 37}","X",{{}}]', "bad_id"),
    "SEND without an action": ('[6,"s1"]', "wrong_length"),
    "SEND with five elements": ('[6,"s1","X",{},{}]', "wrong_length"),
    "SEND with a list as action": ('[6,"s1",["X"],{}]', "bad_action"),
    "SEND with a list": ('[6,"s1","X",[]]', "bad_payload"),
    "truncated SEND": ('[6,"s1","X",{"a":1', "not_json"),
    "SEND with NaN": ('[6,"s1","X",{"a":NaN}]', "impossible_number"),
    "SEND that is too deep": ('[6,"s1","X",' + "[" * 40, "too_deep"),
    "SEND that is not UTF-8": (b'[6,"s1","X",{"a":"\xff"}]', "not_utf8"),
    "SEND as a text": ('["6","s1","X",{}]', "unknown_type"),
    "SEND as a fraction": ('[6.0,"s1","X",{}]', "unknown_type"),
    "CALLRESULTERROR without an id": ("[5]", "bad_id"),
    "CALLRESULTERROR with an integer id": ('[5,1,"X","",{}]', "bad_id"),
    "truncated CALLRESULTERROR": ('[5,"r1","X"', "not_json"),
    "CALLRESULTERROR as a text": ('["5","r1","X","",{}]', "unknown_type"),
    "CALLRESULTERROR as a fraction": ('[5.0,"r1","X","",{}]', "unknown_type"),
}


@pytest.mark.parametrize(("text", "kind"), NEVER_ANSWERED.values(), ids=NEVER_ANSWERED.keys())
def test_what_21_never_answers_is_not_answered_when_broken(text: str | bytes, kind: str) -> None:
    assert parse(text, V21) == Malformed(kind, None)


UNKNOWN_TYPES = {"0": "0", "7": "7", '"2"': '"2"', "2.0": "2.0", "true": "true", "null": "null"}


@pytest.mark.parametrize("message_type", UNKNOWN_TYPES.values(), ids=UNKNOWN_TYPES.keys())
def test_other_types_stay_unknown(message_type: str) -> None:
    expected = Malformed("unknown_type", '[4,"77","MessageTypeNotSupported","",{}]')
    assert parse(f'[{message_type},"77","Heartbeat",{{}}]', V21) == expected


@pytest.mark.parametrize("text", [STREAM, REFUSAL], ids=["SEND", "CALLRESULTERROR"])
def test_older_versions_know_neither(text: str) -> None:
    assert parse(text, V16) == Malformed("unknown_type", None)
    id = json.loads(text)[1]
    assert parse(text, V201) == Malformed("unknown_type", f'[4,"{id}","MessageTypeNotSupported","",{{}}]')


def test_result_error_is_written_like_an_error() -> None:
    text = result_error_text("a1", Fault.MISSING_FIELD, V21, "status is missing" + "x" * 300)
    assert text is not None
    assert json.loads(text) == [5, "a1", "OccurrenceConstraintViolation", ("status is missing" + "x" * 300)[:255], {}]


@pytest.mark.parametrize("version", [V16, V201])
def test_older_versions_have_no_answer_to_an_answer(version: OcppVersion) -> None:
    assert result_error_text("a1", Fault.MISSING_FIELD, version) is None
