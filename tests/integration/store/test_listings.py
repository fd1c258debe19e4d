"""Listings in the store: all or nothing, what is not in the file stays, much goes only with a yes."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.core.documents import DocumentKind
from bridge.core.model import EvseId
from bridge.listing_file import EvseDataListing, Listing, StationListing
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
