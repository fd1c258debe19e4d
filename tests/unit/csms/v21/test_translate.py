"""What OCPP 2.1 says differently from 2.0.1; the leniencies, which are the same code, are proved in v201's tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from csms.events import (
    ChargingState,
    Epoch,
    OcppVersion,
    ReportedStatus,
    StationBooted,
    StationId,
    StatusReported,
    TransactionPhase,
    TransactionReported,
)
from csms.faults import Fault
from csms.translation import Rejected, Translated
from csms.v21.translate import translate
from csms.v201.translate import translate as translate_201

CS = StationId("CS1")
EPOCH = Epoch(7)
NOON = "2026-11-20T12:00:00Z"
STATUS = {"timestamp": NOON, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1}
VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "mapping.json").read_text())


def run(action: str, payload: dict[str, object], *, strict: bool = False) -> Translated | Rejected:
    return translate(action, payload, station=CS, epoch=EPOCH, strict=strict)


def reported(**changes: object) -> StatusReported:
    fields = {"evse": 2, "connector": 1, "status": ReportedStatus.OCCUPIED, "reported_at": NOON} | changes
    return StatusReported(CS, EPOCH, OcppVersion.V21, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("word", sorted({row["reported"] for row in VECTORS["ocpp2"]}))
def test_each_status_word_of_the_standard_is_taken_unchanged(word: str, strict: bool) -> None:
    result = run("StatusNotification", STATUS | {"connectorStatus": word}, strict=strict)
    assert result == Translated((reported(status=ReportedStatus(word)),))


def test_clear_status_is_taken_although_the_payload_is_wrong() -> None:
    payload = STATUS | {"evseId": "2", "connectorStatus": "occupied"}
    assert run("StatusNotification", payload) == Translated(
        (reported(),), ("status_lenient_type", "status_lenient_case")
    )


def test_unclear_status_is_rejected() -> None:
    result = run("StatusNotification", STATUS | {"connectorStatus": "Foo"})
    assert isinstance(result, Rejected)
    assert result.fault is Fault.PROPERTY_CONSTRAINT


def test_strict_station_gets_what_the_schema_says() -> None:
    result = run("StatusNotification", STATUS | {"evseId": "2"}, strict=True)
    assert isinstance(result, Rejected)
    assert result.fault is Fault.TYPE_CONSTRAINT


# --- NotifyEvent --------------------------------------------------------------------------------------------------


def notify(**extra: object) -> dict[str, object]:
    event = {
        "eventId": 1,
        "timestamp": NOON,
        "trigger": "Delta",
        "actualValue": "Occupied",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": 2, "connectorId": 1}},
        "variable": {"name": "AvailabilityState"},
    }
    return {"generatedAt": NOON, "seqNo": 0, "eventData": [event | extra]}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("extra", [{}, {"severity": 5}], ids=["as-in-2.0.1", "with-severity"])
def test_availability_state_of_a_connector_counts_like_a_status(extra: dict[str, object], strict: bool) -> None:
    assert run("NotifyEvent", notify(**extra), strict=strict) == Translated((reported(source="NotifyEvent"),))


# --- TransactionEvent ---------------------------------------------------------------------------------------------

TRANSACTION = {
    "eventType": "Updated",
    "timestamp": NOON,
    "triggerReason": "RunningCost",
    "seqNo": 3,
    "transactionInfo": {
        "transactionId": "T1",
        "chargingState": "Charging",
        "operationMode": "CentralSetpoint",
        "tariffId": "night",
        "transactionLimit": {"maxCost": 20},
    },
    "evse": {"id": 2, "connectorId": 1},
    "evseSleep": False,
    "preconditioningStatus": "Ready",
    "costDetails": {
        "totalCost": {"currency": "EUR", "typeOfCost": "NormalCost", "total": {"exclTax": 1.5}},
        "totalUsage": {"energy": 4.0, "chargingTime": 60, "idleTime": 0},
    },
}


def went(**changes: object) -> TransactionReported:
    fields = {
        "evse": 2,
        "connector": 1,
        "transaction": "T1",
        "seq_no": 3,
        "phase": TransactionPhase.UPDATED,
        "charging_state": ChargingState.CHARGING,
        "offline": False,
        "reported_at": NOON,
    } | changes
    return TransactionReported(CS, EPOCH, OcppVersion.V21, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("strict", [False, True])
def test_transaction_event_with_the_fields_of_21_needs_no_leniency(strict: bool) -> None:
    assert run("TransactionEvent", TRANSACTION, strict=strict) == Translated((went(),))


def test_field_of_21_in_another_case_is_not_a_field_that_nobody_knows() -> None:
    payload = {key: value for key, value in TRANSACTION.items() if key != "evseSleep"} | {"EvseSleep": False}
    assert run("TransactionEvent", payload) == Translated((went(),), ("transaction_lenient_key",))


def test_fields_of_21_are_none_of_201() -> None:
    result = translate_201("TransactionEvent", TRANSACTION, station=CS, epoch=EPOCH, strict=False)
    assert isinstance(result, Translated)
    assert result.notes == ("transaction_lenient_extra",)
    assert isinstance(translate_201("TransactionEvent", TRANSACTION, station=CS, epoch=EPOCH, strict=True), Rejected)


@pytest.mark.parametrize("state", ["Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle"])
def test_each_charging_state_of_the_standard_is_taken(state: str) -> None:
    payload = TRANSACTION | {"transactionInfo": {"transactionId": "T1", "chargingState": state}}
    assert run("TransactionEvent", payload, strict=True) == Translated((went(charging_state=ChargingState(state)),))


# --- the others ---------------------------------------------------------------------------------------------------


def test_boot_notification_is_taken() -> None:
    station = {"vendorName": "V", "model": "M", "serialNumber": "S", "firmwareVersion": "1"}
    boot = {"reason": "PowerUp", "chargingStation": station}
    assert run("BootNotification", boot, strict=True) == Translated((StationBooted(CS, EPOCH, "V", "M", "S", "1"),))


@pytest.mark.parametrize("action", ["BatterySwap", "NotifyDERAlarm", "OpenPeriodicEventStream", "MeterValues"])
def test_other_actions_carry_no_event_whatever_they_hold(action: str) -> None:
    assert run(action, {"unit": "Hz"}) == Translated((), ("message_lenient_schema",))


UNANSWERABLE = {
    "no VAT number": ("VatNumberValidation", {"evseId": 1}, Fault.MISSING_FIELD),
    "VAT number too long": ("VatNumberValidation", {"vatNumber": "1" * 21}, Fault.PROPERTY_CONSTRAINT),
    "VAT number a number": ("VatNumberValidation", {"vatNumber": 1}, Fault.TYPE_CONSTRAINT),
    "EVSE -1": ("VatNumberValidation", {"vatNumber": "1", "evseId": -1}, Fault.PROPERTY_CONSTRAINT),
    "no certificates": ("GetCertificateChainStatus", {}, Fault.MISSING_FIELD),
    "five certificates": ("GetCertificateChainStatus", {"certificateStatusRequests": [{}] * 5}, Fault.MISSING_FIELD),
}


@pytest.mark.parametrize(("action", "payload", "fault"), UNANSWERABLE.values(), ids=UNANSWERABLE.keys())
def test_request_that_its_answer_cannot_repeat_is_rejected_though_lenient(
    action: str, payload: dict[str, object], fault: Fault
) -> None:
    result = run(action, payload)
    assert isinstance(result, Rejected)
    assert result.fault is fault
