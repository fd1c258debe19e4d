"""Stations keep their UUID for ever, and an EVSE knows the station that lists it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.core.documents import DocumentKind
from bridge.inventory_file import parse_inventory
from bridge.listing_file import Listing, StationListing
from bridge.store.engine import Store
from bridge.store.inventory import import_inventory
from bridge.store.listed_stations import match_listed
from bridge.store.listings import import_listing, load_listings
from bridge.store.stations import load
from csms.auth import StationKeys
from csms.events import StationId

ONE = "20006f18-3ed4-4715-92b5-08e37e6dd18c"
OTHER = "1a006f18-3ed4-4715-92b5-08e37e6dd183"
INVENTORY = """station,version,key,evse,connector,evse_id,operator,layer0,chargeprice_station,chargeprice_point
one,1.6,0123456789abcdef,,1,DE*ABC*E1,demo,downgrade,,
one,,,,2,DE*ABC*E2,demo,downgrade,theirs,p2
one,,,,3,DE*ABC*E3,demo,downgrade,theirs,
one,,,,4,DE*ABC*E4,demo,downgrade,,
"""


def station(*ids: str, key: str = "Spar", reference: str = "") -> StationListing:
    points = [{"plug": "ccs", "power": 50.0, "count": len(ids), "evse_ids": list(ids)}]
    return StationListing(key, reference, {"name": key, "charge_points": points})


@pytest.fixture
def stocked(store: Store) -> Store:
    inventory = parse_inventory(INVENTORY, operators={"demo"}, read_key_file=lambda _: b"")
    with store.engine.begin() as connection:
        import_inventory(connection, inventory, keys=StationKeys(b"p" * 32), now=datetime(2026, 1, 1, tzinfo=UTC))
    return store


def list_stations(store: Store, *stations: StationListing, **options: Any) -> int:
    """Import the stations and return for how many EVSEs that was news."""
    with store.engine.begin() as connection:
        import_listing(connection, Listing(stations=stations), **options)
        return len(match_listed(connection))


def references(store: Store) -> list[tuple[str, str]]:
    with store.engine.begin() as connection:
        evses = load(connection, [StationId("one")])[StationId("one")].evses.values()
        return [evse.references for evse in sorted(evses, key=lambda evse: evse.evse_id)]


async def test_station_without_an_id_gets_one_and_keeps_it(store: Store) -> None:
    made = itertools.count(1)
    for name, evse in (("first", "DE*ABC*E2"), ("second", "DE*ABC*E3")):
        with store.engine.begin() as connection:
            import_listing(
                connection,
                Listing(stations=(station("DE*ABC*E1"), station(evse, key=name))),
                new_reference=lambda: f"uuid {next(made)}",
            )
    with store.engine.begin() as connection:
        rows = load_listings(connection, DocumentKind.STATION)
    assert {row.key: row.reference for row in rows} == {"Spar": "uuid 1", "first": "uuid 2", "second": "uuid 3"}


async def test_given_id_counts(store: Store) -> None:
    list_stations(store, station("DE*ABC*E1", reference=ONE))
    list_stations(store, station("DE*ABC*E1", "DE*ABC*E2"))
    with store.engine.begin() as connection:
        assert [row.reference for row in load_listings(connection)] == [ONE]


async def test_listed_evse_is_named_by_its_station_unless_the_inventory_says_otherwise(stocked: Store) -> None:
    assert references(stocked) == [("", ""), ("theirs", "p2"), ("theirs", ""), ("", "")]
    assert list_stations(stocked, station("DE*ABC*E1", "DE*ABC*E2", "DE*ABC*E3", reference=ONE)) == 3
    assert references(stocked) == [(ONE, "DE*ABC*E1"), ("theirs", "p2"), ("theirs", "DE*ABC*E3"), ("", "")]


async def test_listing_it_again_is_no_news(stocked: Store) -> None:
    list_stations(stocked, station("DE*ABC*E1", reference=ONE))
    assert list_stations(stocked, station("DE*ABC*E1", reference=ONE)) == 0


async def test_evse_that_is_not_listed_any_more_has_no_station(stocked: Store) -> None:
    list_stations(stocked, station("DE*ABC*E1", reference=ONE))
    assert list_stations(stocked, station("DE*ABC*E4", reference=ONE)) == 2
    assert references(stocked)[0] == ("", "")
    assert list_stations(stocked, station("DE*ABC*E4", reference=OTHER)) == 1
    assert references(stocked)[3] == (OTHER, "DE*ABC*E4")


async def test_station_without_an_evse_of_the_inventory_is_a_warning(stocked: Store) -> None:
    with stocked.engine.begin() as connection:
        result = import_listing(connection, Listing(stations=(station("DE*ABC*E1"), station("DE*ABC*E9", key="Billa"))))
    assert result.warnings == ("station Billa: none of its EVSEs is in the inventory: it is sent once one is",)
