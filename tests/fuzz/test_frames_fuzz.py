"""Whatever a station sends, nothing escapes, and a request with a readable id gets exactly one legal answer.

In the short run the examples are the same each time, and the file takes about 20 seconds.
"""

from __future__ import annotations

import json
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
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
from tests.fuzz.effort import examples
from tests.fuzz.messages import anything, calls, damaged, objects

pytestmark = pytest.mark.row("T80")

TRANSLATE = {OcppVersion.V16: v16.translate, OcppVersion.V201: v201.translate, OcppVersion.V21: v21.translate}
REPLIES = LocalReplies(
    lambda: datetime(2026, 11, 20, 12, tzinfo=UTC),
    ReplyOptions(id_tags=IdTagPolicy.LIST, id_tag_list=frozenset({"A"})),
)

CODES = {version: {error_code(fault, version) for fault in Fault} for version in OcppVersion}

versions = st.sampled_from(list(OcppVersion))


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
@examples(2_000)
def test_any_bytes_are_read_or_malformed(data: bytes, version: OcppVersion, strict: bool) -> None:
    frame = parse(data, version, strict=strict)
    assert isinstance(frame, Frame)
    if isinstance(frame, Malformed):
        check_answer(frame.answer, version)


@given(st.text(anything, max_size=300), versions, st.booleans())
@examples(2_000)
def test_any_text_is_read_or_malformed(text: str, version: OcppVersion, strict: bool) -> None:
    frame = parse(text, version, strict=strict)
    assert isinstance(frame, Frame)
    if isinstance(frame, Malformed):
        check_answer(frame.answer, version)


@given(damaged(), versions, st.booleans())
@examples(1_000)
def test_damaged_frame_is_read_or_malformed(text: str, version: OcppVersion, strict: bool) -> None:
    frame = parse(text, version, strict=strict)
    if isinstance(frame, Malformed):
        check_answer(frame.answer, version)
    elif isinstance(frame, Call):
        assert_answered(frame, version, strict)


@given(st.sampled_from([5, 6]), st.lists(objects, max_size=5), st.integers(0, 40), st.booleans())
@examples(1_000)
def test_what_21_only_sends_is_never_answered(kind: int, rest: list[Any], cut: int, strict: bool) -> None:
    text = json.dumps([kind, *rest])
    for shown in (text, text[: max(len(text) - cut, 3)]):  # "[6," or "[6]" at the least
        frame = parse(shown, OcppVersion.V21, strict=strict)
        assert not isinstance(frame, Call)
        assert not isinstance(frame, Malformed) or frame.answer is None


@given(st.sampled_from('[{"'), st.integers(0, 5_000), versions)
@examples(200)
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
    reply = at_once(REPLIES.reply(StationId("S"), version, call.action, call.payload, receipt))
    return [result_text(call.id, reply)]


def at_once(answering: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """Return what is awaited, which must not wait."""
    try:
        answering.send(None)
    except StopIteration as done:
        return dict(done.value)
    raise AssertionError("it waited")


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
@examples(1_000)
def test_request_with_a_readable_id_gets_exactly_one_legal_answer(
    frame: tuple[int, str, str, dict[str, Any]], version: OcppVersion, strict: bool
) -> None:
    call = parse(json.dumps(frame), version, strict=strict)
    assert isinstance(call, Call)
    assert call.id == frame[1]
    assert_answered(call, version, strict)


@given(st.text(anything, max_size=50), st.sampled_from(Fault), versions, st.text(anything, max_size=400))
@examples(1_000)
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
