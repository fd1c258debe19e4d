"""config/listing.toml can be imported as it is, beside the EVSEs of config/stations.csv."""

from __future__ import annotations

from pathlib import Path

from bridge.inventory_file import parse_inventory
from bridge.listing_file import parse_listing

CONFIG = Path(__file__).parents[2] / "config"


def test_the_example_listing_has_no_mistake() -> None:
    listing = parse_listing((CONFIG / "listing.toml").read_bytes())
    assert [data.evse_id for data in listing.evse_data] == ["DE*ABC*E1001", "DE*ABC*E2001*1"]
    assert [(station.key, len(station.content["charge_points"])) for station in listing.stations] == [
        ("Example Street", 3)
    ]
    assert listing.warnings == ()


def test_its_evses_are_in_the_example_inventory() -> None:
    listing = parse_listing((CONFIG / "listing.toml").read_bytes())
    inventory = parse_inventory((CONFIG / "stations.csv").read_bytes(), operators=["acme"], read_key_file=lambda _: b"")
    ids = {evse.evse_id for evse in inventory.evses}
    assert {data.evse_id for data in listing.evse_data} <= ids
    points = [point for station in listing.stations for point in station.content["charge_points"]]
    assert {evse_id for point in points for evse_id in point["evse_ids"]} <= ids
