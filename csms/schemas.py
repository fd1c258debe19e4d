"""Check payloads against the JSON schemas of the standards, which the `ocpp` package carries.

Reads package files once and never touches anything else; never quotes a payload.
Before it: `frames`. After it: `v16.translate`, `v201.translate` and `v21.translate`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Literal

import jsonschema_rs

from csms.events import OcppVersion
from csms.faults import Fault

Direction = Literal["request", "response"]

_FOLDERS = {OcppVersion.V16: "ocpp.v16", OcppVersion.V201: "ocpp.v201", OcppVersion.V21: "ocpp.v21"}
_RESPONSE = "Response"
_REQUEST = {OcppVersion.V16: "", OcppVersion.V201: "Request", OcppVersion.V21: "Request"}
_MOST_ERRORS = 32
"""Errors looked at to find the one that is told; a long array can be wrong in every element."""

# OCPP 1.6 §4 "Operations Initiated by Charge Point", and the security whitepaper's §5.
_STATION_ACTIONS_16 = frozenset(
    {
        "Authorize",
        "BootNotification",
        "DataTransfer",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    }
)

# OCPP 2.0.1 Part 2, Messages: those whose request is sent by the Charging Station.
_STATION_ACTIONS_201 = frozenset(
    {
        "Authorize",
        "BootNotification",
        "ClearedChargingLimit",
        "DataTransfer",
        "FirmwareStatusNotification",
        "Get15118EVCertificate",
        "GetCertificateStatus",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
        "SignCertificate",
        "StatusNotification",
        "TransactionEvent",
    }
)

# OCPP 2.1 Part 2, Messages: what its Charging Stations send besides.
_STATION_ACTIONS_21 = _STATION_ACTIONS_201 | {
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

_STATION_ACTIONS = {
    OcppVersion.V16: _STATION_ACTIONS_16,
    OcppVersion.V201: _STATION_ACTIONS_201,
    OcppVersion.V21: _STATION_ACTIONS_21,
}

_UNCONFIRMED = {
    OcppVersion.V16: frozenset[str](),
    OcppVersion.V201: frozenset[str](),
    OcppVersion.V21: frozenset({"NotifyPeriodicEventStream"}),
}
"""Messages without a response, which travel as a SEND. Source: OCPP 2.1 Part 2, NotifyPeriodicEventStream."""

# From the fault that says most to the one that says least, by the keyword of the schema that failed.
_FAULTS = {
    "required": Fault.MISSING_FIELD,
    "type": Fault.TYPE_CONSTRAINT,
    "enum": Fault.PROPERTY_CONSTRAINT,
    "const": Fault.PROPERTY_CONSTRAINT,
    "format": Fault.PROPERTY_CONSTRAINT,
    "pattern": Fault.PROPERTY_CONSTRAINT,
    "maxLength": Fault.PROPERTY_CONSTRAINT,
    "minLength": Fault.PROPERTY_CONSTRAINT,
    "maximum": Fault.PROPERTY_CONSTRAINT,
    "minimum": Fault.PROPERTY_CONSTRAINT,
    "multipleOf": Fault.PROPERTY_CONSTRAINT,
    "maxItems": Fault.OCCURRENCE,
    "minItems": Fault.OCCURRENCE,
    "additionalProperties": Fault.SYNTACTIC,
}
_RANKS = {keyword: rank for rank, keyword in enumerate(_FAULTS)}

_TEXTS = {
    Fault.MISSING_FIELD: "is missing",
    Fault.TYPE_CONSTRAINT: "has the wrong type",
    Fault.PROPERTY_CONSTRAINT: "has a value that is not allowed",
    Fault.OCCURRENCE: "has too many or too few elements",
    Fault.SYNTACTIC: "has fields that the schema does not know",
}

_MOST_NAMED = 5
_LIMITS = {
    "maxLength": "have a length of at most",
    "minLength": "have a length of at least",
    "maximum": "be at most",
    "minimum": "be at least",
    "maxItems": "have a number of elements of at most",
    "minItems": "have a number of elements of at least",
}


def load() -> None:
    """Compile every schema of every version now, so that no later check reads a file."""
    for version in OcppVersion:
        for action in known_actions(version):
            _validator(version, action, "request")
            if action not in _UNCONFIRMED[version]:
                _validator(version, action, "response")


def station_actions(version: OcppVersion) -> frozenset[str]:
    """Return the actions whose request a station may send as a CALL."""
    return _STATION_ACTIONS[version]


def csms_actions(version: OcppVersion) -> frozenset[str]:
    """Return the actions whose request we may send; DataTransfer goes both ways."""
    return (known_actions(version) - station_actions(version)) | {"DataTransfer"}


def unconfirmed_actions(version: OcppVersion) -> frozenset[str]:
    """Return the actions that a station may only SEND, since they have no response."""
    return _UNCONFIRMED[version]


@cache
def known_actions(version: OcppVersion) -> frozenset[str]:
    """Return every action of the version, whoever sends it."""
    names = (entry.name.removesuffix(".json") for entry in _folder(version).iterdir() if entry.name.endswith(".json"))
    return frozenset(name.removesuffix(_RESPONSE) for name in names if name.endswith(_RESPONSE)) | _UNCONFIRMED[version]


def problems(
    version: OcppVersion, action: str, payload: Mapping[str, Any], direction: Direction = "request"
) -> tuple[Fault, str] | None:
    """Return what the schema has against the payload, or None where it has nothing, or does not know the action.

    Of several problems the one that says most is told: missing before wrong type before wrong value before unknown
    fields. The description names fields of the schema and never shows what the station sent.
    """
    if action not in known_actions(version):
        return None
    validator = _validator(version, action, direction)
    try:
        if validator.is_valid(payload):
            return None
        return _worst(islice(validator.iter_errors(payload), _MOST_ERRORS))
    except ValueError:  # half a surrogate pair: text that no UTF-8 can carry
        return Fault.SYNTACTIC, "The payload contains text that is not Unicode"


def advice(version: OcppVersion, action: str, payload: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a request of ours and what would be right, or None where nothing is.

    Shows names and values of the schema only, and of the payload at most the names of fields.
    """
    try:
        errors = list(islice(_validator(version, action, "request").iter_errors(payload), _MOST_ERRORS))
    except ValueError:
        return "the payload contains text that is not Unicode"
    return _advised(min(errors, key=_rank)) if errors else None


def _advised(error: jsonschema_rs.ValidationError) -> str:
    said = error.kind.as_dict()
    path = [str(step) for step in error.instance_path]
    match error.kind.name:
        case "required":
            return f"{'.'.join([*path, said['property']])} is missing"
        case "additionalProperties":
            unknown = ", ".join(str(name)[:64] for name in said["unexpected"][:_MOST_NAMED])
            return f"{'.'.join(path) or 'the payload'} has no field {unknown} in this action"
        case "type":
            wanted = f"be of type {' or '.join(said['types'])}"
        case "enum":
            wanted = f"be one of {', '.join(map(str, said['options']))}"
        case "format":
            wanted = f"have the format {said.get('format', 'of the schema')}"
        case name if "limit" in said:
            wanted = f"{_LIMITS.get(name, name)} {said['limit']}"
        case name:
            wanted = f"satisfy the schema's {name}"
    return f"{'.'.join(path) or 'the payload'} must {wanted}"


def _rank(error: jsonschema_rs.ValidationError) -> int:
    return _RANKS.get(error.kind.name, len(_RANKS))


def _worst(errors: Iterable[jsonschema_rs.ValidationError]) -> tuple[Fault, str]:
    error = min(errors, key=_rank)
    fault = _FAULTS.get(error.kind.name, Fault.PROPERTY_CONSTRAINT)
    path = [str(step) for step in error.instance_path]
    if fault is Fault.MISSING_FIELD:
        path.append(str(error.kind.value))
    return fault, f"{'.'.join(path) or 'The payload'} {_TEXTS[fault]}"


@cache
def _validator(version: OcppVersion, action: str, direction: Direction) -> jsonschema_rs.Validator:
    request = "" if action in _UNCONFIRMED[version] else _REQUEST[version]
    suffix = _RESPONSE if direction == "response" else request
    # The files begin with a byte order mark.
    schema = json.loads(_folder(version).joinpath(f"{action}{suffix}.json").read_text("utf-8-sig"))
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def _folder(version: OcppVersion) -> Any:
    return files(_FOLDERS[version]) / "schemas"
