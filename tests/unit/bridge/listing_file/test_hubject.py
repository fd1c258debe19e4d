"""What Hubject would refuse of an EVSE's data is a mistake of the file, with its place and what would be right."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bridge.listing_file.hubject import read_evses
from bridge.listing_file.model import ListingError

PUBLISHED: dict[str, Any] = {
    "Accessibility": "Restricted access",
    "AccessibilityLocation": "ParkingGarage",
    "AdditionalInfo": [{"lang": "en", "value": "This charging station is for testing purposes"}],
    "Address": {
        "City": "Berlin",
        "Country": "DEU",
        "Floor": "6OG",
        "HouseNum": "22",
        "PostalCode": "10829",
        "Region": "Berlin",
        "Street": "EUREF CAMPUS",
        "TimeZone": "UTC+01:00",
        "ParkingFacility": True,
        "ParkingSpot": "E36",
    },
    "AuthenticationModes": ["NFC RFID Classic", "REMOTE"],
    "CalibrationLawDataAvailability": "Local",
    "ChargingFacilities": [
        {"Amperage": 32, "Power": 22, "PowerType": "AC_3_PHASE", "Voltage": 480, "ChargingModes": ["Mode_4"]}
    ],
    "ChargingPoolID": "DE*ABC*P1234TEST*1",
    "ChargingStationID": "TEST 1",
    "ChargingStationImage": "http://www.testlink.com",
    "ChargingStationNames": [
        {"lang": "en", "value": "ABC Charging Station Test"},
        {"lang": "de", "value": "ABC Testladestation"},
    ],
    "ChargingStationLocationReference": [
        {"lang": "en", "value": "Charging station is inside Hubject Officem Parking Lot"}
    ],
    "ClearinghouseID": "TEST ID",
    "DynamicInfoAvailable": "true",
    "DynamicPowerLevel": True,
    "EvseID": "DE*XYZ*ETEST1",
    "EnergySource": [{"Energy": "Solar", "Percentage": 85}, {"Energy": "Wind", "Percentage": 15}],
    "EnvironmentalImpact": {"CO2Emission": 30.3},
    "GeoChargingPointEntrance": {"Google": {"Coordinates": "52.480495 13.356465"}},
    "GeoCoordinates": {"Google": {"Coordinates": "52.480495 13.356465"}},
    "HardwareManufacturer": "Charger Hardware Muster Company",
    "HotlinePhoneNumber": "+49123123123123",
    "HubOperatorID": "DE*ABC",
    "IsHubjectCompatible": True,
    "IsOpen24Hours": False,
    "MaxCapacity": 50,
    "OpeningTimes": [{"Period": [{"begin": "09:00", "end": "18:00"}], "on": "Everyday"}],
    "PaymentOptions": ["No Payment"],
    "Plugs": ["Type 2 Outlet"],
    "RenewableEnergy": True,
    "SubOperatorName": "XYZ Technologies",
    "ValueAddedServices": ["Reservation"],
}
"""Source: OICP 2.3 CPO, OpenAPI example of eRoamingPushEvseData, without what Hubject writes itself."""

MANDATORY = [
    "ChargingStationNames",
    "Address",
    "GeoCoordinates",
    "Plugs",
    "ChargingFacilities",
    "RenewableEnergy",
    "CalibrationLawDataAvailability",
    "AuthenticationModes",
    "PaymentOptions",
    "ValueAddedServices",
    "Accessibility",
    "HotlinePhoneNumber",
    "IsOpen24Hours",
    "IsHubjectCompatible",
    "DynamicInfoAvailable",
]
"""Source: OICP 2.3 CPO, EvseDataRecordType; EvseID is the sixteenth."""


def read(*records: dict[str, Any], defaults: dict[str, Any] | None = None) -> tuple[list[str], list[str]]:
    errors: list[ListingError] = []
    warnings: list[str] = []
    read_evses({"defaults": defaults or {}, "evse": list(records)}, errors, warnings)
    return [str(error) for error in errors], warnings


def with_value(path: str, value: object) -> dict[str, Any]:
    record = copy.deepcopy(PUBLISHED)
    *way, last = path.split(".")
    inner: Any = record
    for part in way:
        inner = inner[int(part)] if part.isdecimal() else inner[part]
    inner[int(last) if last.isdecimal() else last] = value
    return record


def test_the_published_example_is_right_and_is_kept_as_it_is() -> None:
    errors: list[ListingError] = []
    warnings: list[str] = []
    (listed,) = read_evses({"evse": [PUBLISHED]}, errors, warnings)
    assert (errors, warnings) == ([], [])
    assert (listed.evse_id, listed.content) == ("DE*XYZ*ETEST1", PUBLISHED)


@pytest.mark.parametrize("field", MANDATORY)
def test_each_mandatory_field_that_is_missing_is_named_alone(field: str) -> None:
    record = {name: value for name, value in PUBLISHED.items() if name != field}
    errors, _ = read(record)
    assert len(errors) == 1
    assert errors[0].startswith(f'hubject.evse "DE*XYZ*ETEST1" {field}: is missing: ')


@pytest.mark.parametrize("member", ["Country", "City", "Street", "PostalCode", "HouseNum"])
def test_each_mandatory_member_of_the_address_is_named(member: str) -> None:
    address = {name: value for name, value in PUBLISHED["Address"].items() if name != member}
    errors, _ = read({**PUBLISHED, "Address": address})
    assert len(errors) == 1
    assert errors[0].startswith(f'hubject.evse "DE*XYZ*ETEST1" Address.{member}: is missing: ')


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("Address.Country", "DE", "should be a country of three capital letters"),
        ("Address.City", "", "should have at least 1 character"),
        ("Address.City", "x" * 51, "should have at most 50 characters"),
        ("Address.Street", "x", "should have at least 2 characters"),
        ("Address.Street", "x" * 101, "should have at most 100 characters"),
        ("Address.PostalCode", "x" * 11, "should have at most 10 characters"),
        ("Address.PostalCode", 10829, "should be text in quotes"),
        ("Address.HouseNum", "x" * 11, "should have at most 10 characters"),
        ("Address.Floor", "x" * 6, "should have at most 5 characters"),
        ("Address.Region", "x" * 51, "should have at most 50 characters"),
        ("Address.ParkingSpot", "x" * 6, "should have at most 5 characters"),
        ("Address.TimeZone", "Europe/Berlin", "should be an offset such as UTC+01:00"),
        ("AdditionalInfo.0.lang", "English", "should be a language"),
        ("AdditionalInfo.0.value", "x" * 151, "should have at most 150 characters"),
        ("ChargingStationNames", [], "should name at least one"),
        ("ChargingStationNames.0.lang", "EN", "should be a language"),
        ("GeoCoordinates.Google.Coordinates", "52.4804951 13.3", "should be latitude, then longitude"),
        ("GeoCoordinates", {}, "should have exactly one of: Google, DecimalDegree, DegreeMinuteSeconds"),
        ("GeoCoordinates.DecimalDegree", {"Longitude": "9.3", "Latitude": "47.6"}, "should have exactly one of"),
        ("GeoCoordinates", {"DecimalDegree": {"Longitude": 9.3, "Latitude": "47.6"}}, "should be text in quotes"),
        ("GeoCoordinates", {"DecimalDegree": {"Longitude": "9", "Latitude": "47.6"}}, "should be degrees in quotes"),
        (
            "GeoCoordinates",
            {"DegreeMinuteSeconds": {"Longitude": "9.3", "Latitude": "47°34'23.16''"}},
            "should be degrees, minutes and seconds",
        ),
        ("Plugs", [], "should name at least one"),
        ("Plugs", ["Unspecified"], 'should be one of: "Small Paddle Inductive"'),
        ("Plugs", ["CCS Combo 2"], 'is unknown; nearest: "CCS Combo 2 Plug (Cable Attached)"'),
        ("Plugs", ["CHAdeMO", "CHAdeMO"], "names CHAdeMO twice"),
        ("ChargingFacilities", [], "should name at least one"),
        ("ChargingFacilities.0.PowerType", "AC", 'should be one of: "AC_1_PHASE", "AC_3_PHASE", "DC"'),
        ("ChargingFacilities.0.Power", 22.5, "should be a whole number"),
        ("ChargingFacilities.0.Power", 1000, "should be at most 999"),
        ("ChargingFacilities.0.Power", -1, "should be 0 or more"),
        ("ChargingFacilities.0.Voltage", 1000, "should be at most 999"),
        ("ChargingFacilities.0.Amperage", 125, "Hubject's field has two digits: leave it out"),
        ("ChargingFacilities.0.ChargingModes", ["Mode 3"], 'should be one of: "Mode_1"'),
        ("RenewableEnergy", "true", "should be true or false"),
        ("CalibrationLawDataAvailability", "local", 'should be one of: "Local", "External", "Not Available"'),
        ("AuthenticationModes", ["RFID"], 'should be one of: "NFC RFID Classic"'),
        ("PaymentOptions", ["No Payment", "Direct"], '"No Payment" cannot be combined with another option'),
        ("PaymentOptions", ["Card"], 'should be one of: "No Payment", "Direct", "Contract"'),
        ("ValueAddedServices", [], "should name at least one"),
        ("ValueAddedServices", ["Roof"], 'is unknown; nearest: "RoofProvided"'),
        ("Accessibility", "public", 'should be one of: "Free publicly accessible"'),
        ("AccessibilityLocation", "Street", 'should be one of: "OnStreet"'),
        ("HotlinePhoneNumber", "0305132787", "should be + and 5 to 15 digits"),
        ("HotlinePhoneNumber", "+49 30 5132787", "should be + and 5 to 15 digits"),
        ("HotlinePhoneNumber", "+49305132787\n", "should be + and 5 to 15 digits"),
        ("IsOpen24Hours", 1, "should be true or false"),
        ("IsHubjectCompatible", "yes", "should be true or false"),
        ("DynamicInfoAvailable", True, 'should be text in quotes, one of: "true", "false", "auto"'),
        ("ChargingPoolID", "DE*ABC*E1", "should be a pool's id"),
        ("ChargingStationID", "x" * 51, "should have at most 50 characters"),
        ("HardwareManufacturer", "x" * 51, "should have at most 50 characters"),
        ("ChargingStationImage", "x" * 201, "should have at most 200 characters"),
        ("SubOperatorName", "x" * 101, "should have at most 100 characters"),
        ("DynamicPowerLevel", 0, "should be true or false"),
        ("EnergySource.0.Energy", "Sun", "should be one of"),
        ("EnergySource.0.Percentage", 100, "Hubject's field has two digits: leave it out for the only source"),
        ("EnvironmentalImpact.CO2Emission", 100000, "should be at most 99999"),
        ("EnvironmentalImpact.NuclearWaste", float("nan"), "should be a number"),
        ("MaxCapacity", 50.5, "should be a whole number"),
        ("OpeningTimes", [], "should name at least one"),
        ("OpeningTimes.0.on", "Mondays", 'is unknown; nearest: "Monday"'),
        ("OpeningTimes.0.Period", [], "should name at least one"),
        ("OpeningTimes.0.Period.0.begin", "9:00", "should be a time of day in quotes"),
        ("HubOperatorID", "ABC", "should be an OperatorID"),
        ("ClearinghouseID", "x" * 21, "should have at most 20 characters"),
        ("ChargingStationId", "TEST 1", "should be written ChargingStationID"),
        ("deltaType", "insert", "is written by Hubject; leave it out"),
        ("lastUpdate", "2018-01-23T14:04:29.377Z", "is written by Hubject; leave it out"),
        ("HotlinePhone", "+49305132787", "is no such field; did you mean HotlinePhoneNumber?"),
        ("Address.Country2", "DEU", "is no such field; did you mean Country?"),
    ],
)
def test_what_a_field_may_not_hold_is_named_with_what_would_be_right(path: str, value: object, said: str) -> None:
    errors, _ = read(with_value(path, value))
    assert len(errors) == 1
    assert said in errors[0]
    assert errors[0].startswith('hubject.evse "DE*XYZ*ETEST1" ')


def test_an_evse_that_is_not_open_around_the_clock_needs_its_opening_times() -> None:
    record = {name: value for name, value in PUBLISHED.items() if name != "OpeningTimes"}
    assert read(record)[0] == [
        'hubject.evse "DE*XYZ*ETEST1" OpeningTimes: is missing: needed where IsOpen24Hours is false'
    ]
    assert read({**record, "IsOpen24Hours": True}) == ([], [])


def test_a_mistake_of_the_defaults_is_named_there_and_once_for_each_evse_at_most() -> None:
    record = {name: value for name, value in PUBLISHED.items() if name != "Plugs"}
    errors, _ = read(record, {**record, "EvseID": "DE*XYZ*ETEST2"}, defaults={"Plugs": ["Type 2 Outlett"]})
    near = 'nearest: "Type 2 Outlet", "Type 3 Outlet", "Type F Schuko"'
    assert set(errors) == {f"hubject.defaults Plugs[0] 'Type 2 Outlett': is unknown; {near}"}


def test_what_is_allowed_and_probably_not_meant_is_a_warning() -> None:
    record = {**PUBLISHED, "IsOpen24Hours": True, "IsHubjectCompatible": False, "DynamicInfoAvailable": "false"}
    assert read(record) == (
        [],
        [
            'hubject.evse "DE*XYZ*ETEST1" OpeningTimes: stands beside IsOpen24Hours = true',
            'hubject.evse "DE*XYZ*ETEST1" IsHubjectCompatible: false: Hubject refuses such an EVSE\'s statuses (604)',
            'hubject.evse "DE*XYZ*ETEST1" DynamicInfoAvailable: false: drivers are told that there is no live status',
        ],
    )


def test_an_id_is_kept_in_upper_case_and_stands_once() -> None:
    errors: list[ListingError] = []
    lower = {**PUBLISHED, "EvseID": "de*xyz*etest1"}
    (listed,) = read_evses({"evse": [lower]}, errors, [])
    assert (listed.evse_id, listed.content["EvseID"]) == ("DE*XYZ*ETEST1", "DE*XYZ*ETEST1")
    assert read(PUBLISHED, lower)[0] == ['hubject.evse "de*xyz*etest1": is listed twice']


def test_ids_that_are_the_same_without_separators_are_a_warning() -> None:
    first, second = ({**PUBLISHED, "EvseID": id_} for id_ in ("DE*ABC*E1*11", "DE*ABC*E11*1"))
    assert read(first, second)[1] == [
        "DE*ABC*E11*1 and DE*ABC*E1*11 are the same without separators; a hub that names ids without them cannot "
        "tell them apart"
    ]
