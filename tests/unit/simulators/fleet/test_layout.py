import csv
import io
from pathlib import Path

from simulators.fleet.layout import Address, ReportsBy, Version, inventory_csv, layout


def test_the_same_seed_lays_out_the_same_fleet():
    assert layout(40, 7) == layout(40, 7)
    assert layout(40, 7) != layout(40, 8)


def test_a_smaller_fleet_is_the_beginning_of_a_larger_one():
    assert layout(30, 7)[:11] == layout(11, 7)


def test_seed_seven_keeps_its_stations():
    assert inventory_csv(layout(2, 7)).splitlines() == [
        "station,version,key,security,evse,connector,evse_id,operator,chargeprice_station,chargeprice_point",
        "SIM-00001,2.0.1,V2DH26OR5NSE6CYCJUJWQS7X,1,1,1,DE*ABC*E00001*1,demo,"
        "e4c570b6-d8d0-48dc-9973-ce3cc0a7d37e,d522e0fb-4988-43a1-876c-27ff0c2ef148",
        "SIM-00001,2.0.1,V2DH26OR5NSE6CYCJUJWQS7X,1,2,1,DE*ABC*E00001*2,demo,"
        "e4c570b6-d8d0-48dc-9973-ce3cc0a7d37e,3e640952-39a3-45a1-9a83-5625657a72e1",
        "SIM-00002,1.6,AW3W6EJO5MJW3Q6STDGXZBZ7,1,,1,DE*ABC*E00002*1,demo,"
        "33841ceb-a5db-4058-bee9-aaf7c39ee702,704ef524-af79-4b3c-bb1c-dabeab148ae2",
        "SIM-00002,1.6,AW3W6EJO5MJW3Q6STDGXZBZ7,1,,2,DE*ABC*E00002*1,demo,"
        "33841ceb-a5db-4058-bee9-aaf7c39ee702,704ef524-af79-4b3c-bb1c-dabeab148ae2",
    ]


def test_twenty_stations_hold_every_mixture_that_the_bridge_must_understand():
    shapes = {(spec.version, tuple(len(evse.connectors) for evse in spec.evses)) for spec in layout(20, 7)}
    assert shapes >= {
        (Version.V16, (1,)),
        (Version.V16, (2,)),
        (Version.V16, (1, 1)),
        (Version.V201, (1,)),
        (Version.V201, (2,)),
        (Version.V201, (1, 1)),
        (Version.V201, (1, 1, 1)),
    }
    assert {spec.reports_by for spec in layout(20, 7) if spec.version is Version.V201} == set(ReportsBy)


def test_ids_are_unique_also_without_their_separators():
    specs = layout(2000, 7)
    evse_ids = [evse.evse_id for spec in specs for evse in spec.evses]
    assert len({evse_id.replace("*", "") for evse_id in evse_ids}) == len(evse_ids)
    assert len({spec.station for spec in specs}) == 2000
    assert len({evse.chargeprice_key for spec in specs for evse in spec.evses}) == len(evse_ids)


def test_keys_are_at_least_16_printable_bytes_and_no_two_are_equal():
    keys = {spec.key for spec in layout(500, 7)}
    assert len(keys) == 500
    assert all(len(key.encode()) >= 16 and key.isascii() and key.isprintable() and ":" not in key for key in keys)


def test_connectors_of_ocpp_16_count_through_the_station_and_those_of_201_begin_anew_in_each_evse():
    specs = layout(8, 7)
    (two_evses_16,) = (spec for spec in specs if spec.version is Version.V16 and len(spec.evses) == 2)
    (three_evses_201,) = (spec for spec in specs if len(spec.evses) == 3)
    assert two_evses_16.connectors == (Address(0, 1), Address(0, 2))
    assert three_evses_201.connectors == (Address(1, 1), Address(2, 1), Address(3, 1))


def test_inventory_has_one_row_per_connector_with_the_evse_column_empty_for_ocpp_16():
    specs = layout(50, 3)
    rows = list(csv.DictReader(io.StringIO(inventory_csv(specs, "acme"))))
    assert len(rows) == sum(len(spec.connectors) for spec in specs)
    assert {row["operator"] for row in rows} == {"acme"}
    assert all((row["evse"] == "") == (row["version"] == "1.6") for row in rows)
    claims = [(row["station"], row["evse"], row["connector"]) for row in rows]
    assert len(set(claims)) == len(claims)


def test_the_demos_inventory_is_that_of_its_default_fleet():
    committed = Path(__file__).parents[4] / "config" / "demo" / "stations.csv"
    assert committed.read_text(encoding="utf-8") == inventory_csv(layout(24, 7))
