from __future__ import annotations

import json
from pathlib import Path

import pytest

from csms.events import (
    Epoch,
    OcppVersion,
    ReportedStatus,
    StationBooted,
    StationId,
    StatusReported,
    TransactionIdNeeded,
)
from csms.faults import Fault
from csms.translation import Rejected, Translated
from csms.v16.translate import translate

CP = StationId("CP1")
EPOCH = Epoch(7)
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": "2026-11-20T12:00:00Z"}
VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "mapping.json").read_text())


def run(action: str, payload: dict[str, object], *, strict: bool = False) -> Translated | Rejected:
    return translate(action, payload, station=CP, epoch=EPOCH, strict=strict)


def reported(**changes: object) -> StatusReported:
    fields = {
        "evse": 0,
        "connector": 1,
        "status": ReportedStatus.CHARGING,
        "reported_at": "2026-11-20T12:00:00Z",
    } | changes
    return StatusReported(CP, EPOCH, OcppVersion.V16, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("strict", [False, True])
def test_status_notification_is_a_status_of_its_connector(strict: bool) -> None:
    assert run("StatusNotification", STATUS, strict=strict) == Translated((reported(),))


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("word", [row["reported"] for row in VECTORS["ocpp16"]])
def test_each_status_word_of_the_standard_is_taken_unchanged(word: str, strict: bool) -> None:
    result = run("StatusNotification", STATUS | {"status": word}, strict=strict)
    assert result == Translated((reported(status=ReportedStatus(word)),))


def test_connector_0_is_the_station() -> None:
    payload = STATUS | {"connectorId": 0, "status": "Faulted", "errorCode": "OtherError", "vendorErrorCode": "210"}
    expected = reported(connector=0, status=ReportedStatus.FAULTED, error_code="OtherError", vendor_error_code="210")
    assert run("StatusNotification", payload) == Translated((expected,))


def test_warning_stands_beside_the_status() -> None:
    payload = STATUS | {"errorCode": "WeakSignal", "info": "rssi"}
    assert run("StatusNotification", payload) == Translated((reported(error_code="WeakSignal", info="rssi"),))


# name: (changes to the payload, changes to the event, notes)
LENIENT = {
    "B23 numeric string": ({"connectorId": "1"}, {}, ("status_lenient_type",)),
    "B23 numeric string with blanks": ({"connectorId": " 2 "}, {"connector": 2}, ("status_lenient_type",)),
    "B23 whole fraction": ({"connectorId": 1.0}, {}, ("status_lenient_type",)),
    "B24 status in lower case": ({"status": "charging"}, {}, ("status_lenient_case",)),
    "B24 status in upper case with blanks": ({"status": " CHARGING "}, {}, ("status_lenient_case",)),
    "B24 status word of other versions": (
        {"status": "Occupied"},
        {"status": ReportedStatus.OCCUPIED},
        ("status_lenient_word",),
    ),
    "B25 unknown errorCode": ({"errorCode": "Error"}, {"error_code": "Error"}, ("status_lenient_error_code",)),
    "B25 long errorCode": (
        {"errorCode": "E" * 100},
        {"error_code": "E" * 64},
        ("status_lenient_text", "status_lenient_error_code"),
    ),
    "B25 errorCode number": (
        {"errorCode": 12},
        {"error_code": "12"},
        ("status_lenient_type", "status_lenient_error_code"),
    ),
    "B25 errorCode in lower case": ({"errorCode": "noerror"}, {}, ("status_lenient_error_code",)),
    "B25 errorCode null": ({"errorCode": None}, {}, ("status_lenient_missing",)),
    "B25 long info": ({"info": "i" * 60}, {"info": "i" * 60}, ("status_lenient_schema",)),
    "B25 very long info": ({"info": "i" * 9_000}, {"info": "i" * 256}, ("status_lenient_text",)),
    "B25 info of another type": ({"info": {"a": 1}}, {}, ("status_lenient_type",)),
    "B25 vendorErrorCode number": (
        {"vendorErrorCode": 210},
        {"vendor_error_code": "210"},
        ("status_lenient_type",),
    ),
    "B26 unknown field": ({"battery": 7}, {}, ("status_lenient_extra",)),
    "B28 timestamp naive": (
        {"timestamp": "2026-11-20T12:00:00"},
        {"reported_at": "2026-11-20T12:00:00"},
        ("status_lenient_schema",),
    ),
    "B28 timestamp of the year 222222017": (
        {"timestamp": "222222017-10-27T19:10:11.000Z"},
        {"reported_at": "222222017-10-27T19:10:11.000Z"},
        ("status_lenient_schema",),
    ),
    "B28 timestamp garbage": (
        {"timestamp": "yes" * 40},
        {"reported_at": ("yes" * 40)[:64]},
        ("status_lenient_text",),
    ),
    "B28 timestamp number": ({"timestamp": 0}, {"reported_at": "0"}, ("status_lenient_type",)),
    "B28 24:00": (
        {"timestamp": "2026-11-20T24:00:00Z"},
        {"reported_at": "2026-11-20T24:00:00Z"},
        ("status_lenient_schema",),
    ),
    "B29 connector 0 charges": ({"connectorId": 0}, {"connector": 0}, ("status_lenient_station_word",)),
    "control characters": ({"info": "a\x00b\nc\u202ed\ud800"}, {"info": "a b c d"}, ("status_lenient_text",)),
}


@pytest.mark.parametrize(("change", "expected", "notes"), LENIENT.values(), ids=LENIENT.keys())
def test_clear_status_is_taken_although_the_payload_is_wrong(
    change: dict[str, object], expected: dict[str, object], notes: tuple[str, ...]
) -> None:
    assert run("StatusNotification", STATUS | change) == Translated((reported(**expected),), notes)


TIMES = ["1970-01-01T00:00:00.740Z", "0001-01-01T00:00:00Z", "2026-11-20T12:00:00.123456+02:00"]


@pytest.mark.parametrize("moment", TIMES)
def test_b28_any_moment_is_kept_as_text(moment: str) -> None:
    result = run("StatusNotification", STATUS | {"timestamp": moment}, strict=True)
    assert result == Translated((reported(reported_at=moment),))


def test_b28_timestamp_may_be_absent() -> None:
    payload = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}
    assert run("StatusNotification", payload, strict=True) == Translated((reported(reported_at=""),))


def test_missing_error_code_is_no_error() -> None:
    expected = Translated((reported(reported_at=""),), ("status_lenient_missing",))
    assert run("StatusNotification", {"connectorId": 1, "status": "Charging"}) == expected


def test_keys_in_another_case_are_read() -> None:
    payload = {"ConnectorId": 1, "ERRORCODE": "NoError", "Status": "Charging", "timeStamp": "2026-11-20T12:00:00Z"}
    assert run("StatusNotification", payload) == Translated((reported(),), ("status_lenient_key",))


def test_key_in_the_right_case_wins_over_the_wrong_one() -> None:
    payload = {"Status": "Available"} | STATUS
    assert run("StatusNotification", payload) == Translated((reported(),), ("status_lenient_extra",))


# name: (payload, fault)
UNCLEAR = {
    "B22 no connectorId": ({"errorCode": "NoError", "status": "Charging"}, Fault.MISSING_FIELD),
    "B22 connectorId null": (STATUS | {"connectorId": None}, Fault.MISSING_FIELD),
    "B22 no status": ({"connectorId": 1, "errorCode": "NoError"}, Fault.MISSING_FIELD),
    "B22 empty": ({}, Fault.MISSING_FIELD),
    "B23 connectorId a word": (STATUS | {"connectorId": "one"}, Fault.TYPE_CONSTRAINT),
    "B23 connectorId true": (STATUS | {"connectorId": True}, Fault.TYPE_CONSTRAINT),
    "B23 connectorId a list": (STATUS | {"connectorId": [1]}, Fault.TYPE_CONSTRAINT),
    "B23 connectorId 1.5": (STATUS | {"connectorId": 1.5}, Fault.TYPE_CONSTRAINT),
    "B23 connectorId empty": (STATUS | {"connectorId": ""}, Fault.TYPE_CONSTRAINT),
    "B23 connectorId in other digits": (STATUS | {"connectorId": "١"}, Fault.TYPE_CONSTRAINT),
    "B23 status a number": (STATUS | {"status": 1}, Fault.TYPE_CONSTRAINT),
    "B24 status Foo": (STATUS | {"status": "Foo"}, Fault.PROPERTY_CONSTRAINT),
    "B24 status empty": (STATUS | {"status": ""}, Fault.PROPERTY_CONSTRAINT),
    "B27 connectorId -1": (STATUS | {"connectorId": -1}, Fault.PROPERTY_CONSTRAINT),
    "B27 connectorId '-1'": (STATUS | {"connectorId": "-1"}, Fault.PROPERTY_CONSTRAINT),
    "B27 connectorId 65": (STATUS | {"connectorId": 65}, Fault.PROPERTY_CONSTRAINT),
    "B27 connectorId 2^31": (STATUS | {"connectorId": 2**31}, Fault.PROPERTY_CONSTRAINT),
    "B27 connectorId 2^63": (STATUS | {"connectorId": 2**63}, Fault.PROPERTY_CONSTRAINT),
    "B27 connectorId 1e300": (STATUS | {"connectorId": 1e300}, Fault.PROPERTY_CONSTRAINT),
}


@pytest.mark.parametrize(("payload", "fault"), UNCLEAR.values(), ids=UNCLEAR.keys())
def test_unclear_status_is_rejected(payload: dict[str, object], fault: Fault) -> None:
    result = run("StatusNotification", payload)
    assert isinstance(result, Rejected)
    assert result.fault is fault


def test_connector_64_is_the_last_one_taken() -> None:
    assert run("StatusNotification", STATUS | {"connectorId": 64}) == Translated((reported(connector=64),))


# What the schema says decides.
STRICT = {
    "numeric string": (STATUS | {"connectorId": "1"}, Fault.TYPE_CONSTRAINT),
    "unknown errorCode": (STATUS | {"errorCode": "Error"}, Fault.PROPERTY_CONSTRAINT),
    "no errorCode": ({"connectorId": 1, "status": "Charging"}, Fault.MISSING_FIELD),
    "unknown field": (STATUS | {"battery": 7}, Fault.SYNTACTIC),
    "wrong case": (STATUS | {"status": "charging"}, Fault.PROPERTY_CONSTRAINT),
    "connectorId -1": (STATUS | {"connectorId": -1}, Fault.PROPERTY_CONSTRAINT),
}


@pytest.mark.parametrize(("payload", "fault"), STRICT.values(), ids=STRICT.keys())
def test_strict_station_gets_what_the_schema_says(payload: dict[str, object], fault: Fault) -> None:
    result = run("StatusNotification", payload, strict=True)
    assert isinstance(result, Rejected)
    assert result.fault is fault


def test_rejection_shows_nothing_of_the_payload() -> None:
    result = run("StatusNotification", STATUS | {"status": "secret"})
    assert result == Rejected(Fault.PROPERTY_CONSTRAINT, "status is not a status")


BOOT = {"chargePointVendor": "ABB", "chargePointModel": "CDT_TACW22"}

BOOTS = {
    "least": (BOOT, StationBooted(CP, EPOCH, "ABB", "CDT_TACW22", "", ""), ()),
    "all": (
        BOOT | {"chargePointSerialNumber": "S1", "chargeBoxSerialNumber": "S2", "firmwareVersion": "1.8.21"},
        StationBooted(CP, EPOCH, "ABB", "CDT_TACW22", "S1", "1.8.21"),
        (),
    ),
    "only the deprecated serial number": (
        BOOT | {"chargeBoxSerialNumber": "S2"},
        StationBooted(CP, EPOCH, "ABB", "CDT_TACW22", "S2", ""),
        (),
    ),
    "empty vendor": (BOOT | {"chargePointVendor": ""}, StationBooted(CP, EPOCH, "", "CDT_TACW22", "", ""), ()),
    "serial of 33 characters": (
        BOOT | {"chargePointSerialNumber": "3" * 33},
        StationBooted(CP, EPOCH, "ABB", "CDT_TACW22", "3" * 33, ""),
        ("boot_lenient_schema",),
    ),
    "serial of 300 characters": (
        BOOT | {"chargePointSerialNumber": "3" * 300},
        StationBooted(CP, EPOCH, "ABB", "CDT_TACW22", "3" * 256, ""),
        ("boot_lenient_text",),
    ),
    "nothing": ({}, StationBooted(CP, EPOCH, "", "", "", ""), ("boot_lenient_missing",)),
    "log injection": (
        BOOT | {"firmwareVersion": "1\n2026 ERROR"},
        StationBooted(CP, EPOCH, "ABB", "CDT_TACW22", "", "1 2026 ERROR"),
        ("boot_lenient_text",),
    ),
}


@pytest.mark.parametrize(("payload", "event", "notes"), BOOTS.values(), ids=BOOTS.keys())
def test_boot_notification_is_always_taken(
    payload: dict[str, object], event: StationBooted, notes: tuple[str, ...]
) -> None:
    assert run("BootNotification", payload) == Translated((event,), notes)


def test_start_transaction_needs_an_id() -> None:
    payload = {"connectorId": 2, "idTag": "04ABBE2A266581", "timestamp": "2024-07-10T18:23:02Z", "meterStart": 0}
    assert run("StartTransaction", payload) == Translated((TransactionIdNeeded(CP, EPOCH, 2),))


def test_start_transaction_with_careless_fields_still_needs_an_id() -> None:
    payload = {"connectorId": "2", "idTag": "04ABBE2A266581" * 9, "meterStart": 0.5}
    expected = Translated((TransactionIdNeeded(CP, EPOCH, 2),), ("start_lenient_type",))
    assert run("StartTransaction", payload) == expected


def test_start_transaction_without_a_connector_is_rejected() -> None:
    assert run("StartTransaction", {"idTag": "A"}) == Rejected(Fault.MISSING_FIELD, "connectorId is missing")


@pytest.mark.parametrize("action", ["Heartbeat", "MeterValues", "Authorize", "StopTransaction", "DataTransfer"])
def test_other_actions_carry_no_event_whatever_they_hold(action: str) -> None:
    result = run(action, {"unit": "Hz"})
    assert result == Translated((), ("message_lenient_schema",))


def test_other_actions_are_checked_when_strict() -> None:
    assert run("Heartbeat", {}, strict=True) == Translated(())
    result = run("MeterValues", {"connectorId": 1}, strict=True)
    assert result == Rejected(Fault.MISSING_FIELD, "meterValue is missing")


def test_b30_each_status_is_taken_whatever_the_one_before_was() -> None:
    for word in ("Available", "Finishing", "Charging", "Preparing", "Faulted", "SuspendedEV", "Available"):
        result = run("StatusNotification", STATUS | {"status": word})
        assert result == Translated((reported(status=ReportedStatus(word)),))


def test_b31_repeated_request_translates_the_same() -> None:
    assert run("StatusNotification", STATUS) == run("StatusNotification", STATUS)
