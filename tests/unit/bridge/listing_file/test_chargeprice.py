"""What Chargeprice would refuse of a station is a mistake of the file, with its place and what would be right."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bridge.listing_file.chargeprice import read_stations
from bridge.listing_file.model import ListingError, StationListing
from bridge.listing_file.station_data import COUNTRIES

ID = "20006f18-3ed4-4715-92b5-08e37e6dd18c"
REPLACED = "1a006f18-3ed4-4715-92b5-08e37e6dd183"
SPAR: dict[str, Any] = {
    "name": "Spar",
    "latitude": 10.0,
    "longitude": 20.0,
    "country": "AT",
    "address": "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring",
    "free_parking": True,
    "free_charging": False,
    "status": "operational",
    "evses": [{"evse_id": "AT*ION*E1234", "plug": "ccs", "power": 50.0, "count": 2}],
}
"""The station of Chargeprice's own example."""


def read(*stations: dict[str, Any], **defaults: Any) -> tuple[list[StationListing], list[ListingError]]:
    errors: list[ListingError] = []
    return read_stations({"defaults": defaults, "station": list(stations)}, errors), errors


def spar(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SPAR), **changes}


def test_example_station_is_read_as_chargeprice_writes_it() -> None:
    stations, errors = read(spar(id=ID.upper(), replaces=REPLACED))
    assert errors == []
    assert stations == [
        StationListing(
            key="Spar",
            reference=ID,
            content={
                "name": "Spar",
                "latitude": 10.0,
                "longitude": 20.0,
                "country": "AT",
                "address": "Stangersdorf-Gewerbegebiet 110 A, 8403 Lebring",
                "status": "operational",
                "free_parking": True,
                "free_charging": False,
                "charge_points": [{"plug": "ccs", "power": 50.0, "count": 2, "evse_ids": ["AT*ION*E1234"]}],
                "replaces": REPLACED,
            },
        )
    ]


def test_charge_points_are_grouped_by_plug_and_power_in_one_order() -> None:
    evses = [
        {"evse_id": "AT*ION*E3", "plugs": [{"plug": "ccs", "power": 50}, {"plug": "chademo", "power": 50}]},
        {"evse_id": "at*ion*e2", "plug": "ccs", "power": 150},
        {"evse_id": "AT*ION*E1", "plug": "ccs", "power": 50.0},
        {"evse_id": "AT*ION*E4", "plug": "type2", "power": 22, "count": 3},
    ]
    forward, backward = read(spar(evses=evses))[0][0], read(spar(evses=evses[::-1]))[0][0]
    assert forward == backward
    assert forward.content["charge_points"] == [
        {"plug": "ccs", "power": 50.0, "count": 2, "evse_ids": ["AT*ION*E1", "AT*ION*E3"]},
        {"plug": "ccs", "power": 150.0, "count": 1, "evse_ids": ["AT*ION*E2"]},
        {"plug": "chademo", "power": 50.0, "count": 1, "evse_ids": ["AT*ION*E3"]},
        {"plug": "type2", "power": 22.0, "count": 3, "evse_ids": ["AT*ION*E4"]},
    ]


def test_station_without_an_id_gets_one_later() -> None:
    assert read(spar())[0][0].reference == ""


@pytest.mark.parametrize(("written", "sent"), [(True, True), (False, False), ("unknown", None)])
def test_unknown_is_null(written: object, sent: object) -> None:
    assert read(spar(free_charging=written))[0][0].content["free_charging"] is sent


def test_what_is_not_said_about_charges_is_unknown() -> None:
    station = {name: value for name, value in SPAR.items() if not name.startswith("free_")}
    content = read(station)[0][0].content
    assert (content["free_parking"], content["free_charging"]) == (None, None)


def test_defaults_stand_under_every_station() -> None:
    station = {name: value for name, value in SPAR.items() if name not in ("country", "status")}
    stations, errors = read(station, country="AT", status="under_construction")
    assert errors == []
    assert stations[0].content["status"] == "under_construction"


PLUG = {"evse_id": "AT*ION*E1234"}
WRONG = {
    "no latitude": ({"latitude": None}, 'station "Spar" latitude', "should be a number"),
    "latitude": ({"latitude": 90.1}, 'station "Spar" latitude', "should be at most 90.0"),
    "longitude": ({"longitude": -181}, 'station "Spar" longitude', "should be -180.0 or more"),
    "country": ({"country": "UK"}, 'station "Spar" country', "GB, not UK"),
    "country of three letters": ({"country": "AUT"}, 'station "Spar" country', "two capitals"),
    "address": ({"address": " "}, 'station "Spar" address', "should say something"),
    "status": ({"status": "open"}, 'station "Spar" status', "operational"),
    "charging": ({"free_charging": "no"}, 'station "Spar" free_charging', 'true, false or "unknown"'),
    "id": ({"id": "123abc"}, 'station "Spar" id', "should be a UUID"),
    "replaced": ({"replaces": "1"}, 'station "Spar" replaces', "should be a UUID"),
    "itself": ({"id": ID, "replaces": ID}, 'station "Spar" replaces', "this station itself"),
    "no EVSEs": ({"evses": []}, 'station "Spar" evses', "at least one"),
    "plug": ({"evses": [PLUG | {"plug": "CCS", "power": 50}]}, "evses[0].plug", '"ccs"'),
    "power": ({"evses": [PLUG | {"plug": "ccs", "power": 0}]}, "evses[0].power", "greater than 0"),
    "count": ({"evses": [PLUG | {"plug": "ccs", "power": 50, "count": 0}]}, "evses[0].count", "1 or more"),
    "no power": ({"evses": [PLUG | {"plug": "ccs"}]}, "evses[0]", "plug and power, or plugs"),
    "both": ({"evses": [PLUG | {"plug": "ccs", "power": 1, "plugs": [{"plug": "ccs", "power": 1}]}]}, "evses[0]", "or"),
    "EVSE id": ({"evses": [{"evse_id": "E1", "plug": "ccs", "power": 50}]}, "evses[0].evse_id", "must be"),
    "twice": ({"evses": [PLUG | {"plug": "ccs", "power": 50}] * 2}, "evses[1]", "ccs with 50 kW twice; use count"),
    "version": ({"version": 1}, 'station "Spar" version', "kept by the bridge"),
    "operator": ({"operator": ID}, 'station "Spar" operator', "the company of the account"),
    "other field": ({"adress": "x"}, 'station "Spar" adress', "did you mean address"),
}


@pytest.mark.parametrize(("changes", "place", "wanted"), WRONG.values(), ids=WRONG.keys())
def test_wrong_field_is_named_with_what_would_be_right(changes: dict[str, Any], place: str, wanted: str) -> None:
    _, errors = read(spar(**changes))
    assert len(errors) == 1
    assert place in errors[0].place
    assert wanted in errors[0].wanted


@pytest.mark.parametrize("name", ["latitude", "longitude", "country", "address", "status", "evses", "name"])
def test_every_required_field_is_asked_for(name: str) -> None:
    _, errors = read({field: value for field, value in SPAR.items() if field != name})
    assert [(error.place.rpartition(" ")[2], "is missing" in error.wanted) for error in errors] == [(name, True)]


def test_name_names_one_station() -> None:
    _, errors = read(spar(), spar(evses=[{"evse_id": "AT*ION*E9", "plug": "ccs", "power": 50}]))
    assert [(error.place, error.wanted) for error in errors] == [('chargeprice.station "Spar"', "is listed twice")]


def test_evse_and_id_belong_to_one_station() -> None:
    _, errors = read(spar(id=ID), spar(id=ID, name="Billa"))
    assert [(error.value, error.wanted) for error in errors] == [
        (ID, "belongs to station 'Spar' already"),
        ("AT*ION*E1234", "belongs to station 'Spar' already"),
    ]


def test_countries_are_those_of_the_standard() -> None:
    assert len(COUNTRIES) == 249
