from __future__ import annotations

from typing import Any

import pytest

from csms.commands import Answered, CallFailed, Gone, TimedOut, Unreadable, Unsent
from csms.events import OcppVersion
from csms.operator_calls import CallAnswer, CallOutcome, judge, readable, refusal
from csms.quirk_settings import QuirkSettings
from csms.schemas import csms_actions

V16, V201 = OcppVersion.V16, OcppVersion.V201


@pytest.mark.parametrize(
    ("version", "action", "payload", "outcome", "why"),
    [
        pytest.param(V16, "Reset", {}, "invalid", "type is missing", id="missing"),
        pytest.param(V16, "Reset", {"type": "Warm"}, "invalid", "type must be one of Hard, Soft", id="enum"),
        pytest.param(V16, "Reset", {"type": 1}, "invalid", "type must be of type string", id="type"),
        pytest.param(
            V16,
            "Reset",
            {"type": "Soft", "evseId": 1},
            "invalid",
            "the payload has no field evseId in this action",
            id="unknown-field",
        ),
        pytest.param(
            V16,
            "ChangeConfiguration",
            {"key": "k" * 51, "value": ""},
            "invalid",
            "key must have a length of at most 50",
            id="too-long",
        ),
        pytest.param(
            V201,
            "GetVariables",
            {"getVariableData": [{"component": {"name": "OCPPCommCtrlr"}}]},
            "invalid",
            "getVariableData.0.variable is missing",
            id="nested",
        ),
        pytest.param(
            V201,
            "GetVariables",
            {"getVariableData": []},
            "invalid",
            "getVariableData must have a number of elements of at least 1",
            id="too-few",
        ),
        pytest.param(V16, "Heartbeat", {}, "unknown_action", "Heartbeat is sent by stations only", id="stations-only"),
        pytest.param(
            V16, "reset", {}, "unknown_action", "ocpp1.6 has no action 'reset'; did you mean Reset?", id="spelling"
        ),
        pytest.param(
            V16,
            "GetVariables",
            {},
            "unknown_action",
            "ocpp1.6 has no action 'GetVariables'; actions are spelled as in the standard, such as Reset",
            id="other-version",
        ),
    ],
)
def test_what_the_standard_does_not_allow_is_not_sent_and_the_reason_names_what_would_be_right(
    version: OcppVersion, action: str, payload: dict[str, Any], outcome: str, why: str
) -> None:
    found = refusal(version, action, payload, accepted=True, quirks=QuirkSettings())
    assert found == CallAnswer(CallOutcome(outcome), why=why)
    assert not found.sent


def test_no_value_of_the_payload_is_shown() -> None:
    payload = {"key": "AuthorizationKey", "value": ["hush-hush"]}
    found = refusal(V16, "ChangeConfiguration", payload, accepted=True, quirks=QuirkSettings())
    assert found is not None
    assert found.why == "value must be of type string"


@pytest.mark.parametrize(
    ("action", "payload", "allowed"),
    [
        pytest.param("TriggerMessage", {"requestedMessage": "BootNotification"}, True, id="trigger-boot"),
        pytest.param("TriggerMessage", {"requestedMessage": "Heartbeat"}, False, id="trigger-other"),
        pytest.param("Reset", {"type": "Soft"}, False, id="reset"),
    ],
)
@pytest.mark.parametrize("version", [V16, V201])
def test_before_it_is_accepted_a_station_is_only_asked_to_boot(
    version: OcppVersion, action: str, payload: dict[str, Any], allowed: bool
) -> None:
    if version is V201 and action == "Reset":
        payload = {"type": "OnIdle"}
    found = refusal(version, action, payload, accepted=False, quirks=QuirkSettings())
    assert (found is None) is allowed
    assert found is None or found.outcome is CallOutcome.NOT_ACCEPTED


@pytest.mark.parametrize(
    ("version", "sample"),
    [
        (
            V16,
            {
                "CancelReservation",
                "ClearCache",
                "GetLog",
                "InstallCertificate",
                "DataTransfer",
                "ExtendedTriggerMessage",
                "SignedUpdateFirmware",
                "UnlockConnector",
                "UpdateFirmware",
            },
        ),
        (
            V201,
            {"ClearVariableMonitoring", "CustomerInformation", "DataTransfer", "GetBaseReport", "SetNetworkProfile"},
        ),
    ],
)
def test_every_action_of_a_central_system_may_be_called(version: OcppVersion, sample: set[str]) -> None:
    assert sample <= csms_actions(version)
    from_stations = {"BootNotification", "StatusNotification", "SecurityEventNotification", "NotifyPeriodicEventStream"}
    assert not from_stations & csms_actions(version)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(
            Answered({"status": "Accepted"}), CallAnswer(CallOutcome.ANSWERED, {"status": "Accepted"}), id="answered"
        ),
        pytest.param(
            Answered({"status": "Maybe"}),
            CallAnswer(
                CallOutcome.ANSWERED,
                {"status": "Maybe"},
                valid=False,
                why="status has a value that is not allowed",
            ),
            id="invalid-answer-is-shown",
        ),
        pytest.param(
            CallFailed("NotSupported\n", "\x1b[2Jno\x00 " + "x" * 400),
            CallAnswer(CallOutcome.REFUSED, code="NotSupported", why="[2Jno  " + "x" * 248),
            id="call-error-is-cut-and-cleaned",
        ),
        pytest.param(
            TimedOut(),
            CallAnswer(CallOutcome.TIMED_OUT, why="no answer in time: it may have been done"),
            id="timed-out",
        ),
        pytest.param(
            Gone(),
            CallAnswer(CallOutcome.GONE, why="the connection ended before an answer: it may have been done"),
            id="gone",
        ),
        pytest.param(
            Unreadable(),
            CallAnswer(CallOutcome.UNREADABLE, why="the answer cannot be read: it may have been done"),
            id="unreadable",
        ),
        pytest.param(
            Unsent(busy=True),
            CallAnswer(CallOutcome.BUSY, why="other calls to this station are not over yet; nothing was sent"),
            id="busy",
        ),
        pytest.param(
            Unsent(busy=False),
            CallAnswer(CallOutcome.AWAY, why="the station is not connected; nothing was sent"),
            id="closed-before",
        ),
    ],
)
def test_every_end_of_a_call_is_a_value(outcome: Any, expected: CallAnswer) -> None:
    found = judge(V16, "Reset", outcome)
    assert found == expected
    assert found.sent is (expected.outcome.value in ("answered", "refused", "unreadable", "timed_out", "gone"))


def test_text_of_a_station_cannot_steer_a_terminal() -> None:
    assert readable("a\x1b]0;title\x07b\u202ec") == "a ]0;title b c"
