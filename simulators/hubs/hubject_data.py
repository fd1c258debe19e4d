"""Judge an eRoamingPushEvseData: which fields a record has, and which EVSEs Hubject has data of afterwards.

Does no I/O. Before it: `hubject`. Its twin is `hubject_status`.
Source: OICP 2.3 CPO, eRoamingPushEvseData_V2.3, EvseDataRecordType and the types it names; Acceptable Use Policy
(375 calls per minute); ActionType as eRoamingAuthenticationData defines it. Where Hubject's documents disagree, the
narrower reading is taken (EnergySource.Percentage has two digits), but both ChargingStationId and ChargingStationID
pass: the type is written with the one, every published example with the other. That a mandatory list has at least one
element is inferred.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator

from simulators.hubs.exchange import Judgement
from simulators.hubs.hubject_push import (
    ACTIONS,
    DATA_MISSING,
    EVSE_ID,
    NOT_FOUND,
    Push,
    Service,
    accepted,
    canonical,
    listing,
    refused,
    suspicious_full_load,
)
from simulators.hubs.ledger import Change, Ledger, RateLimit

OPERATION = "eRoamingPushEvseData"
KIND = "evse_data"
"""The ledger's kind of documents; their key is the EvseID as it was first sent."""
RATE_LIMIT = RateLimit(375, 60)

OPERATOR_ID = r"^(([A-Za-z]{2}\*?[A-Za-z0-9]{3})|(\+?[0-9]{1,3}\*[0-9]{3}))$"
POOL_ID = r"^[A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?P[A-Za-z0-9\*]{1,30}$"
PLUGS = (
    "Small Paddle Inductive",
    "Large Paddle Inductive",
    "AVCON Connector",
    "Tesla Connector",
    "NEMA 5-20",
    "Type E French Standard",
    "Type F Schuko",
    "Type G British Standard",
    "Type J Swiss Standard",
    "Type 1 Connector (Cable Attached)",
    "Type 2 Outlet",
    "Type 2 Connector (Cable Attached)",
    "Type 3 Outlet",
    "IEC 60309 Single Phase",
    "IEC 60309 Three Phase",
    "CCS Combo 2 Plug (Cable Attached)",
    "CCS Combo 1 Plug (Cable Attached)",
    "CHAdeMO",
)
ENERGIES = (
    *("Solar", "Wind", "HydroPower", "GeothermalEnergy", "Biomass"),
    *("Coal", "NuclearEnergy", "Petroleum", "NaturalGas"),
)
AUTHENTICATION_MODES = (
    *("NFC RFID Classic", "NFC RFID DESFire", "PnC", "REMOTE", "Direct Payment"),
    "No Authentication Required",
)
SERVICES = (
    *("Reservation", "DynamicPricing", "ParkingSensors", "MaximumPowerCharging"),
    *("PredictiveChargePointUsage", "ChargingPlans", "RoofProvided", "None"),
)
DAYS = ("Everyday", "Workdays", "Weekend", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _text(most: int, least: int = 0) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most}


def _pattern(expression: str) -> dict[str, Any]:
    return {"type": "string", "pattern": expression}


def _one_of(*values: str) -> dict[str, Any]:
    return {"enum": list(values)}


def _whole(most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": most}


def _list(items: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": required | (optional or {}),
    }


_FLAG = {"type": "boolean"}
_INFO_TEXT = _object(
    {
        "lang": _pattern(r"^[a-z]{2,3}(?:-[A-Z]{2,3}(?:-[a-zA-Z]{4})?)?(?:-x-[a-zA-Z0-9]{1,8})?$"),
        "value": _text(150),
    }
)
_DEGREE = _pattern(r"^-?1?[0-9]{1,2}\.[0-9]{1,6}$")
_MINUTES = _pattern(r"^-?1?[0-9]{1,2}°[ ]?[0-9]{1,2}'[ ]?[0-9]{1,2}\.[0-9]+''$")
_PAIR = r"^-?1?[0-9]{1,2}\.[0-9]{1,6}\s*,?\s*-?1?[0-9]{1,2}\.[0-9]{1,6}$"
_COORDINATES = _object(
    {},
    {
        "Google": _object({"Coordinates": _pattern(_PAIR)}),
        "DecimalDegree": _object({"Longitude": _DEGREE, "Latitude": _DEGREE}),
        "DegreeMinuteSeconds": _object({"Longitude": _MINUTES, "Latitude": _MINUTES}),
    },
) | {"minProperties": 1, "maxProperties": 1}
_ADDRESS = _object(
    {
        "Country": _pattern("^[A-Z]{3}$"),
        "City": _text(50, 1),
        "Street": _text(100, 2),
        "PostalCode": _text(10),
        "HouseNum": _text(10),
    },
    {
        "Floor": _text(5),
        "Region": _text(50),
        "ParkingFacility": _FLAG,
        "ParkingSpot": _text(5),
        "TimeZone": _pattern("^UTC[+,-][0-9][0-9]:[0-9][0-9]$"),
    },
)
_FACILITY = _object(
    {"PowerType": _one_of("AC_1_PHASE", "AC_3_PHASE", "DC"), "Power": _whole(999)},
    {
        "Voltage": _whole(999),
        "Amperage": _whole(99),
        "ChargingModes": _list(_one_of("Mode_1", "Mode_2", "Mode_3", "Mode_4", "CHAdeMO")),
    },
)
_TIME = _pattern("^[0-9]{2}:[0-9]{2}$")
_OPENING = _object({"Period": _list(_object({"begin": _TIME, "end": _TIME}), 1), "on": _one_of(*DAYS)})
_IMPACT = {"type": "number", "minimum": 0, "maximum": 99999}
_PAYMENT = _list(_one_of("No Payment", "Direct", "Contract"), 1) | {
    "if": {"contains": {"const": "No Payment"}},
    "then": {"maxItems": 1},
}

_MANDATORY = {
    "EvseID": _pattern(EVSE_ID),
    "ChargingStationNames": _list(_INFO_TEXT, 1),
    "Address": _ADDRESS,
    "GeoCoordinates": _COORDINATES,
    "Plugs": _list(_one_of(*PLUGS), 1),
    "ChargingFacilities": _list(_FACILITY, 1),
    "RenewableEnergy": _FLAG,
    "CalibrationLawDataAvailability": _one_of("Local", "External", "Not Available"),
    "AuthenticationModes": _list(_one_of(*AUTHENTICATION_MODES), 1),
    "PaymentOptions": _PAYMENT,
    "ValueAddedServices": _list(_one_of(*SERVICES), 1),
    "Accessibility": _one_of(
        *("Free publicly accessible", "Restricted access", "Paying publicly accessible", "Test Station")
    ),
    "HotlinePhoneNumber": _pattern(r"^\+[0-9]{5,15}$"),
    "IsOpen24Hours": _FLAG,
    "IsHubjectCompatible": _FLAG,
    "DynamicInfoAvailable": _one_of("true", "false", "auto"),
}
_OPTIONAL = {
    "ChargingPoolID": _pattern(POOL_ID),
    "ChargingStationId": _text(50),
    "ChargingStationID": _text(50),
    "HardwareManufacturer": _text(50),
    "ChargingStationImage": _text(200),
    "SubOperatorName": _text(100),
    "DynamicPowerLevel": _FLAG,
    "EnergySource": _list(_object({"Energy": _one_of(*ENERGIES)}, {"Percentage": _whole(99)})),
    "EnvironmentalImpact": _object({}, {"CO2Emission": _IMPACT, "NuclearWaste": _IMPACT}),
    "MaxCapacity": {"type": "integer", "minimum": 0},
    "AccessibilityLocation": _one_of("OnStreet", "ParkingLot", "ParkingGarage", "UndergroundParkingGarage"),
    "AdditionalInfo": _list(_INFO_TEXT),
    "ChargingStationLocationReference": _list(_INFO_TEXT),
    "GeoChargingPointEntrance": _COORDINATES,
    "OpeningTimes": _list(_OPENING, 1),
    "HubOperatorID": _pattern(OPERATOR_ID),
    "ClearinghouseID": _text(20),
    "deltaType": _one_of("update", "insert", "delete"),
    "lastUpdate": {"type": "string"},
}
_RECORD = _object(_MANDATORY, _OPTIONAL) | {
    "if": {"properties": {"IsOpen24Hours": {"const": False}}, "required": ["IsOpen24Hours"]},
    "then": {"required": ["OpeningTimes"]},
}
SCHEMA = Draft202012Validator(
    _object(
        {
            "ActionType": _one_of(*ACTIONS),
            "OperatorEvseData": _object(
                {
                    "OperatorID": _pattern(OPERATOR_ID),
                    "OperatorName": _text(100, 1),
                    "EvseDataRecord": _list(_RECORD),
                }
            ),
        }
    )
)


def read(operation: str, body: Mapping[str, Any]) -> tuple[str, Push]:
    """Return the OperatorID and the push of a body that keeps the schema."""
    data = body["OperatorEvseData"]
    rows = data["EvseDataRecord"]
    records = tuple((row["EvseID"], digest(row)) for row in rows)
    return data["OperatorID"], Push(operation, body["ActionType"], rows, records)


SERVICE = Service(OPERATION, SCHEMA, read)


def digest(row: Mapping[str, Any]) -> str:
    """Return what the journal shows of a record: 12 hexadecimal digits that change when the record does."""
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:12]


def judge(push: Push, ledger: Ledger, *, strict_known: bool) -> Judgement:
    """Return what Hubject makes of the data of the operator's own EVSEs.

    An insert of what is there and an update of what is not are refused whole. Whether a delete of what is not there is,
    the documents leave open: only where `strict_known`.
    """
    held = {canonical(key): key for key in ledger.documents(KIND)}
    there = [one for one in push.ids if canonical(one) in held]
    missing = [one for one in push.ids if canonical(one) not in held]
    if push.action == "insert" and there:
        info = listing("EVSE data records already exist for EvseIDs: ", there)
        return refused(push, "022", "Data error", info=info)
    if missing and (push.action == "update" or (push.action == "delete" and strict_known)):
        return refused(push, "603", NOT_FOUND, info=listing(DATA_MISSING, missing))
    before = frozenset(map(canonical, ledger.documents(KIND, push.operation)))
    return _accepted(push, held, before)


def without_data(evse_ids: Iterable[str], ledger: Ledger) -> frozenset[str]:
    """Return those EVSEs that Hubject has no data of, in any spelling."""
    candidates = [one for one in evse_ids if ledger.document(KIND, one) is None]
    if not candidates:
        return frozenset()
    held = set(map(canonical, ledger.documents(KIND)))
    return frozenset(one for one in candidates if canonical(one) not in held)


def _accepted(push: Push, held: Mapping[str, str], before: frozenset[str]) -> Judgement:
    named = {(KIND, held.get(canonical(row["EvseID"]), row["EvseID"])): row for row in push.rows}
    match push.action:
        case "fullLoad":
            broken = suspicious_full_load(before, frozenset(map(canonical, push.ids)))
            documents = {(KIND, row["EvseID"]): row for row in push.rows}
            return accepted(push, Change(documents=documents, replace_documents=KIND, owner=push.operation), broken)
        case "delete":
            return accepted(push, Change(documents=dict.fromkeys(named)))
        case _:
            return accepted(push, Change(documents=named, owner=push.operation))
