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
from csms.v201.translate import translate

CS = StationId("CS1")
EPOCH = Epoch(7)
NOON = "2026-11-20T12:00:00Z"
STATUS = {"timestamp": NOON, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1}
VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "mapping.json").read_text())


def run(action: str, payload: dict[str, object], *, strict: bool = False) -> Translated | Rejected:
    return translate(action, payload, station=CS, epoch=EPOCH, strict=strict)


def reported(**changes: object) -> StatusReported:
    fields = {"evse": 2, "connector": 1, "status": ReportedStatus.OCCUPIED, "reported_at": NOON} | changes
    return StatusReported(CS, EPOCH, OcppVersion.V201, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("word", sorted({row["reported"] for row in VECTORS["ocpp2"]}))
def test_each_status_word_of_the_standard_is_taken_unchanged(word: str, strict: bool) -> None:
    result = run("StatusNotification", STATUS | {"connectorStatus": word}, strict=strict)
    assert result == Translated((reported(status=ReportedStatus(word)),))


def test_custom_data_needs_no_leniency() -> None:
    payload = STATUS | {"customData": {"vendorId": "X", "y": 1}}
    assert run("StatusNotification", payload, strict=True) == Translated((reported(),))


# name: (changes to the payload, changes to the event, notes)
LENIENT = {
    "B23 numeric strings": (
        {"evseId": "3", "connectorId": "2"},
        {"evse": 3, "connector": 2},
        ("status_lenient_type",),
    ),
    "B24 status in another case": ({"connectorStatus": "OCCUPIED"}, {}, ("status_lenient_case",)),
    "B24 status word of 1.6": (
        {"connectorStatus": "Finishing"},
        {"status": ReportedStatus.FINISHING},
        ("status_lenient_word",),
    ),
    "B26 unknown field": ({"errorCode": "NoError"}, {}, ("status_lenient_extra",)),
    "B28 no timestamp": ({"timestamp": None}, {"reported_at": ""}, ("status_lenient_missing",)),
    "B28 timestamp garbage": ({"timestamp": "x" * 99}, {"reported_at": "x" * 64}, ("status_lenient_text",)),
}


@pytest.mark.parametrize(("change", "expected", "notes"), LENIENT.values(), ids=LENIENT.keys())
def test_clear_status_is_taken_although_the_payload_is_wrong(
    change: dict[str, object], expected: dict[str, object], notes: tuple[str, ...]
) -> None:
    assert run("StatusNotification", STATUS | change) == Translated((reported(**expected),), notes)


def test_keys_in_another_case_are_read() -> None:
    payload = {"Timestamp": NOON, "connectorstatus": "Occupied", "EvseId": 2, "connectorID": 1}
    assert run("StatusNotification", payload) == Translated((reported(),), ("status_lenient_key",))


@pytest.mark.parametrize(("evse", "connector"), [(0, 0), (2, 0)], ids=["station", "EVSE"])
def test_level_above_the_connector_may_report(evse: int, connector: int) -> None:
    payload = STATUS | {"evseId": evse, "connectorId": connector, "connectorStatus": "Unavailable"}
    expected = reported(evse=evse, connector=connector, status=ReportedStatus.UNAVAILABLE)
    assert run("StatusNotification", payload) == Translated((expected,))


UNCLEAR = {
    "B22 no evseId": ({"timestamp": NOON, "connectorStatus": "Occupied", "connectorId": 1}, Fault.MISSING_FIELD),
    "B22 no connectorId": ({"timestamp": NOON, "connectorStatus": "Occupied", "evseId": 1}, Fault.MISSING_FIELD),
    "B22 no status": ({"timestamp": NOON, "evseId": 1, "connectorId": 1}, Fault.MISSING_FIELD),
    "B23 evseId true": (STATUS | {"evseId": True}, Fault.TYPE_CONSTRAINT),
    "B24 status Foo": (STATUS | {"connectorStatus": "Foo"}, Fault.PROPERTY_CONSTRAINT),
    "B27 connectorId -1": (STATUS | {"connectorId": -1}, Fault.PROPERTY_CONSTRAINT),
    "B27 connectorId 65": (STATUS | {"connectorId": 65}, Fault.PROPERTY_CONSTRAINT),
    "B27 evseId 2^31": (STATUS | {"evseId": 2**31}, Fault.PROPERTY_CONSTRAINT),
    "connector of the station itself": (STATUS | {"evseId": 0}, Fault.PROPERTY_CONSTRAINT),
}


@pytest.mark.parametrize(("payload", "fault"), UNCLEAR.values(), ids=UNCLEAR.keys())
def test_unclear_status_is_rejected(payload: dict[str, object], fault: Fault) -> None:
    result = run("StatusNotification", payload)
    assert isinstance(result, Rejected)
    assert result.fault is fault


STRICT = {
    "numeric string": (STATUS | {"evseId": "1"}, Fault.TYPE_CONSTRAINT),
    "wrong case": (STATUS | {"connectorStatus": "occupied"}, Fault.PROPERTY_CONSTRAINT),
    "no timestamp": ({"connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}, Fault.MISSING_FIELD),
    "unknown field": (STATUS | {"errorCode": "NoError"}, Fault.SYNTACTIC),
}


@pytest.mark.parametrize(("payload", "fault"), STRICT.values(), ids=STRICT.keys())
def test_strict_station_gets_what_the_schema_says(payload: dict[str, object], fault: Fault) -> None:
    result = run("StatusNotification", payload, strict=True)
    assert isinstance(result, Rejected)
    assert result.fault is fault


# --- NotifyEvent --------------------------------------------------------------------------------------------------


def entry(
    value: object, evse: object = None, component: str = "Connector", variable: str = "AvailabilityState"
) -> dict[str, object]:
    named: dict[str, object] = {"name": component}
    if evse is not None:
        named["evse"] = evse
    return {
        "eventId": 1,
        "timestamp": NOON,
        "trigger": "Delta",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": named,
        "variable": {"name": variable},
    }


def notify(*entries: object) -> dict[str, object]:
    return {"generatedAt": NOON, "seqNo": 0, "eventData": list(entries)}


def noticed(**changes: object) -> StatusReported:
    return reported(source="NotifyEvent", **changes)


@pytest.mark.parametrize("strict", [False, True])
def test_availability_state_of_a_connector_counts_like_a_status(strict: bool) -> None:
    payload = notify(entry("Occupied", {"id": 2, "connectorId": 1}))
    assert run("NotifyEvent", payload, strict=strict) == Translated((noticed(),))


LEVELS = {
    "EVSE": (entry("Unavailable", {"id": 2}, "EVSE"), (2, 0)),
    "EVSE in lower case": (entry("Unavailable", {"id": 2}, "evse", "availabilitystate"), (2, 0)),
    "EVSE with a connector": (entry("Unavailable", {"id": 2, "connectorId": 1}, "EVSE"), (2, 0)),
    "station": (entry("Unavailable", None, "ChargingStation"), (0, 0)),
    "connector in upper case": (
        entry("Unavailable", {"id": 2, "connectorId": 3}, "CONNECTOR", "AVAILABILITYSTATE"),
        (2, 3),
    ),
}


@pytest.mark.parametrize(("data", "address"), LEVELS.values(), ids=LEVELS.keys())
def test_component_says_which_level_reports(data: dict[str, object], address: tuple[int, int]) -> None:
    expected = noticed(evse=address[0], connector=address[1], status=ReportedStatus.UNAVAILABLE)
    assert run("NotifyEvent", notify(data), strict=True) == Translated((expected,))


def test_several_states_in_one_message_are_events_in_their_order() -> None:
    payload = notify(
        entry("Occupied", {"id": 2, "connectorId": 1}),
        entry("42", {"id": 2}, "EVSE", "Power"),
        entry("Faulted", {"id": 1, "connectorId": 1}),
        entry("Available", {"id": 2, "connectorId": 1}),
    )
    expected = (
        noticed(),
        noticed(evse=1, status=ReportedStatus.FAULTED),
        noticed(status=ReportedStatus.AVAILABLE),
    )
    assert run("NotifyEvent", payload) == Translated(expected)


SKIPPED = {
    "status Foo": entry("Foo", {"id": 2, "connectorId": 1}),
    "no value": entry(None, {"id": 2, "connectorId": 1}),
    "connector without an EVSE": entry("Faulted"),
    "connector without its number": entry("Faulted", {"id": 2}),
    "connector 0": entry("Faulted", {"id": 2, "connectorId": 0}),
    "EVSE 0": entry("Faulted", {"id": 0}, "EVSE"),
    "EVSE 65": entry("Faulted", {"id": 65}, "EVSE"),
    "not an object": "Faulted",
}


@pytest.mark.parametrize("data", SKIPPED.values(), ids=SKIPPED.keys())
def test_unclear_state_is_skipped_and_its_neighbours_are_taken(data: object) -> None:
    result = run("NotifyEvent", notify(data, entry("Occupied", {"id": 2, "connectorId": 1})))
    assert isinstance(result, Translated)
    assert result.events == (noticed(),)
    assert "event_lenient_skipped" in result.notes


def test_clear_state_is_taken_from_an_otherwise_invalid_message() -> None:
    bare = {
        "component": {"Name": "connector", "evse": {"id": "2", "connectorId": "1"}},
        "variable": {"name": "AvailabilityState", "unit": "x"},
        "actualValue": "occupied",
    }
    result = run("NotifyEvent", {"eventData": bare, "more": 1})
    assert isinstance(result, Translated)
    assert result.events == (noticed(reported_at=""),)
    assert set(result.notes) == {
        "event_lenient_extra",
        "event_lenient_type",
        "event_lenient_key",
        "event_lenient_case",
        "event_lenient_missing",
    }


def test_technical_code_and_text_are_kept() -> None:
    payload = notify(entry("Faulted", {"id": 2, "connectorId": 1}) | {"techCode": "E7", "techInfo": "lock"})
    expected = noticed(status=ReportedStatus.FAULTED, vendor_error_code="E7", info="lock")
    assert run("NotifyEvent", payload) == Translated((expected,))


@pytest.mark.parametrize("data", [None, "x", 7])
def test_notify_event_without_event_data_carries_nothing(data: object) -> None:
    expected = Translated((), ("event_lenient_missing",))
    assert run("NotifyEvent", {"generatedAt": NOON, "seqNo": 0, "eventData": data}) == expected


def test_invalid_notify_event_is_rejected_when_strict() -> None:
    result = run("NotifyEvent", {"eventData": [entry("Occupied", {"id": 2, "connectorId": 1})]}, strict=True)
    assert result == Rejected(Fault.MISSING_FIELD, "generatedAt is missing")


# --- TransactionEvent ---------------------------------------------------------------------------------------------

TRANSACTION = {
    "eventType": "Updated",
    "timestamp": NOON,
    "triggerReason": "ChargingStateChanged",
    "seqNo": 3,
    "transactionInfo": {"transactionId": "T1", "chargingState": "Charging"},
    "evse": {"id": 2, "connectorId": 1},
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
    return TransactionReported(CS, EPOCH, OcppVersion.V201, **fields)  # type: ignore[arg-type]


VALID_TRANSACTIONS = {
    "all": (TRANSACTION, {}),
    "no evse": (
        {key: value for key, value in TRANSACTION.items() if key != "evse"},
        {"evse": None, "connector": None},
    ),
    "no connector": (TRANSACTION | {"evse": {"id": 2}}, {"connector": None}),
    "no state": (TRANSACTION | {"transactionInfo": {"transactionId": "T1"}}, {"charging_state": None}),
    "offline": (TRANSACTION | {"offline": True}, {"offline": True}),
    "started": (TRANSACTION | {"eventType": "Started", "seqNo": 0}, {"phase": TransactionPhase.STARTED, "seq_no": 0}),
    "ended": (TRANSACTION | {"eventType": "Ended"}, {"phase": TransactionPhase.ENDED}),
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("payload", "expected"), VALID_TRANSACTIONS.values(), ids=VALID_TRANSACTIONS.keys())
def test_transaction_event_is_reported(payload: dict[str, object], expected: dict[str, object], strict: bool) -> None:
    assert run("TransactionEvent", payload, strict=strict) == Translated((went(**expected),))


@pytest.mark.parametrize("state", ["Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle"])
def test_each_charging_state_of_the_standard_is_taken(state: str) -> None:
    payload = TRANSACTION | {"transactionInfo": {"transactionId": "T1", "chargingState": state}}
    assert run("TransactionEvent", payload) == Translated((went(charging_state=ChargingState(state)),))


LENIENT_TRANSACTIONS = {
    "state in another case": (
        {"transactionInfo": {"transactionId": "T1", "chargingState": "charging"}},
        {},
        ("transaction_lenient_case",),
    ),
    "unknown state": (
        {"transactionInfo": {"transactionId": "T1", "chargingState": "Foo"}},
        {"charging_state": None},
        ("transaction_lenient_word",),
    ),
    "numeric strings": (
        {"seqNo": "3", "evse": {"id": "2", "connectorId": "1"}},
        {},
        ("transaction_lenient_type",),
    ),
    "evse a number": ({"evse": 2}, {"connector": None}, ("transaction_lenient_type",)),
    "evse a word": ({"evse": "left"}, {"evse": None, "connector": None}, ("transaction_lenient_type",)),
    "evse without an id": (
        {"evse": {"connectorId": 1}},
        {"evse": None},
        ("transaction_lenient_schema",),
    ),
    "offline as a text": ({"offline": "True"}, {"offline": True}, ("transaction_lenient_type",)),
    "transaction a number": (
        {"transactionInfo": {"transactionId": 17, "chargingState": "Charging"}},
        {"transaction": "17"},
        ("transaction_lenient_type",),
    ),
    "unknown trigger": ({"triggerReason": "Moon"}, {}, ("transaction_lenient_schema",)),
    "meter values that no schema knows": ({"meterValue": ["Hz"]}, {}, ("transaction_lenient_schema",)),
    "no timestamp": ({"timestamp": None}, {"reported_at": ""}, ("transaction_lenient_missing",)),
}


@pytest.mark.parametrize(
    ("change", "expected", "notes"), LENIENT_TRANSACTIONS.values(), ids=LENIENT_TRANSACTIONS.keys()
)
def test_clear_transaction_is_taken_although_the_payload_is_wrong(
    change: dict[str, object], expected: dict[str, object], notes: tuple[str, ...]
) -> None:
    assert run("TransactionEvent", TRANSACTION | change) == Translated((went(**expected),), notes)


UNCLEAR_TRANSACTIONS = {
    "no transactionInfo": ({"transactionInfo": None}, Fault.MISSING_FIELD),
    "no transactionId": ({"transactionInfo": {"chargingState": "Charging"}}, Fault.MISSING_FIELD),
    "no seqNo": ({"seqNo": None}, Fault.MISSING_FIELD),
    "seqNo -1": ({"seqNo": -1}, Fault.PROPERTY_CONSTRAINT),
    "seqNo 2^31": ({"seqNo": 2**31}, Fault.PROPERTY_CONSTRAINT),
    "no eventType": ({"eventType": None}, Fault.MISSING_FIELD),
    "eventType Foo": ({"eventType": "Foo"}, Fault.PROPERTY_CONSTRAINT),
    "EVSE 65": ({"evse": {"id": 65}}, Fault.PROPERTY_CONSTRAINT),
}


@pytest.mark.parametrize(("change", "fault"), UNCLEAR_TRANSACTIONS.values(), ids=UNCLEAR_TRANSACTIONS.keys())
def test_unclear_transaction_is_rejected(change: dict[str, object], fault: Fault) -> None:
    result = run("TransactionEvent", TRANSACTION | change)
    assert isinstance(result, Rejected)
    assert result.fault is fault


# --- the others ---------------------------------------------------------------------------------------------------

BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}

BOOTS = {
    "least": (BOOT, StationBooted(CS, EPOCH, "V", "M", "", ""), ()),
    "all": (
        BOOT | {"chargingStation": {"vendorName": "V", "model": "M", "serialNumber": "S", "firmwareVersion": "1"}},
        StationBooted(CS, EPOCH, "V", "M", "S", "1"),
        (),
    ),
    "serial of 300 characters": (
        BOOT | {"chargingStation": {"vendorName": "", "model": "M", "serialNumber": "3" * 300}},
        StationBooted(CS, EPOCH, "", "M", "3" * 256, ""),
        ("boot_lenient_text",),
    ),
    "unknown reason": (BOOT | {"reason": "Moon"}, StationBooted(CS, EPOCH, "V", "M", "", ""), ("boot_lenient_schema",)),
    "nothing": ({}, StationBooted(CS, EPOCH, "", "", "", ""), ("boot_lenient_missing",)),
}


@pytest.mark.parametrize(("payload", "event", "notes"), BOOTS.values(), ids=BOOTS.keys())
def test_boot_notification_is_always_taken(
    payload: dict[str, object], event: StationBooted, notes: tuple[str, ...]
) -> None:
    assert run("BootNotification", payload) == Translated((event,), notes)


@pytest.mark.parametrize(
    "action", ["MeterValues", "NotifyReport", "Authorize", "DataTransfer", "FirmwareStatusNotification"]
)
def test_other_actions_carry_no_event_whatever_they_hold(action: str) -> None:
    assert run(action, {"unit": "Hz"}) == Translated((), ("message_lenient_schema",))


def test_other_actions_are_checked_when_strict() -> None:
    assert run("Heartbeat", {}, strict=True) == Translated(())
    assert run("Authorize", {}, strict=True) == Rejected(Fault.MISSING_FIELD, "idToken is missing")
