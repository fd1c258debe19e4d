"""Listings in the store: all or nothing, what is not in the file stays, much goes only with a yes."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.core.documents import DocumentKind
from bridge.core.model import EvseId
from bridge.listing_file import EvseDataListing, Listing, ListingInvalid, StationListing
from bridge.store.engine import Store
from bridge.store.errors import ListingNeedsYes
from bridge.store.listings import ListingDiff, ListingResult, ListingRow, import_listing, load_listings

DATA, STATION = DocumentKind.EVSE_DATA, DocumentKind.STATION


def evse(id_: str, **content: Any) -> EvseDataListing:
    return EvseDataListing(EvseId(id_), {"EvseID": id_, **content})


def listing(*ids: str) -> Listing:
    return Listing(tuple(evse(id_) for id_ in ids))


def load(store: Store, wanted: Listing, **options: Any) -> ListingResult:
    with store.engine.begin() as connection:
        return import_listing(connection, wanted, **options)


def rows(store: Store, kind: DocumentKind | None = None) -> list[ListingRow]:
    with store.engine.begin() as connection:
        return load_listings(connection, kind)


async def test_what_is_listed_is_added_and_changed_and_listing_it_again_changes_nothing(store: Store) -> None:
    first = load(store, listing("DE*ABC*E1", "DE*ABC*E2"))
    assert first.diff == ListingDiff(added=((DATA, "DE*ABC*E1"), (DATA, "DE*ABC*E2")))
    changed = Listing((evse("DE*ABC*E1", IsOpen24Hours=True), evse("DE*ABC*E2")))
    assert load(store, changed).diff == ListingDiff(changed=((DATA, "DE*ABC*E1"),))
    assert load(store, changed).diff == ListingDiff()
    assert rows(store) == [
        ListingRow(DATA, "DE*ABC*E1", "", '{"EvseID":"DE*ABC*E1","IsOpen24Hours":true}'),
        ListingRow(DATA, "DE*ABC*E2", "", '{"EvseID":"DE*ABC*E2"}'),
    ]


async def test_what_the_file_does_not_list_stays_unless_it_is_pruned(store: Store) -> None:
    many = [f"DE*ABC*E{number:02}" for number in range(20)]
    load(store, listing(*many))
    assert load(store, listing(*many[1:])).diff == ListingDiff(unlisted=((DATA, "DE*ABC*E00"),))
    assert len(rows(store)) == 20
    assert load(store, listing(*many[1:]), prune=True).diff == ListingDiff(removed=((DATA, "DE*ABC*E00"),))
    assert len(rows(store)) == 19


async def test_to_remove_more_than_a_tenth_needs_a_yes(store: Store) -> None:
    load(store, listing("DE*ABC*E1", "DE*ABC*E2"))
    with pytest.raises(ListingNeedsYes, match="would remove 1 of 2 listings, more than 10 %"):
        load(store, listing("DE*ABC*E1"), prune=True)
    assert len(rows(store)) == 2
    load(store, listing("DE*ABC*E1"), prune=True, yes=True)
    assert len(rows(store)) == 1


async def test_a_station_keeps_the_reference_that_it_was_given(store: Store) -> None:
    load(store, Listing(stations=(StationListing("a", "11111111-2222-3333-4444-555555555555", {}),)))
    load(store, Listing(stations=(StationListing("a", "", {"name": "A"}),)))
    assert rows(store, STATION) == [ListingRow(STATION, "a", "11111111-2222-3333-4444-555555555555", '{"name":"A"}')]


async def test_an_evse_that_the_inventory_does_not_have_is_a_warning(store: Store) -> None:
    assert load(store, listing("DE*ABC*E1")).warnings == (
        "DE*ABC*E1 is not in the inventory: its data is sent once it is",
    )


def station(name: str, *evses: str, reference: str = "") -> Listing:
    points = [{"plug": "ccs", "power": 50.0, "count": len(evses), "evse_ids": list(evses)}]
    return Listing(stations=(StationListing(name, reference, {"name": name, "charge_points": points}),))


async def test_a_station_under_another_name_is_the_one_that_its_reference_names(store: Store) -> None:
    load(store, station("Old", "DE*ABC*E1", reference="20006f18-3ed4-4715-92b5-08e37e6dd18c"))
    load(store, station("Another", "DE*ABC*E2"))
    result = load(store, station("New", "DE*ABC*E1", reference="20006f18-3ed4-4715-92b5-08e37e6dd18c"))
    assert result.diff == ListingDiff(changed=((STATION, "New"),), unlisted=((STATION, "Another"),))
    assert [(row.key, row.reference) for row in rows(store) if row.key != "Another"] == [
        ("New", "20006f18-3ed4-4715-92b5-08e37e6dd18c")
    ]


async def test_an_evse_that_stands_at_a_station_that_stays_is_refused_and_its_reference_is_named(store: Store) -> None:
    load(store, station("Old", "DE*ABC*E1", reference="20006f18-3ed4-4715-92b5-08e37e6dd18c"))
    with pytest.raises(ListingInvalid) as refused:
        load(store, station("New", "DE*ABC*E1", "DE*ABC*E2"))
    (error,) = refused.value.errors
    assert (error.place, error.value) == ('chargeprice.station "New"', "DE*ABC*E1")
    assert "station 'Old' already" in error.wanted
    assert 'id = "20006f18-3ed4-4715-92b5-08e37e6dd18c"' in error.wanted
    assert [row.key for row in rows(store)] == ["Old"]


async def test_an_evse_moves_with_a_file_that_lists_both_stations_or_prunes(store: Store) -> None:
    load(store, station("Old", "DE*ABC*E1", "DE*ABC*E2"))
    both = Listing(stations=(*station("Old", "DE*ABC*E2").stations, *station("New", "DE*ABC*E1").stations))
    assert load(store, both).diff == ListingDiff(added=((STATION, "New"),), changed=((STATION, "Old"),))
    load(store, station("Third", "DE*ABC*E1", "DE*ABC*E2"), prune=True, yes=True)
    assert [row.key for row in rows(store)] == ["Third"]


async def test_two_stations_of_a_file_cannot_have_one_reference(store: Store) -> None:
    load(store, station("Old", "DE*ABC*E1", reference="20006f18-3ed4-4715-92b5-08e37e6dd18c"))
    taken = station("New", "DE*ABC*E2", reference="20006f18-3ed4-4715-92b5-08e37e6dd18c")
    both = Listing(stations=(*station("Old", "DE*ABC*E1").stations, *taken.stations))
    with pytest.raises(ListingInvalid, match="belongs to station 'Old' already"):
        load(store, both)
