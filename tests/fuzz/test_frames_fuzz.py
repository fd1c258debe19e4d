"""Whatever a station sends, nothing escapes, and a request with a readable id gets exactly one legal answer.

The examples are the same in each run (derandomized); the bounds keep the file under about 20 seconds.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms import schemas
from csms.events import (
    Epoch,
    OcppVersion,
    Receipt,
    StationBooted,
    StationId,
    StatusReported,
    TransactionReported,
)
from csms.faults import Fault, error_code
from csms.frames import Call, Frame, Malformed, error_text, parse, result_text
from csms.replies import IdTagPolicy, LocalReplies, ReplyOptions, answerable
from csms.translation import Rejected
from csms.v16 import translate as v16
from csms.v21 import translate as v21
from csms.v201 import translate as v201

TRANSLATE = {OcppVersion.V16: v16.translate, OcppVersion.V201: v201.translate, OcppVersion.V21: v21.translate}
REPLIES = LocalReplies(
    lambda: datetime(2026, 11, 20, 12, tzinfo=UTC),
    ReplyOptions(id_tags=IdTagPolicy.LIST, id_tag_list=frozenset({"A"})),
)
CODES = {version: {error_code(fault, version) for fault in Fault} for version in OcppVersion}


def bounded(examples: int) -> settings:
    return settings(max_examples=examples, derandomize=True, database=None, deadline=None)


versions = st.sampled_from(list(OcppVersion))
words = st.sampled_from(
    [
        "Available",
        "occupied",
        "Faulted",
        "Foo",
        "1",
        "-1",
        "Charging",
        "Connector",
        "EVSE",
        "AvailabilityState",
        "Ended",
    ]
)
numbers = st.sampled_from([0, 1, 2, -1, 64, 65, 2**31, 2**63, 1.0, 1.5, -0.0])
anything = st.characters()  # unpaired surrogates too, which JSON can escape
leaves = st.none() | st.booleans() | numbers | words | st.text(anything, max_size=80)
names = st.sampled_from(
    sorted(
        {
            "connectorId", "errorCode", "status", "info", "timestamp", "vendorErrorCode", "connectorStatus", "evseId",
            "eventData", "component", "variable", "actualValue", "name", "evse", "id", "transactionInfo", "seqNo",
            "transactionId", "chargingState", "eventType", "offline", "idToken", "idTag", "chargingStation", "model",
            "chargePointVendor", "STATUS", "ConnectorID", "certificateStatusRequests", "vatNumber",
        }
    )
)  # fmt: skip
objects = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names | st.text(anything, max_size=5), inner, max_size=7)
    ),
    max_leaves=12,
)
payloads = st.dictionaries(names, objects, max_size=8)
actions = st.sampled_from(
    [
        "StatusNotification",
        "NotifyEvent",
        "TransactionEvent",
        "BootNotification",
        "StartTransaction",
        "MeterValues",
        "Authorize",
        "StopTransaction",
        "TriggerMessage",
        "GetCertificateChainStatus",
        "VatNumberValidation",
        "Foo",
        "",
    ]
)
calls = st.tuples(st.just(2), st.text(anything, min_size=1, max_size=36), actions, payloads)
frames = st.one_of(
    calls,
    st.tuples(st.sampled_from([2, 3, 4, 5, 6, "2", 2.0, True, None]), leaves, objects, objects),
    st.lists(objects, max_size=6),
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A frame as text with a few slices cut out, doubled or replaced."""
    text = json.dumps(draw(frames), ensure_ascii=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 8)))
        text = (
            text[:start]
            + draw(st.sampled_from(["", text[start:end] * 2, "[", '"', "\x00", "NaN", "9" * 30]))
            + text[end:]
        )
    return text


def check_answer(text: str | None, version: OcppVersion) -> None:
    if text is None:
        return
    assert text.isascii()
    answer = json.loads(text)
    assert [type(part) for part in answer] == [int, str, str, str, dict]
    assert answer[0] == 4
    assert len(answer[1]) <= 36
    assert answer[2] in CODES[version]
    assert len(answer[3]) <= 255
    assert answer[4] == {}


@given(st.binary(max_size=300), versions, st.booleans())
@bounded(2_000)
def test_any_bytes_are_read_or_malformed(data: bytes, version: OcppVersion, strict: bool) -> None:
    frame = parse(data, version, strict=strict)
    assert isinstance(frame, Frame)
    if isinstance(frame, Malformed):
        check_answer(frame.answer, version)


@given(st.text(anything, max_size=300), versions, st.booleans())
@bounded(2_000)
def test_any_text_is_read_or_malformed(text: str, version: OcppVersion, strict: bool) -> None:
    frame = parse(text, version, strict=strict)
    assert isinstance(frame, Frame)
    if isinstance(frame, Malformed):
        check_answer(frame.answer, version)


@given(damaged(), versions, st.booleans())
@bounded(1_000)
def test_damaged_frame_is_read_or_malformed(text: str, version: OcppVersion, strict: bool) -> None:
    frame = parse(text, version, strict=strict)
    if isinstance(frame, Malformed):
        check_answer(frame.answer, version)
    elif isinstance(frame, Call):
        assert_answered(frame, version, strict)


@given(st.sampled_from([5, 6]), st.lists(objects, max_size=5), st.integers(0, 40), st.booleans())
@bounded(1_000)
def test_what_21_only_sends_is_never_answered(kind: int, rest: list[Any], cut: int, strict: bool) -> None:
    text = json.dumps([kind, *rest])
    for shown in (text, text[: max(len(text) - cut, 3)]):  # "[6," or "[6]" at the least
        frame = parse(shown, OcppVersion.V21, strict=strict)
        assert not isinstance(frame, Call)
        assert not isinstance(frame, Malformed) or frame.answer is None


@given(st.sampled_from('[{"'), st.integers(0, 5_000), versions)
@bounded(200)
def test_any_depth_is_read_or_malformed(mark: str, depth: int, version: OcppVersion) -> None:
    frame = parse('[2,"1","X",' + ("[" if mark == "[" else '{"a":') * depth, version)
    assert isinstance(frame, Malformed)
    assert frame.answer is not None
    check_answer(frame.answer, version)


def answers(call: Call, version: OcppVersion, strict: bool) -> list[str]:
    """Answer one request as a session does."""
    fault = answerable(version, call.action)
    if fault is not None:
        return [error_text(call.id, fault, version)]
    result = TRANSLATE[version](call.action, call.payload, station=StationId("S"), epoch=Epoch(1), strict=strict)
    if isinstance(result, Rejected):
        return [error_text(call.id, result.fault, version, result.description)]
    assert len(result.notes) <= 12
    for event in result.events:
        check_event(event)
    receipt = Receipt(1, transaction_id=1)
    return [result_text(call.id, REPLIES.reply(version, call.action, call.payload, receipt))]


def assert_answered(call: Call, version: OcppVersion, strict: bool) -> None:
    (text,) = answers(call, version, strict)
    assert text.isascii()
    answer = json.loads(text)
    assert answer[1] == call.id
    if answer[0] == 4:
        check_answer(text, version)
        return
    assert answer[0] == 3
    assert len(answer) == 3
    assert schemas.problems(version, call.action, answer[2], "response") is None


def check_event(event: Any) -> None:
    """Everything that an event holds fits any store: bounded, printable, valid UTF-8."""
    texts: list[str] = []
    match event:
        case StatusReported():
            assert 0 <= event.evse <= 64
            assert 0 <= event.connector <= 64
            assert max(len(event.reported_at), len(event.error_code)) <= 64
            texts = [event.reported_at, event.error_code, event.vendor_error_code, event.info]
        case TransactionReported():
            assert 0 <= event.seq_no < 2**31
            assert event.evse is None or 1 <= event.evse <= 64
            texts = [event.reported_at, event.transaction]
        case StationBooted():
            texts = [event.vendor, event.model, event.serial, event.firmware]
    for text in texts:
        assert len(text) <= 256
        assert text.isprintable()
        text.encode()


@given(calls, versions, st.booleans())
@bounded(1_000)
def test_request_with_a_readable_id_gets_exactly_one_legal_answer(
    frame: tuple[int, str, str, dict[str, Any]], version: OcppVersion, strict: bool
) -> None:
    call = parse(json.dumps(frame), version, strict=strict)
    assert isinstance(call, Call)
    assert call.id == frame[1]
    assert_answered(call, version, strict)


@given(st.text(anything, max_size=50), st.sampled_from(Fault), versions, st.text(anything, max_size=400))
@bounded(1_000)
def test_error_text_is_always_json_of_five_elements(
    id: str, fault: Fault, version: OcppVersion, description: str
) -> None:
    answer = json.loads(error_text(id, fault, version, description))
    assert answer == [4, id, error_code(fault, version), description[:255], {}]


@pytest.mark.parametrize("version", OcppVersion)
def test_id_of_every_truncation_is_answered_once_it_is_complete(version: OcppVersion) -> None:
    text = '[2,"a1b2","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]'
    for end in range(len('[2,"a1b2"'), len(text)):
        frame = parse(text[:end], version)
        assert isinstance(frame, Malformed)
        assert frame.answer is not None
        assert json.loads(frame.answer)[1] == "a1b2"
