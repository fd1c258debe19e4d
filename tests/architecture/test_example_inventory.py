"""config/stations.csv can be imported beside the operators of config/bridge.toml, and its keys are clearly examples."""

from __future__ import annotations

from pathlib import Path

from bridge.inventory_file import parse_inventory

STATIONS = Path(__file__).parents[2] / "config" / "stations.csv"


def _no_file(path: str) -> bytes:
    raise FileNotFoundError(path)


def test_the_example_inventory_has_no_mistake() -> None:
    inventory = parse_inventory(STATIONS.read_bytes(), operators=["acme"], read_key_file=_no_file)
    assert {station.version.value for station in inventory.stations} == {"ocpp1.6", "ocpp2.0.1"}
    assert (len(inventory.stations), len(inventory.evses), len(inventory.connectors)) == (3, 4, 6)
    assert inventory.warnings == ()


def test_its_keys_are_clearly_examples() -> None:
    inventory = parse_inventory(STATIONS.read_bytes(), operators=["acme"], read_key_file=_no_file)
    assert all(station.key is not None and b"EXAMPLE" in station.key for station in inventory.stations)
