from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema_rs
import pytest

from csms.availability import ACTION, addressable, answer, request
from csms.commands import Answered, CallFailed, Gone, Outcome, TimedOut, Unreadable
from csms.events import ChangeAnswer, ChangeOutcome, ConnectorAddress, OcppVersion

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21


def schema(version: OcppVersion, name: str) -> jsonschema_rs.Validator:
    folder = {V16: "ocpp.v16", V201: "ocpp.v201", V21: "ocpp.v21"}[version]
    text = files(folder).joinpath("schemas", name).read_text("utf-8-sig")
    return jsonschema_rs.validator_for(json.loads(text))


@pytest.mark.parametrize(
    ("version", "address", "operative", "payload"),
    [
        pytest.param(V16, (0, 2), False, {"connectorId": 2, "type": "Inoperative"}, id="1.6-out"),
        pytest.param(V16, (0, 1), True, {"connectorId": 1, "type": "Operative"}, id="1.6-in"),
        pytest.param(V201, (3, 0), False, {"operationalStatus": "Inoperative", "evse": {"id": 3}}, id="2.0.1-evse"),
        pytest.param(
            V201,
            (1, 2),
            True,
            {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 2}},
            id="2.0.1-connector",
        ),
        pytest.param(V21, (3, 0), False, {"operationalStatus": "Inoperative", "evse": {"id": 3}}, id="2.1-evse"),
    ],
)
def test_request_is_worded_as_the_version_words_it(
    version: OcppVersion, address: tuple[int, int], operative: bool, payload: dict[str, Any]
) -> None:
    made = request(version, ConnectorAddress(*address), operative=operative)
    assert made == payload
    suffix = "" if version is V16 else "Request"
    assert schema(version, f"{ACTION}{suffix}.json").is_valid(made)


@pytest.mark.parametrize(
    ("version", "address", "possible"),
    [
        pytest.param(V16, (0, 1), True, id="1.6-connector"),
        pytest.param(V16, (0, 0), False, id="1.6-whole-station"),
        pytest.param(V16, (1, 1), False, id="1.6-knows-no-evse"),
        pytest.param(V201, (1, 0), True, id="2.0.1-evse"),
        pytest.param(V201, (1, 1), True, id="2.0.1-connector"),
        pytest.param(V201, (0, 0), False, id="2.0.1-whole-station"),
        pytest.param(V201, (0, 1), False, id="2.0.1-address-of-1.6"),
        pytest.param(V21, (1, 0), True, id="2.1-evse"),
        pytest.param(V21, (0, 1), False, id="2.1-address-of-1.6"),
    ],
)
def test_no_address_means_the_whole_station(version: OcppVersion, address: tuple[int, int], possible: bool) -> None:
    assert addressable(version, ConnectorAddress(*address)) is possible


@pytest.mark.parametrize("version", [V16, V201, V21])
@pytest.mark.parametrize("status", ["Accepted", "Rejected", "Scheduled"])
def test_every_answer_of_the_schema_has_its_outcome(version: OcppVersion, status: str) -> None:
    payload = {"status": status}
    assert schema(version, f"{ACTION}Response.json").is_valid(payload)
    assert answer(Answered(payload)) == ChangeAnswer(ChangeOutcome(status.lower()))


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(
            CallFailed("NotSupported"), ChangeAnswer(ChangeOutcome.UNSUPPORTED, "CALLERROR NotSupported"), id="not-done"
        ),
        pytest.param(
            CallFailed("InternalError"),
            ChangeAnswer(ChangeOutcome.UNCLEAR, "CALLERROR InternalError"),
            id="may-be-done",
        ),
        pytest.param(
            Unreadable(), ChangeAnswer(ChangeOutcome.UNCLEAR, "an answer that cannot be read"), id="unreadable"
        ),
        pytest.param(TimedOut(), ChangeAnswer(ChangeOutcome.UNCLEAR, "no answer in time"), id="timeout"),
        pytest.param(Gone(), ChangeAnswer(ChangeOutcome.UNCLEAR, "the connection ended before an answer"), id="gone"),
        pytest.param(
            Answered({"status": ["Accepted"]}),
            ChangeAnswer(ChangeOutcome.UNCLEAR, "an answer without a status of the standard"),
            id="unreadable",
        ),
        pytest.param(
            Answered({}), ChangeAnswer(ChangeOutcome.UNCLEAR, "an answer without a status of the standard"), id="empty"
        ),
    ],
)
def test_what_may_have_been_done_is_unclear(outcome: Outcome, expected: ChangeAnswer) -> None:
    assert answer(outcome) == expected
