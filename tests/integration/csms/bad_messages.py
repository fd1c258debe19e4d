"""Bad messages and what each OCPP version answers them with: one row per input.

Numbered as in the list of bad input and attacks (B5 to B34); the expected answers are literals from OCPP-J 1.6 §4 (with
its errata) and OCPP 2.0.1 Part 4 §4. All of 2.x share one column.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.integration.csms.fakes import STATUS_16, STATUS_201

CANARY = "K4n4rY"

Expected = tuple[Any, ...]
"""The answers' first elements: (4, id, code) and (3, id); `SILENCE` where there is none."""
SILENCE: Expected = ()


def error(id: str, code: str) -> Expected:
    return ((4, id, code),)


def result(id: str) -> Expected:
    return ((3, id),)


@dataclass(frozen=True)
class Row:
    """What is sent, and what comes back in OCPP 1.6 and in 2.x; None: the row does not concern that version."""

    id: str
    frame: str | bytes | tuple[str | bytes, str | bytes]
    """One for all versions, or one for 1.6 and one for 2.x."""
    v16: Expected | None
    v2: Expected | None
    counted: str | None = None
    """The kind that is counted, once."""
    strict: bool = False
    recorded: int = 0
    """Statuses that count."""

    def sent(self, version: str) -> str | bytes:
        if isinstance(self.frame, tuple):
            return self.frame[0 if version == "ocpp1.6" else 1]
        return self.frame

    def expected(self, version: str) -> Expected | None:
        return self.v16 if version == "ocpp1.6" else self.v2


def call(action: str, payload: object, id: str = "b") -> str:
    return json.dumps([2, id, action, payload])


def status(changes_16: dict[str, Any], changes_201: dict[str, Any]) -> tuple[str, str]:
    """Return a StatusNotification of each version with these fields changed; None takes a field away."""
    return tuple(  # type: ignore[return-value]
        call("StatusNotification", {k: v for k, v in {**whole, **changes}.items() if v is not None})
        for whole, changes in ((STATUS_16, changes_16), (STATUS_201, changes_201))
    )


def connector(number: object) -> tuple[str, str]:
    return status({"connectorId": number}, {"connectorId": number})


NOT_RPC = error("-1", "RpcFrameworkError")
FORMATION = error("b", "FormationViolation")
FORMAT = error("b", "FormatViolation")
RPC = error("b", "RpcFrameworkError")
NO_TYPE = error("b", "MessageTypeNotSupported")
PROPERTY = error("b", "PropertyConstraintViolation")
TYPE = error("b", "TypeConstraintViolation")
DEEP = '[2,"b","StatusNotification",' + '{"a":' * 10_000 + "1" + "}" * 10_000 + "]"
DIGITS = "9" * 5_000

ROWS = [
    # --- what is no JSON, or no array ---
    Row("B5-not-utf8", b'[2,"b","Heartbeat",{"a":"\xff"}]', FORMATION, FORMAT, "frame_malformed_not_utf8"),
    Row("B5-not-utf8-no-id", b"\xff\xfe\xfd", SILENCE, NOT_RPC, "frame_malformed_not_utf8"),
    Row("B8-truncated", f'[2,"b","Heartbeat",{{"{CANARY}":', FORMATION, FORMAT, "frame_malformed_not_json"),
    Row("B8-not-json", CANARY, SILENCE, NOT_RPC, "frame_malformed_not_json"),
    Row("B8-empty", "", SILENCE, NOT_RPC, "frame_malformed_not_json"),
    Row("B8-byte-order-mark", "\ufeff" + call("Heartbeat", {}), result("b"), result("b")),
    Row(
        "B8-byte-order-mark-strict",
        "\ufeff" + call("Heartbeat", {}),
        FORMATION,
        FORMAT,
        "frame_malformed_not_json",
        strict=True,
    ),
    Row("B9-object", "{}", SILENCE, NOT_RPC, "frame_malformed_not_a_list"),
    Row("B9-text", f'"{CANARY}"', SILENCE, NOT_RPC, "frame_malformed_not_a_list"),
    Row("B9-number", "1", SILENCE, NOT_RPC, "frame_malformed_not_a_list"),
    Row("B9-empty-array", "[]", SILENCE, NOT_RPC, "frame_malformed_not_a_list"),
    Row("B10-deep", DEEP, FORMATION, RPC, "frame_malformed_too_deep"),
    Row("B10-deep-no-id", "[" * 10_000, SILENCE, NOT_RPC, "frame_malformed_too_deep"),
    Row(
        "B11-5000-digits",
        f'[2,"b","StatusNotification",{{"connectorId":{DIGITS}}}]',
        PROPERTY,
        PROPERTY,
        "frame_malformed_impossible_number",
    ),
    Row(
        "B12-nan",
        '[2,"b","StatusNotification",{"connectorId":NaN}]',
        FORMATION,
        FORMAT,
        "frame_malformed_impossible_number",
    ),
    Row("B12-infinity", '[2,"b","Heartbeat",{"a":-Infinity}]', FORMATION, FORMAT, "frame_malformed_impossible_number"),
    Row("B12-1e400", '[2,"b","Heartbeat",{"a":1e400}]', FORMATION, FORMAT, "frame_malformed_impossible_number"),
    Row("B13-repeated-key", '[2,"b","Heartbeat",{"a":1,"a":2}]', result("b"), result("b")),
    Row(
        "B13-repeated-key-strict",
        '[2,"b","Heartbeat",{"a":1,"a":2}]',
        FORMATION,
        FORMAT,
        "frame_malformed_duplicate_key",
        strict=True,
    ),
    # --- the frame's own elements; OCPP-J 1.6 §4.1.3: an unknown type's payload SHALL be ignored ---
    Row("B15-type-0", '[0,"b","Heartbeat",{}]', SILENCE, NO_TYPE, "frame_malformed_unknown_type"),
    Row("B15-type-7", '[7,"b","Heartbeat",{}]', SILENCE, NO_TYPE, "frame_malformed_unknown_type"),
    Row("B15-type-text", '["2","b","Heartbeat",{}]', SILENCE, NO_TYPE, "frame_malformed_unknown_type"),
    Row("B15-type-real", '[2.0,"b","Heartbeat",{}]', SILENCE, NO_TYPE, "frame_malformed_unknown_type"),
    Row("B15-type-true", '[true,"b","Heartbeat",{}]', SILENCE, NO_TYPE, "frame_malformed_unknown_type"),
    Row("B15-type-null", '[null,"b","Heartbeat",{}]', SILENCE, NO_TYPE, "frame_malformed_unknown_type"),
    Row("B15-type-no-id", "[0]", SILENCE, error("-1", "MessageTypeNotSupported"), "frame_malformed_unknown_type"),
    Row("B16-three-elements", '[2,"b","Heartbeat"]', FORMATION, RPC, "frame_malformed_wrong_length"),
    Row("B16-five-elements", '[2,"b","Heartbeat",{},{}]', FORMATION, RPC, "frame_malformed_wrong_length"),
    Row("B17-id-number", '[2,7,"Heartbeat",{}]', SILENCE, NOT_RPC, "frame_malformed_bad_id"),
    Row("B17-id-array", '[2,["b"],"Heartbeat",{}]', SILENCE, NOT_RPC, "frame_malformed_bad_id"),
    Row("B17-id-empty", '[2,"","Heartbeat",{}]', SILENCE, NOT_RPC, "frame_malformed_bad_id"),
    Row(
        "B17-id-of-37",
        '[2,"' + "x" * 37 + '","Heartbeat",{}]',
        error("x" * 36, "FormationViolation"),
        NOT_RPC,
        "frame_malformed_bad_id",
    ),
    Row("B18-action-array", f'[2,"b",["{CANARY}"],{{}}]', FORMATION, RPC, "frame_malformed_bad_action"),
    Row("B18-action-object", '[2,"b",{"a":1},{}]', FORMATION, RPC, "frame_malformed_bad_action"),
    Row("B18-action-null", '[2,"b",null,{}]', FORMATION, RPC, "frame_malformed_bad_action"),
    Row("B18-payload-array", f'[2,"b","Heartbeat",["{CANARY}"]]', FORMATION, FORMAT, "frame_malformed_bad_payload"),
    Row("B18-payload-null", '[2,"b","Heartbeat",null]', result("b"), result("b")),  # OCPP-J 1.6 §4.2.1
    # --- actions ---
    Row(
        "B19-unknown-action",
        call(CANARY, {}),
        error("b", "NotImplemented"),
        error("b", "NotImplemented"),
        "call_refused_not_implemented",
    ),
    Row(
        "B20-action-of-ours",
        call("Reset", {"type": "Soft"}),
        error("b", "NotSupported"),
        error("b", "NotSupported"),
        "call_refused_not_supported",
    ),
    Row("B20-vendor", call("DataTransfer", {"vendorId": CANARY}), result("b"), result("b")),
    # --- payloads ---
    Row(
        "B22-missing-field",
        status({"status": None}, {"connectorStatus": None}),
        error("b", "ProtocolError"),
        error("b", "OccurrenceConstraintViolation"),
        "call_refused_missing_field",
    ),
    Row(
        "B22-missing-field-strict",
        status({"errorCode": None}, {"timestamp": None}),
        error("b", "ProtocolError"),
        error("b", "OccurrenceConstraintViolation"),
        "call_refused_missing_field",
        strict=True,
    ),
    Row(
        "B22-missing-field-nobody-needs",
        status({"errorCode": None}, {"timestamp": None}),
        result("b"),
        result("b"),
        "status_lenient_missing",
        recorded=1,
    ),
    Row("B23-wrong-type", connector([CANARY]), TYPE, TYPE, "call_refused_type_constraint"),
    Row("B23-number-as-text", connector("1"), result("b"), result("b"), "status_lenient_type", recorded=1),
    Row("B23-number-as-text-strict", connector("1"), TYPE, TYPE, "call_refused_type_constraint", strict=True),
    Row(
        "B24-unknown-status",
        status({"status": CANARY}, {"connectorStatus": CANARY}),
        PROPERTY,
        PROPERTY,
        "call_refused_property_constraint",
    ),
    Row(
        "B24-other-case",
        status({"status": "faulted"}, {"connectorStatus": "faulted"}),
        result("b"),
        result("b"),
        "status_lenient_case",
        recorded=1,
    ),
    Row(
        "B24-other-case-strict",
        status({"status": "faulted"}, {"connectorStatus": "faulted"}),
        PROPERTY,
        PROPERTY,
        "call_refused_property_constraint",
        strict=True,
    ),
    Row(
        "B25-unknown-error-code",
        status({"errorCode": "Error"}, {}),
        result("b"),
        None,
        "status_lenient_error_code",
        recorded=1,
    ),
    Row(
        "B25-unknown-error-code-strict",
        status({"errorCode": CANARY}, {}),
        PROPERTY,
        None,
        "call_refused_property_constraint",
        strict=True,
    ),
    Row("B25-long-info", status({"info": CANARY * 50}, {}), result("b"), None, "status_lenient_text", recorded=1),
    Row(
        "B25-long-info-strict",
        status({"info": CANARY * 50}, {}),
        PROPERTY,
        None,
        "call_refused_property_constraint",
        strict=True,
    ),
    Row(
        "B26-more-fields",
        status({CANARY: 1}, {CANARY: 1}),
        result("b"),
        result("b"),
        "status_lenient_extra",
        recorded=1,
    ),
    Row(
        "B26-more-fields-strict",
        status({CANARY: 1}, {CANARY: 1}),
        FORMATION,
        FORMAT,
        "call_refused_syntactic",
        strict=True,
    ),
    Row("B27-connector-minus-1", connector(-1), PROPERTY, PROPERTY, "call_refused_property_constraint"),
    Row("B27-connector-65", connector(65), PROPERTY, PROPERTY, "call_refused_property_constraint"),
    Row("B27-connector-2-to-31", connector(2**31), PROPERTY, PROPERTY, "call_refused_property_constraint"),
    Row("B27-connector-2-to-63", connector(2**63), PROPERTY, PROPERTY, "call_refused_property_constraint"),
    *(
        Row(
            f"B28-timestamp-{name}",
            status({"timestamp": text}, {"timestamp": text}),
            result("b"),
            result("b"),
            recorded=1,
        )
        for name, text in [
            ("1970", "1970-01-01T00:00:00Z"),
            ("year-1", "0001-01-01T00:00:00Z"),
            ("year-222222017", "222222017-10-27T19:10:11Z"),
            ("naive", "2026-11-21T10:00:00"),
            ("hour-24", "2026-11-21T24:00:00Z"),
            ("second-60", "2026-11-21T23:59:60Z"),
            ("long", "2" * 500),
        ]
    ),
    Row("B28-timestamp-absent", status({}, {"timestamp": None}), result("b"), result("b"), recorded=1),
    Row(
        "B28-timestamp-strict",
        status({"timestamp": CANARY}, {"timestamp": CANARY}),
        PROPERTY,
        PROPERTY,
        "call_refused_property_constraint",
        strict=True,
    ),
    Row(
        "B29-station-charges",
        status({"connectorId": 0, "status": "Charging"}, {}),
        result("b"),
        None,
        "status_lenient_station_word",
        recorded=1,
    ),
    Row("B29-station-has-connectors", status({}, {"evseId": 0}), None, PROPERTY, "call_refused_property_constraint"),
    # --- answers: never answered, whatever they are ---
    Row("B33-result-nobody-asked-for", f'[3,"{CANARY}",{{}}]', SILENCE, SILENCE, "answer_unexpected"),
    Row(
        "B33-error-nobody-asked-for",
        f'[4,"{CANARY}","GenericError","{CANARY}",{{}}]',
        SILENCE,
        SILENCE,
        "answer_unexpected",
    ),
    Row("B33-result-without-payload", '[3,"x"]', SILENCE, SILENCE, "frame_malformed_wrong_length"),
    Row("B33-result-that-is-no-json", '[3,"x",{', SILENCE, SILENCE, "frame_malformed_not_json"),
    Row("B34-error-about-our-error", '[4,"-1","RpcFrameworkError","",{}]', SILENCE, SILENCE, "answer_unexpected"),
    Row("B34-error-without-id", "[4]", SILENCE, SILENCE, "frame_malformed_bad_id"),
    Row(
        "B34-error-type-as-text",
        '["4","-1","RpcFrameworkError","",{}]',
        SILENCE,
        SILENCE,
        "frame_malformed_unknown_type",
    ),
]
