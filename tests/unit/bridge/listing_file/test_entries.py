"""Entries stand over their section's defaults, and every mistake names its place."""

from __future__ import annotations

from bridge.listing_file.entries import dotted, read_entries
from bridge.listing_file.model import ListingError, merged


def test_nested_tables_merge_member_by_member_and_lists_are_replaced() -> None:
    defaults = {"Address": {"Country": "DEU", "City": "Berlin"}, "Plugs": ["CHAdeMO"], "IsOpen24Hours": True}
    own = {"Address": {"City": "Bonn"}, "Plugs": ["Type 2 Outlet"]}
    assert merged(defaults, own) == {
        "Address": {"Country": "DEU", "City": "Bonn"},
        "Plugs": ["Type 2 Outlet"],
        "IsOpen24Hours": True,
    }
    assert defaults["Address"] == {"Country": "DEU", "City": "Berlin"}


def test_a_value_is_placed_where_it_stands() -> None:
    errors: list[ListingError] = []
    table = {"defaults": {"Address": {"Country": "DE"}}, "evse": [{"EvseID": "DE*ABC*E1", "Address": {"City": "B"}}]}
    (entry,) = read_entries("hubject", "evse", "EvseID", table, errors)
    assert errors == []
    assert entry.place(("Address", "City")) == 'hubject.evse "DE*ABC*E1" Address.City'
    assert entry.place(("Address", "Country")) == "hubject.defaults Address.Country"
    assert entry.place(("Address", "Street")) == 'hubject.evse "DE*ABC*E1" Address.Street'
    assert entry.place() == 'hubject.evse "DE*ABC*E1"'


def test_an_entry_without_a_name_is_placed_by_its_number() -> None:
    errors: list[ListingError] = []
    entries = [*read_entries("hubject", "evse", "EvseID", {"evse": [{}, {"EvseID": 7}]}, errors)]
    assert [entry.place(("EvseID",)) for entry in entries] == ["hubject.evse 1 EvseID", "hubject.evse 2 EvseID"]


def test_what_a_section_does_not_have_is_named() -> None:
    errors: list[ListingError] = []
    table = {"defaults": {"EvseID": "DE*ABC*E1"}, "evses": [], "evse": {"EvseID": "DE*ABC*E1"}}
    assert [*read_entries("hubject", "evse", "EvseID", table, errors)] == []
    assert [str(error) for error in errors] == [
        "hubject.evses: is unknown; there are: defaults, evse",
        "hubject.defaults EvseID 'DE*ABC*E1': belongs to each [[hubject.evse]], not to the defaults",
        "hubject.evse: should be written [[hubject.evse]]",
    ]


def test_a_path_is_written_as_readers_of_the_file_would() -> None:
    assert dotted(("ChargingFacilities", 0, "Power")) == "ChargingFacilities[0].Power"
