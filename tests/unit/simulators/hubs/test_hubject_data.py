import json

import pytest

from simulators.hubs.exchange import Request
from simulators.hubs.hubject import Hubject, HubjectOptions
from simulators.hubs.ledger import Ledger
from tests.unit.simulators.hubs.evse_data import data_body, record, whole_record

PATH = "/api/oicp/evsepush/v23/operators/DE*ABC/data-records"
WHERE = "operatorEvseData.evseDataRecord[0]"
MISSING = object()


def shown(value):
    """Return a case's id, the same in every process."""
    return "missing" if value is MISSING else str(value)[:50]


def judge(document, *, hub=None, path=PATH, ledger=None):
    request = Request("POST", path, {"content-type": "application/json"}, json.dumps(document).encode())
    return (hub or Hubject(HubjectOptions())).judge(request, ledger or Ledger())


def push(ledger, action, *records, hub=None):
    """Judge a push and let it take effect where it is not refused."""
    judgement = judge(data_body(action, *records), hub=hub, ledger=ledger)
    if judgement.change is not None:
        ledger.apply(ledger.begin(0, judgement.operation, action, judgement.records), judgement.change, 0)
    return judgement


def answer(judgement):
    return json.loads(judgement.reply.text)


def references(judgement):
    assert judgement.reply.status == 400
    assert judgement.change is None
    return [error["fieldReference"] for error in answer(judgement)["validationErrors"]]


@pytest.mark.parametrize("row", [record(), whole_record()], ids=["mandatory-fields", "every-field"])
def test_record_that_keeps_the_schema_is_held(row):
    ledger = Ledger()
    judgement = push(ledger, "fullLoad", row)
    assert (judgement.reply.status, judgement.reply.code, judgement.violations) == (200, "000", ())
    assert answer(judgement)["Result"] is True
    assert ledger.documents("evse_data") == {"DE*ABC*E1": row}
    assert ledger.state(0) == {}


def test_journal_shows_who_and_a_digest_that_changes_with_the_record():
    first, same, other = (
        judge(data_body("insert", row)) for row in (record(), record(), record(Plugs=["Type F Schuko"]))
    )
    assert first.operation == "eRoamingPushEvseData of DE*ABC"
    ((evse_id, digest),) = first.records
    assert (evse_id, len(digest)) == ("DE*ABC*E1", 12)
    assert first.records == same.records != other.records


@pytest.mark.parametrize(
    "field",
    [
        "EvseID",
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
    ],
)
def test_each_of_the_16_mandatory_fields_is_asked_for(field):
    row = record()
    del row[field]
    assert references(judge(data_body("delete", row))) == [f"{WHERE}.{field[0].lower()}{field[1:]}"]


def test_validation_error_is_written_as_the_real_hub_writes_it():
    judgement = judge(data_body("insert", record(HotlinePhoneNumber="0221 1234")))
    assert answer(judgement) == {
        "message": "Error parsing/validating JSON.",
        "validationErrors": [
            {
                "fieldReference": "operatorEvseData.evseDataRecord[0].hotlinePhoneNumber",
                "errorMessage": 'must match "^\\+[0-9]{5,15}$"',
            }
        ],
    }
    assert judgement.violations == (f'{WHERE}.hotlinePhoneNumber: must match "^\\+[0-9]{{5,15}}$"',)


ADDRESS = record()["Address"]
CASES = [
    ("EvseID", "DE-ABC-E1", "evseID"),
    ("EvseID", "de*abc*e1", "evseID"),
    ("EvseID", "DE*ABC*E1\n", "evseID"),
    ("ChargingStationNames", [], "chargingStationNames"),
    ("ChargingStationNames", [{"lang": "german", "value": "x"}], "chargingStationNames[0].lang"),
    ("ChargingStationNames", [{"lang": "de", "value": "x" * 151}], "chargingStationNames[0].value"),
    ("ChargingStationNames", [{"lang": "de"}], "chargingStationNames[0].value"),
    ("Address", ADDRESS | {"Country": "DE"}, "address.country"),
    ("Address", ADDRESS | {"City": ""}, "address.city"),
    ("Address", ADDRESS | {"City": "x" * 51}, "address.city"),
    ("Address", ADDRESS | {"Street": "x"}, "address.street"),
    ("Address", ADDRESS | {"PostalCode": "x" * 11}, "address.postalCode"),
    ("Address", ADDRESS | {"HouseNum": 7}, "address.houseNum"),
    ("Address", ADDRESS | {"Floor": "x" * 6}, "address.floor"),
    ("Address", ADDRESS | {"TimeZone": "Europe/Berlin"}, "address.timeZone"),
    ("Address", ADDRESS | {"ParkingFacility": "yes"}, "address.parkingFacility"),
    ("Address", ADDRESS | {"District": "x"}, "address.district"),
    ("GeoCoordinates", {}, "geoCoordinates"),
    ("GeoCoordinates", {"Google": {"Coordinates": "50.9 N"}}, "geoCoordinates.google.coordinates"),
    (
        "GeoCoordinates",
        {
            "Google": {"Coordinates": "50.938361 6.959974"},
            "DecimalDegree": {"Longitude": "6.959974", "Latitude": "50.938361"},
        },
        "geoCoordinates",
    ),
    ("GeoCoordinates", {"DecimalDegree": {"Longitude": "6.959974"}}, "geoCoordinates.decimalDegree.latitude"),
    (
        "GeoCoordinates",
        {"DecimalDegree": {"Longitude": 6.959974, "Latitude": "50.938361"}},
        "geoCoordinates.decimalDegree.longitude",
    ),
    (
        "GeoCoordinates",
        {"DegreeMinuteSeconds": {"Longitude": "9°21'39.32''", "Latitude": "9 21 39"}},
        "geoCoordinates.degreeMinuteSeconds.latitude",
    ),
    ("Plugs", [], "plugs"),
    ("Plugs", ["Type 2"], "plugs[0]"),
    ("Plugs", ["Type 2 Outlet", "Unspecified"], "plugs[1]"),
    ("ChargingFacilities", [], "chargingFacilities"),
    ("ChargingFacilities", [{"PowerType": "AC", "Power": 22}], "chargingFacilities[0].powerType"),
    ("ChargingFacilities", [{"PowerType": "DC", "Power": 22.5}], "chargingFacilities[0].power"),
    ("ChargingFacilities", [{"PowerType": "DC", "Power": 1000}], "chargingFacilities[0].power"),
    ("ChargingFacilities", [{"PowerType": "DC"}], "chargingFacilities[0].power"),
    ("ChargingFacilities", [{"PowerType": "DC", "Power": 150, "Amperage": 375}], "chargingFacilities[0].amperage"),
    ("ChargingFacilities", [{"PowerType": "DC", "Power": 150, "Voltage": 1000}], "chargingFacilities[0].voltage"),
    (
        "ChargingFacilities",
        [{"PowerType": "DC", "Power": 9, "ChargingModes": ["Mode 4"]}],
        "chargingFacilities[0].chargingModes[0]",
    ),
    ("RenewableEnergy", "true", "renewableEnergy"),
    ("CalibrationLawDataAvailability", "NotAvailable", "calibrationLawDataAvailability"),
    ("AuthenticationModes", ["RFID"], "authenticationModes[0]"),
    ("PaymentOptions", ["Cash"], "paymentOptions[0]"),
    ("PaymentOptions", ["No Payment", "Contract"], "paymentOptions"),
    ("ValueAddedServices", ["none"], "valueAddedServices[0]"),
    ("Accessibility", "Public", "accessibility"),
    ("AccessibilityLocation", "Roof", "accessibilityLocation"),
    ("AccessibilityLocation", ["OnStreet"], "accessibilityLocation"),
    ("HotlinePhoneNumber", "+1234", "hotlinePhoneNumber"),
    ("HotlinePhoneNumber", "+1234567890123456", "hotlinePhoneNumber"),
    ("IsOpen24Hours", False, "openingTimes"),
    ("IsOpen24Hours", 1, "isOpen24Hours"),
    ("IsHubjectCompatible", None, "isHubjectCompatible"),
    ("DynamicInfoAvailable", True, "dynamicInfoAvailable"),
    ("ChargingPoolID", "DE*ABC*E1", "chargingPoolID"),
    ("ChargingStationId", "x" * 51, "chargingStationId"),
    ("ChargingStationID", "x" * 51, "chargingStationID"),
    ("HardwareManufacturer", "x" * 51, "hardwareManufacturer"),
    ("ChargingStationImage", "x" * 201, "chargingStationImage"),
    ("SubOperatorName", "x" * 101, "subOperatorName"),
    ("EnergySource", [{"Energy": "Water"}], "energySource[0].energy"),
    ("EnergySource", [{"Energy": "Solar", "Percentage": 100}], "energySource[0].percentage"),
    ("EnvironmentalImpact", {"CO2Emission": 100_000}, "environmentalImpact.cO2Emission"),
    ("MaxCapacity", 50.5, "maxCapacity"),
    (
        "OpeningTimes",
        [{"Period": [{"begin": "9:00", "end": "18:00"}], "on": "Monday"}],
        "openingTimes[0].period[0].begin",
    ),
    ("OpeningTimes", [{"Period": [{"begin": "09:00", "end": "18:00"}], "on": "Mon"}], "openingTimes[0].on"),
    ("HubOperatorID", "DE-ABC", "hubOperatorID"),
    ("ClearinghouseID", "x" * 21, "clearinghouseID"),
    ("deltaType", "fullLoad", "deltaType"),
    ("Colour", "red", "colour"),
]


@pytest.mark.parametrize(("field", "value", "where"), CASES, ids=shown)
def test_field_outside_of_its_type_is_refused_by_name(field, value, where):
    assert references(judge(data_body("insert", record(**{field: value})))) == [f"{WHERE}.{where}"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"OperatorName": None}, ["operatorEvseData.operatorName"]),
        ({"OperatorName": MISSING}, ["operatorEvseData.operatorName"]),
        ({"OperatorName": "x" * 101}, ["operatorEvseData.operatorName"]),
        ({"OperatorID": "DE-ABC"}, ["operatorEvseData.operatorID"]),
        ({"EvseDataRecord": MISSING}, ["operatorEvseData.evseDataRecord"]),
        ({"EvseDataRecord": [1]}, [f"{WHERE}"]),
        ({"Extra": 1}, ["operatorEvseData.extra"]),
    ],
    ids=str,
)
def test_frame_of_the_push_is_checked_too(change, where):
    body = data_body("insert", record())
    data = body["OperatorEvseData"] | change
    body["OperatorEvseData"] = {name: value for name, value in data.items() if value is not MISSING}
    assert references(judge(body)) == where


def test_every_wrong_field_of_every_record_is_named():
    rows = [record(), record("DE*ABC*E2", Plugs=["x"], Accessibility="y")]
    assert sorted(references(judge(data_body("insert", *rows)))) == [
        "operatorEvseData.evseDataRecord[1].accessibility",
        "operatorEvseData.evseDataRecord[1].plugs[0]",
    ]


def test_status_body_on_the_path_of_data_is_refused():
    body = {"ActionType": "update", "OperatorEvseStatus": {"OperatorID": "DE*ABC", "EvseStatusRecord": []}}
    assert set(references(judge(body))) == {"operatorEvseData", "operatorEvseStatus"}


@pytest.mark.parametrize(
    "path", [PATH.replace("v23", "v21"), PATH.replace("data-records", "status-records")], ids=["v21", "v23"]
)
def test_version_and_service_belong_together(path):
    judgement = judge(data_body("insert", record()), path=path)
    assert (judgement.reply.status, judgement.reply.content_type) == (404, "text/html")


def test_insert_of_what_is_there_inserts_nothing():
    ledger = Ledger()
    push(ledger, "insert", record("DE*ABC*E1"))
    judgement = push(ledger, "insert", record("DE*ABC*E2"), record("DEABCE1"))
    assert answer(judgement)["StatusCode"] == {
        "Code": "022",
        "Description": "Data error",
        "AdditionalInfo": "EVSE data records already exist for EvseIDs: DEABCE1",
    }
    assert list(ledger.documents("evse_data")) == ["DE*ABC*E1"]


def test_update_of_what_is_not_there_updates_nothing():
    ledger = Ledger()
    push(ledger, "insert", record("DE*ABC*E1"))
    judgement = push(ledger, "update", record("DE*ABC*E1", MaxCapacity=1), record("DE*ABC*E2"))
    assert judgement.reply.status == 200
    assert answer(judgement)["Result"] is False
    assert answer(judgement)["StatusCode"] == {
        "Code": "603",
        "Description": "One or more EVSE data record not found!",
        "AdditionalInfo": "EVSE data records missing for EvseIDs: DEABCE2",
    }
    assert ledger.documents("evse_data") == {"DE*ABC*E1": record("DE*ABC*E1")}


def test_update_in_another_spelling_is_of_the_same_evse():
    ledger = Ledger()
    push(ledger, "insert", record("DE*ABC*E1"))
    assert push(ledger, "update", record("DEABCE1", MaxCapacity=1)).reply.code == "000"
    assert ledger.documents("evse_data") == {"DE*ABC*E1": record("DEABCE1", MaxCapacity=1)}


def test_full_load_replaces_and_delete_removes():
    ledger = Ledger()
    push(ledger, "fullLoad", record("DE*ABC*E1"), record("DE*ABC*E2"))
    assert push(ledger, "fullLoad", record("DE*ABC*E2"), record("DE*ABC*E3")).violations == ()
    assert list(ledger.documents("evse_data")) == ["DE*ABC*E2", "DE*ABC*E3"]
    assert push(ledger, "delete", record("DEABCE2")).reply.code == "000"
    assert list(ledger.documents("evse_data")) == ["DE*ABC*E3"]


@pytest.mark.parametrize(("strict", "code"), [(False, "000"), (True, "603")])
def test_delete_of_what_is_not_there_is_refused_only_where_strict(strict, code):
    hub = Hubject(HubjectOptions(strict_known=strict))
    assert push(Ledger(), "delete", record(), hub=hub).reply.code == code


def test_full_load_in_chunks_or_empty_is_taken_but_noted():
    ledger = Ledger()
    push(ledger, "fullLoad", record("DE*ABC*E1"))
    chunk = push(ledger, "fullLoad", record("DE*ABC*E2"))
    assert chunk.reply.code == "000"
    assert "in chunks" in chunk.violations[0]
    empty = push(ledger, "fullLoad")
    assert empty.reply.code == "000"
    assert "empty" in empty.violations[0]
    assert ledger.documents("evse_data") == {}


def test_bundle_of_data_breaks_no_rule():
    assert push(Ledger(), "insert", record("DE*ABC*E1"), record("DE*ABC*E2")).violations == ()


def test_evse_of_a_stranger_or_twice_is_inconsistent():
    assert judge(data_body("insert", record("DE*XYZ*E1"))).reply.code == "018"
    hub = Hubject(HubjectOptions(sub_operator_ids=("DE*XYZ",)))
    assert judge(data_body("insert", record("DE*XYZ*E1")), hub=hub).reply.code == "000"
    assert judge(data_body("insert", record("DE*ABC*E1"), record("DEABCE1"))).reply.code == "018"


def test_unknown_operator_is_no_partner():
    assert judge(data_body("insert", operator="DEABC")).reply.code == "300"
    assert judge(data_body("insert"), path=PATH.replace("DE*ABC", "DE*XYZ")).reply.status == 404


@pytest.mark.parametrize("action", ["fullLoad", "update", "insert", "delete"])
@pytest.mark.parametrize("there", [True, False], ids=["with-data", "without"])
def test_status_needs_data_where_the_hub_is_told_to(action, there):
    hub, ledger = Hubject(HubjectOptions(needs_data=True)), Ledger()
    if there:
        push(ledger, "insert", record("DE*ABC*E1"))
    rows = [{"EvseID": "DEABCE1", "EvseStatus": "Available"}]
    body = {"ActionType": action, "OperatorEvseStatus": {"OperatorID": "DE*ABC", "EvseStatusRecord": rows}}
    path = "/api/oicp/evsepush/v21/operators/DE*ABC/status-records"
    judgement = judge(body, hub=hub, path=path, ledger=ledger)
    assert judgement.reply.code == ("000" if there or action == "delete" else "603")
    if judgement.reply.code == "603":
        assert answer(judgement)["StatusCode"]["AdditionalInfo"] == "EVSE data records missing for EvseIDs: DEABCE1"
