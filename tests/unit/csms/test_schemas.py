from __future__ import annotations

import pytest

from csms import schemas
from csms.events import OcppVersion
from csms.faults import Fault

V16 = OcppVersion.V16
V201 = OcppVersion.V201
V21 = OcppVersion.V21

STATUS_16 = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
STATUS_201 = {"timestamp": "2026-11-20T12:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}


def test_valid_payload_has_no_problem() -> None:
    assert schemas.problems(V16, "StatusNotification", STATUS_16) is None
    assert schemas.problems(V201, "StatusNotification", STATUS_201) is None


def test_action_without_a_schema_has_no_problem() -> None:
    assert schemas.problems(V16, "NoSuchAction", {"a": 1}) is None
    assert schemas.problems(V16, "../enums", {"a": 1}) is None


PROBLEMS = {
    "B22 1.6 field missing": (
        V16,
        "StatusNotification",
        {"connectorId": 1, "errorCode": "NoError"},
        Fault.MISSING_FIELD,
        "status is missing",
    ),
    "B22 2.0.1 field missing": (
        V201,
        "StatusNotification",
        {key: value for key, value in STATUS_201.items() if key != "timestamp"},
        Fault.MISSING_FIELD,
        "timestamp is missing",
    ),
    "B22 nested field missing": (
        V201,
        "BootNotification",
        {"reason": "PowerUp", "chargingStation": {"model": "M"}},
        Fault.MISSING_FIELD,
        "chargingStation.vendorName is missing",
    ),
    "B23 wrong type": (
        V16,
        "StatusNotification",
        STATUS_16 | {"connectorId": "secret"},
        Fault.TYPE_CONSTRAINT,
        "connectorId has the wrong type",
    ),
    "B24 unknown word": (
        V16,
        "StatusNotification",
        STATUS_16 | {"status": "secret"},
        Fault.PROPERTY_CONSTRAINT,
        "status has a value that is not allowed",
    ),
    "B25 text too long": (
        V16,
        "StatusNotification",
        STATUS_16 | {"info": "secret" * 9},
        Fault.PROPERTY_CONSTRAINT,
        "info has a value that is not allowed",
    ),
    "B26 unknown field": (
        V16,
        "StatusNotification",
        STATUS_16 | {"secret": 1},
        Fault.SYNTACTIC,
        "The payload has fields that the schema does not know",
    ),
    "B28 timestamp is no date": (
        V16,
        "StatusNotification",
        STATUS_16 | {"timestamp": "secret"},
        Fault.PROPERTY_CONSTRAINT,
        "timestamp has a value that is not allowed",
    ),
    "too few elements": (
        V201,
        "NotifyEvent",
        {"generatedAt": "2026-11-20T12:00:00Z", "seqNo": 0, "eventData": []},
        Fault.OCCURRENCE,
        "eventData has too many or too few elements",
    ),
    "missing before unknown": (V16, "StatusNotification", {"secret": 1}, Fault.MISSING_FIELD, None),
    "type before value": (
        V16,
        "StatusNotification",
        {"connectorId": 1, "status": "secret", "errorCode": 1},
        Fault.TYPE_CONSTRAINT,
        "errorCode has the wrong type",
    ),
    "text that is not Unicode": (
        V16,
        "StatusNotification",
        STATUS_16 | {"status": "\ud800"},
        Fault.SYNTACTIC,
        "The payload contains text that is not Unicode",
    ),
}


@pytest.mark.parametrize(
    ("version", "action", "payload", "fault", "description"), PROBLEMS.values(), ids=PROBLEMS.keys()
)
def test_problem_is_told_without_what_was_sent(
    version: OcppVersion, action: str, payload: dict[str, object], fault: Fault, description: str | None
) -> None:
    problem = schemas.problems(version, action, payload)
    assert problem is not None
    assert problem[0] is fault
    assert description is None or problem[1] == description
    assert "secret" not in problem[1]


def test_responses_have_schemas_of_their_own() -> None:
    assert schemas.problems(V16, "Heartbeat", {"currentTime": "2026-11-20T12:00:00Z"}, "response") is None
    assert schemas.problems(V16, "Heartbeat", {}, "response") == (Fault.MISSING_FIELD, "currentTime is missing")
    assert schemas.problems(V201, "Heartbeat", {}, "response") == (Fault.MISSING_FIELD, "currentTime is missing")


def test_huge_array_of_errors_is_answered_soon() -> None:
    problem = schemas.problems(V16, "MeterValues", {"connectorId": 1, "meterValue": [{}] * 20_000})
    assert problem is not None
    assert problem[0] is Fault.MISSING_FIELD


def test_every_schema_of_the_standards_compiles() -> None:
    schemas.load()


def test_known_actions_are_those_of_the_standards() -> None:
    # 39 requests of 1.6 with the security extension, 64 of 2.0.1, 90 of 2.1 and its SEND.
    assert len(schemas.known_actions(V16)) == 39
    assert len(schemas.known_actions(V201)) == 64
    assert len(schemas.known_actions(V21)) == 91


@pytest.mark.parametrize("version", OcppVersion)
def test_station_actions_are_known(version: OcppVersion) -> None:
    assert schemas.station_actions(version) < schemas.known_actions(version)


def test_station_actions_leave_out_what_only_a_central_system_sends() -> None:
    assert not {"TriggerMessage", "Reset", "ChangeConfiguration"} & schemas.station_actions(V16)
    assert not {"TriggerMessage", "Reset", "SetVariables", "CostUpdated"} & schemas.station_actions(V201)
    ours = {
        "AFRRSignal",
        "NotifyAllowedEnergyTransfer",
        "NotifyWebPaymentStarted",
        "RequestBatterySwap",
        "SetDERControl",
    }
    assert not ours & schemas.station_actions(V21)
    assert ours < schemas.known_actions(V21)


def test_station_of_21_may_send_eleven_actions_more_than_one_of_201() -> None:
    assert schemas.station_actions(V21) - schemas.station_actions(V201) == {
        "BatterySwap",
        "ClosePeriodicEventStream",
        "GetCertificateChainStatus",
        "NotifyDERAlarm",
        "NotifyDERStartStop",
        "NotifyPriorityCharging",
        "NotifySettlement",
        "OpenPeriodicEventStream",
        "PullDynamicScheduleUpdate",
        "ReportDERControl",
        "VatNumberValidation",
    }
    assert schemas.station_actions(V201) < schemas.station_actions(V21)


def test_message_that_is_only_sent_has_a_schema_and_no_response() -> None:
    stream = {"id": 1, "pending": 0, "basetime": "2026-11-20T12:00:00Z", "data": [{"t": 0, "v": "230.1"}]}
    assert schemas.unconfirmed_actions(V21) == {"NotifyPeriodicEventStream"}
    assert not schemas.unconfirmed_actions(V16) | schemas.unconfirmed_actions(V201)
    assert schemas.problems(V21, "NotifyPeriodicEventStream", stream) is None
    missing = (Fault.MISSING_FIELD, "id is missing")
    assert schemas.problems(V21, "NotifyPeriodicEventStream", {k: v for k, v in stream.items() if k != "id"}) == missing


def test_unknown_actions_leave_nothing_behind() -> None:
    before = schemas._validator.cache_info().currsize
    for number in range(100):
        schemas.problems(V16, f"Invented{number}", {})
    assert schemas._validator.cache_info().currsize == before
