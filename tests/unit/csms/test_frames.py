"""Framing: what is read, what is answered to what cannot be read, and how frames are written.

Rows named B… follow the list of bad input that the project keeps (facts §2.2).
"""

from __future__ import annotations

import json

import pytest

from csms.events import OcppVersion
from csms.faults import Fault, error_code
from csms.frames import (
    Call,
    CallError,
    CallResult,
    Malformed,
    call_text,
    error_text,
    parse,
    result_text,
)

V16 = OcppVersion.V16
V201 = OcppVersion.V201
V21 = OcppVersion.V21

HEARTBEAT = Call("19223201", "Heartbeat", {})


@pytest.mark.parametrize("version", [V16, V201, V21])
def test_call_of_the_standard_is_read(version: OcppVersion) -> None:
    text = '[2,"19223201","BootNotification",{"chargePointVendor":"VendorX","chargePointModel":"SingleSocketCharger"}]'
    expected = {"chargePointVendor": "VendorX", "chargePointModel": "SingleSocketCharger"}
    assert parse(text, version) == Call("19223201", "BootNotification", expected)


def test_call_result_of_the_standard_is_read() -> None:
    text = '[3,"19223201",{"status":"Accepted","currentTime":"2013-02-01T20:53:32.486Z","heartbeatInterval":300}]'
    expected = {"status": "Accepted", "currentTime": "2013-02-01T20:53:32.486Z", "heartbeatInterval": 300}
    assert parse(text, V16) == CallResult("19223201", expected)


def test_call_error_of_the_standard_is_read() -> None:
    text = '[4,"162376037","NotSupported","SetDisplayMessageRequest not implemented",{}]'
    expected = CallError("162376037", "NotSupported", "SetDisplayMessageRequest not implemented")
    assert parse(text, V201) == expected


TOLERATED = {
    "null payload": '[2,"19223201","Heartbeat",null]',
    "byte order mark": '\ufeff[2,"19223201","Heartbeat",{}]',
    "NUL at the end": '[2,"19223201","Heartbeat",{}]\x00',
    "NUL between": '[2,"19223201",\x00"Heartbeat",{}]',
    "control characters around": '\x02[2,"19223201","Heartbeat",{}]\x03\r\n',
    "line breaks and tabs": '[2,"19223201",\n"Heartbeat",\t{\n}\n]',
    "leading blanks": '  [2,"19223201","Heartbeat",{}]',
    "bytes": b'[2,"19223201","Heartbeat",{}]',
    "bytes with a byte order mark": b'\xef\xbb\xbf[2,"19223201","Heartbeat",{}]',
}


@pytest.mark.parametrize("text", TOLERATED.values(), ids=TOLERATED.keys())
def test_harmless_dirt_around_a_call_is_tolerated(text: str | bytes) -> None:
    assert parse(text, V16) == HEARTBEAT


@pytest.mark.parametrize(
    "text",
    [TOLERATED["byte order mark"], TOLERATED["NUL at the end"], TOLERATED["NUL between"]],
    ids=["byte order mark", "NUL at the end", "NUL between"],
)
def test_dirt_is_refused_when_strict(text: str) -> None:
    expected = '[4,"19223201","FormatViolation","The frame is not JSON",{}]'
    assert parse(text, V201, strict=True) == Malformed("not_json", expected)


def test_null_payload_is_an_empty_one_even_when_strict() -> None:
    assert parse('[2,"19223201","Heartbeat",null]', V201, strict=True) == HEARTBEAT


def test_raw_control_character_within_a_text_is_tolerated() -> None:
    expected = Call("1", "StatusNotification", {"info": "a\x01b"})
    assert parse('[2,"1","StatusNotification",{"info":"a\x01b"}]', V16) == expected


def test_repeated_key_keeps_its_last_value() -> None:
    assert parse('[2,"1","X",{"a":1,"a":2}]', V16) == Call("1", "X", {"a": 2})


def test_b13_repeated_key_is_refused_when_strict() -> None:
    expected = '[4,"1","FormatViolation","The frame repeats a key",{}]'
    assert parse('[2,"1","X",{"a":1,"a":2}]', V201, strict=True) == Malformed("duplicate_key", expected)


RPC = '[4,"-1","RpcFrameworkError","",{}]'
UNKNOWN_TYPE = '[4,"-1","MessageTypeNotSupported","",{}]'

# name: (text, kind, answer to 1.6, answer to 2.x)
WITHOUT_READABLE_ID = {
    "B8 empty": ("", "not_json", None, RPC),
    "B8 blank": (" \n", "not_json", None, RPC),
    "B8 only a byte order mark": ("\ufeff", "not_json", None, RPC),
    "B8 not JSON": ("hello", "not_json", None, RPC),
    "B8 truncated within the id": ('[2,"192', "not_json", None, RPC),
    "B8 not UTF-8": (b"\xff\xfe\x00", "not_utf8", None, RPC),
    "B8 id not UTF-8": (b'[2,"\xff1","X",{}]', "not_utf8", None, RPC),
    "B9 object": ("{}", "not_a_list", None, RPC),
    "B9 string": ('"x"', "not_a_list", None, RPC),
    "B9 number": ("1", "not_a_list", None, RPC),
    "B9 null": ("null", "not_a_list", None, RPC),
    "B9 empty list": ("[]", "not_a_list", None, RPC),
    "B10 10k deep": ("[" * 10_000, "too_deep", None, RPC),
    "B10 10k deep and closed": ("[" * 10_000 + "]" * 10_000, "too_deep", None, RPC),
    "B10 100k deep in objects": ('{"a":' * 100_000, "too_deep", None, RPC),
    "B15 type 0": ("[0]", "unknown_type", None, UNKNOWN_TYPE),
    "B15 type null": ("[null]", "unknown_type", None, UNKNOWN_TYPE),
    "B15 type list": ("[[2]]", "unknown_type", None, UNKNOWN_TYPE),
    "B15 type object": ("[{}]", "unknown_type", None, UNKNOWN_TYPE),
    "B16 only a type": ("[2]", "bad_id", None, RPC),
    "B17 id integer": ('[2,1,"Heartbeat",{}]', "bad_id", None, RPC),
    "B17 id null": ('[2,null,"Heartbeat",{}]', "bad_id", None, RPC),
    "B17 id list": ('[2,["1"],"Heartbeat",{}]', "bad_id", None, RPC),
    "B17 id empty": ('[2,"","Heartbeat",{}]', "bad_id", None, RPC),
}


@pytest.mark.parametrize(
    ("text", "kind", "answer_16", "answer_201"), WITHOUT_READABLE_ID.values(), ids=WITHOUT_READABLE_ID.keys()
)
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
def test_frame_without_a_readable_id(
    text: str | bytes, kind: str, answer_16: str | None, answer_201: str | None, strict: bool
) -> None:
    assert parse(text, V16, strict=strict) == Malformed(kind, answer_16)
    assert parse(text, V201, strict=strict) == Malformed(kind, answer_201)
    assert parse(text, V21, strict=strict) == Malformed(kind, answer_201)


def wrong(code: str, description: str) -> str:
    return f'[4,"77","{code}","{description}",{{}}]'


NOT_JSON = "The frame is not JSON"
NUMBER = "The frame contains a number that OCPP cannot hold"
DEEP = "The frame nests deeper than 32"
FOUR = "A CALL has four elements"
ACTION = "The action is not a string"
OBJECT = "The payload is not an object"

# name: (text, kind, code to 1.6, code to 2.x, description)
WITH_READABLE_ID = {
    "B8 truncated": ('[2,"77","X",{"a":1', "not_json", "FormationViolation", "FormatViolation", NOT_JSON),
    "B8 value missing": ('[2,"77","X",{"a":,"b":1}]', "not_json", "FormationViolation", "FormatViolation", NOT_JSON),
    "B8 leading comma": ('[2,"77","X",{"a":[,1]}]', "not_json", "FormationViolation", "FormatViolation", NOT_JSON),
    "B8 two frames": ('[2,"77","X",{}][2,"78","X",{}]', "not_json", "FormationViolation", "FormatViolation", NOT_JSON),
    "B8 payload not UTF-8": (
        b'[2,"77","X",{"info":"T\xfcr"}]',
        "not_utf8",
        "FormationViolation",
        "FormatViolation",
        "The frame is not UTF-8",
    ),
    "B10 deep payload": (
        '[2,"77","X",{"a":' + "[" * 100_000,
        "too_deep",
        "FormationViolation",
        "RpcFrameworkError",
        DEEP,
    ),
    "B10 just too deep": (
        '[2,"77","X",{"a":' + "[" * 31 + "]" * 31 + "}]",
        "too_deep",
        "FormationViolation",
        "RpcFrameworkError",
        DEEP,
    ),
    "B11 5000 digits": (
        '[2,"77","X",{"a":' + "1" * 5000 + "}]",
        "impossible_number",
        "PropertyConstraintViolation",
        "PropertyConstraintViolation",
        NUMBER,
    ),
    "B12 NaN": ('[2,"77","X",{"a":NaN}]', "impossible_number", "FormationViolation", "FormatViolation", NUMBER),
    "B12 Infinity": (
        '[2,"77","X",{"a":-Infinity}]',
        "impossible_number",
        "FormationViolation",
        "FormatViolation",
        NUMBER,
    ),
    "B12 1e400": ('[2,"77","X",{"a":1e400}]', "impossible_number", "FormationViolation", "FormatViolation", NUMBER),
    "B16 two elements": ('[2,"77"]', "wrong_length", "FormationViolation", "RpcFrameworkError", FOUR),
    "B16 three elements": ('[2,"77","Heartbeat"]', "wrong_length", "FormationViolation", "RpcFrameworkError", FOUR),
    "B16 five elements": (
        '[2,"77","Heartbeat",{},{}]',
        "wrong_length",
        "FormationViolation",
        "RpcFrameworkError",
        FOUR,
    ),
    "B18 action list": ('[2,"77",["X"],{}]', "bad_action", "FormationViolation", "RpcFrameworkError", ACTION),
    "B18 action object": ('[2,"77",{"X":1},{}]', "bad_action", "FormationViolation", "RpcFrameworkError", ACTION),
    "B18 action null": ('[2,"77",null,{}]', "bad_action", "FormationViolation", "RpcFrameworkError", ACTION),
    "payload list": ('[2,"77","X",[]]', "bad_payload", "FormationViolation", "FormatViolation", OBJECT),
    "payload string": ('[2,"77","X","{}"]', "bad_payload", "FormationViolation", "FormatViolation", OBJECT),
}


@pytest.mark.parametrize(
    ("text", "kind", "code_16", "code_201", "description"), WITH_READABLE_ID.values(), ids=WITH_READABLE_ID.keys()
)
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
def test_broken_call_with_a_readable_id_is_answered_by_that_id(
    text: str | bytes, kind: str, code_16: str, code_201: str, description: str, strict: bool
) -> None:
    assert parse(text, V16, strict=strict) == Malformed(kind, wrong(code_16, description))
    assert parse(text, V201, strict=strict) == Malformed(kind, wrong(code_201, description))
    assert parse(text, V21, strict=strict) == Malformed(kind, wrong(code_201, description))


def test_depth_32_is_read() -> None:
    nested = "[" * 30 + "]" * 30
    assert isinstance(parse('[2,"77","X",{"a":' + nested + "}]", V16), Call)


def test_brackets_within_a_text_are_not_depth() -> None:
    expected = Call("77", "X", {"a": '[{"' * 50})
    assert parse('[2,"77","X",{"a":"' + '[{\\"' * 50 + '"}]', V16) == expected


def test_many_flat_arrays_are_not_depth() -> None:
    assert parse('[2,"77","X",{"a":[' + "[],{}," * 5_000 + "[]]}]", V16) == Call(
        "77", "X", {"a": [[], {}] * 5_000 + [[]]}
    )


def test_escaped_id_is_readable_in_a_broken_frame() -> None:
    expected = '[4,"a\\"b","FormationViolation","The frame is not JSON",{}]'
    assert parse('[2,"a\\"b","X",{"a":', V16) == Malformed("not_json", expected)


UNKNOWN_TYPES = {"0": "0", "7": "7", '"2"': '"2"', "2.0": "2.0", "true": "true", "null": "null", "5": "5", "6": "6"}


@pytest.mark.parametrize("message_type", UNKNOWN_TYPES.values(), ids=UNKNOWN_TYPES.keys())
def test_b15_unknown_message_type(message_type: str) -> None:
    text = f'[{message_type},"77","Heartbeat",{{}}]'
    assert parse(text, V16) == Malformed("unknown_type", None)
    assert parse(text, V201) == Malformed("unknown_type", '[4,"77","MessageTypeNotSupported","",{}]')


@pytest.mark.parametrize("message_type", ["3.0", "4.0", '"3"', '"4"'])
def test_b34_what_was_meant_as_an_answer_is_not_answered(message_type: str) -> None:
    assert parse(f'[{message_type},"77","X","",{{}}]', V201) == Malformed("unknown_type", None)


def test_b17_id_of_36_characters_is_read() -> None:
    assert parse('[2,"' + "a" * 36 + '","Heartbeat",{}]', V201) == Call("a" * 36, "Heartbeat", {})


def test_b17_id_that_is_too_long_is_cut_for_16_and_unreadable_for_201() -> None:
    text = '[2,"' + "a" * 37 + '","Heartbeat",{}]'
    cut = '[4,"' + "a" * 36 + '","FormationViolation","The message id is longer than 36 characters",{}]'
    assert parse(text, V16) == Malformed("bad_id", cut)
    assert parse(text, V201) == Malformed("bad_id", RPC)


TOLERATED_ANSWERS = {
    "CALLRESULT with four elements": ('[3,"1",{"a":1},{}]', CallResult("1", {"a": 1})),
    "CALLRESULT with null": ('[3,"1",null]', CallResult("1", {})),
    "CALLERROR with two elements": ('[4,"1"]', CallError("1", "GenericError", "")),
    "CALLERROR with three elements": ('[4,"1","NotSupported"]', CallError("1", "NotSupported", "")),
    "CALLERROR with six elements": ('[4,"1","NotSupported","no",{},1]', CallError("1", "NotSupported", "no")),
    "CALLERROR with a null code": ('[4,"1",null,null,null]', CallError("1", "GenericError", "")),
    "CALLERROR with a long text": ('[4,"1","X","' + "a" * 300 + '",{}]', CallError("1", "X", "a" * 255)),
}


@pytest.mark.parametrize(("text", "expected"), TOLERATED_ANSWERS.values(), ids=TOLERATED_ANSWERS.keys())
def test_answer_with_the_wrong_number_of_elements_still_ends_its_request(
    text: str, expected: CallResult | CallError
) -> None:
    assert parse(text, V16) == expected


@pytest.mark.parametrize("text", ['[3,"1",{},{}]', '[4,"1","NotSupported"]'])
def test_answer_with_the_wrong_number_of_elements_is_refused_when_strict(text: str) -> None:
    assert parse(text, V16, strict=True) == Malformed("wrong_length", None, "1")


GRIZZL_E = "f6b115bc-5fee-4c85-bff1-49eea158e49e"

NEVER_ANSWERED = {
    "CALLRESULT without an id": ("[3]", "bad_id", None),
    "CALLRESULT with an integer id": ("[3,1,{}]", "bad_id", None),
    "CALLRESULT without a payload": ('[3,"1"]', "wrong_length", "1"),
    "CALLRESULT with a list": ('[3,"1",[]]', "bad_payload", "1"),
    "CALLERROR without an id": ("[4]", "bad_id", None),
    "CALLERROR with an object as id": ('[4,{},"X","",{}]', "bad_id", None),
    "truncated CALLRESULT": (f'[3,"{GRIZZL_E}",{{"configurationKey":[]', "not_json", GRIZZL_E),
    "truncated CALLERROR": ('[4,"1","X"', "not_json", "1"),
    "CALLERROR with NaN": ('[4,"1","X","",{"a":NaN}]', "impossible_number", "1"),
    "CALLRESULT that ends in its id": ('[3,"1', "not_json", None),
    "CALLRESULT with too long an id": ('[3,"' + "1" * 37 + '",{', "not_json", None),
    "CALLRESULT that is too deep": ('[3,"1",' + "[" * 40, "too_deep", "1"),
}


@pytest.mark.parametrize(("text", "kind", "answers"), NEVER_ANSWERED.values(), ids=NEVER_ANSWERED.keys())
@pytest.mark.parametrize("version", [V16, V201, V21])
def test_b34_broken_answer_is_never_answered_and_says_which_call_it_ends(
    text: str, kind: str, answers: str | None, version: OcppVersion
) -> None:
    assert parse(text, version) == Malformed(kind, None, answers)


# OCPP-J 1.6 §4.2.3; OCPP 2.0.1 and 2.1 Part 4 §4.3.
ERROR_CODES = {
    Fault.NOT_IMPLEMENTED: ("NotImplemented", "NotImplemented"),
    Fault.NOT_SUPPORTED: ("NotSupported", "NotSupported"),
    Fault.INTERNAL: ("InternalError", "InternalError"),
    Fault.MISSING_FIELD: ("ProtocolError", "OccurrenceConstraintViolation"),
    Fault.MALFORMED_STRUCTURE: ("FormationViolation", "ProtocolError"),
    Fault.NOT_RPC: ("GenericError", "RpcFrameworkError"),
    Fault.UNKNOWN_TYPE: ("GenericError", "MessageTypeNotSupported"),
    Fault.SYNTACTIC: ("FormationViolation", "FormatViolation"),
    Fault.PROPERTY_CONSTRAINT: ("PropertyConstraintViolation", "PropertyConstraintViolation"),
    Fault.OCCURRENCE: ("OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
    Fault.TYPE_CONSTRAINT: ("TypeConstraintViolation", "TypeConstraintViolation"),
    Fault.SECURITY: ("SecurityError", "SecurityError"),
    Fault.GENERIC: ("GenericError", "GenericError"),
}


@pytest.mark.parametrize("fault", Fault)
def test_each_version_spells_its_own_error_codes(fault: Fault) -> None:
    assert (error_code(fault, V16), error_code(fault, V201)) == ERROR_CODES[fault]
    assert error_code(fault, V21) == ERROR_CODES[fault][1]


def test_call_is_written_compactly() -> None:
    payload = {"requestedMessage": "StatusNotification", "connectorId": 1}
    expected = '[2,"a1","TriggerMessage",{"requestedMessage":"StatusNotification","connectorId":1}]'
    assert call_text("a1", "TriggerMessage", payload) == expected


def test_result_is_written_compactly() -> None:
    assert result_text("a1", {}) == '[3,"a1",{}]'
    assert result_text("a1", {"status": "Accepted", "interval": 300}) == '[3,"a1",{"status":"Accepted","interval":300}]'


def test_error_has_empty_details_and_a_description_of_at_most_255_characters() -> None:
    assert json.loads(error_text("a1", Fault.INTERNAL, V16, "x" * 300)) == [4, "a1", "InternalError", "x" * 255, {}]


def test_written_frames_are_ascii_whatever_the_id_is() -> None:
    nasty = 'ü"\\\ud800\x00'
    for text in (result_text(nasty, {}), error_text(nasty, Fault.GENERIC, V201), call_text(nasty, "X", {})):
        assert text.isascii()
        assert json.loads(text)[1] == nasty
