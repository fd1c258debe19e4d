from __future__ import annotations

import json
from importlib.resources import files

import jsonschema_rs
import pytest

from simulators.replay.answers import Answer, answer_of, default_answer, differing
from simulators.replay.report import Report
from simulators.replay.script import Step


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ([3, "1", {"a": 1}], Answer({"a": 1})),
        ([4, "1", "GenericError", "text", {"d": 1}], Answer({"d": 1}, "GenericError", "text")),
        ([4, "1", "GenericError"], Answer({}, "GenericError", "")),
        ([2, "1", "Heartbeat", {}], None),
        ([3, "1"], None),
    ],
)
def test_answers_are_recognised(message: list[object], answer: Answer | None) -> None:
    assert answer_of(message) == answer


def test_differences_are_named_by_their_place() -> None:
    recorded = {"idTagInfo": {"status": "Accepted", "parentIdTag": "x"}, "transactionId": 1}
    assert list(differing(recorded, {"idTagInfo": {"status": "Invalid"}, "transactionId": 1, "more": 2})) == [
        "idTagInfo.parentIdTag: recorded 'x', now missing",
        "idTagInfo.status: recorded 'Accepted', now 'Invalid'",
        "more: not recorded, now 2",
    ]


def test_an_answer_of_another_kind_is_a_mismatch_and_another_code_a_difference() -> None:
    report = Report()
    good, bad = Answer({}), Answer({}, "GenericError")
    report.answered(Step("", None, "1", "Heartbeat", good), bad)
    report.answered(Step("", None, "2", "Heartbeat", bad), Answer({}, "InternalError"))
    report.answered(Step("", None, "3", "Heartbeat", good), good)
    report.answered(Step("", None, "4", "Heartbeat", None), bad)
    assert report.mismatches == ["1 Heartbeat: recorded CALLRESULT, now CALLERROR GenericError"]
    assert report.differences == ["2 Heartbeat: recorded CALLERROR GenericError, now CALLERROR InternalError"]
    assert (report.results, dict(report.errors)) == (1, {"GenericError": 2, "InternalError": 1})
    assert not report.good


@pytest.mark.parametrize(("version", "folder"), [("ocpp1.6", "v16"), ("ocpp2.0.1", "v201"), ("ocpp2.1", "v21")])
def test_every_answer_by_default_is_legal(version: str, folder: str) -> None:
    checked = 0
    for file in files(f"ocpp.{folder}").joinpath("schemas").iterdir():
        action = file.name.removesuffix("Response.json")
        if action == file.name:
            continue
        for payload in ({}, {"key": ["HeartbeatInterval"]}):
            answer = default_answer(action, payload, version)
            if answer.error is None:
                jsonschema_rs.validate(json.loads(file.read_text(encoding="utf-8-sig")), answer.payload)
                checked += 1
    assert checked > 10


def test_what_a_replay_cannot_do_is_not_implemented() -> None:
    answer = default_answer("GetBaseReport", {}, "ocpp2.0.1")
    assert answer.frame("1") == [4, "1", "NotImplemented", "not in the recording that is played", {}]
