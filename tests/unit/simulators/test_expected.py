import itertools
import json
from pathlib import Path

import pytest

from simulators import expected as oracle
from simulators.expected import Expected, expected
from simulators.fleet.journal import Kind, Report
from simulators.fleet.layout import Address, EvseSpec, StationSpec, Version

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "mapping.json").read_text(encoding="utf-8"))
TWO_ON_ONE_16 = EvseSpec("DE*ABC*E1", (Address(0, 1), Address(0, 2)), "cs", "p1")
TWO_ON_ONE_201 = EvseSpec("DE*ABC*E1", (Address(1, 1), Address(1, 2)), "cs", "p1")
STATION_16 = StationSpec("S1", Version.V16, "k" * 16, (TWO_ON_ONE_16,))
STATION_201 = StationSpec("S1", Version.V201, "k" * 16, (TWO_ON_ONE_201,))


def reports(*rows):
    """Rows: (address, status) or (address, phase, chargingState, "tx"[, "offline"]); answered but for "lost"."""
    return [_report(n, row) for n, row in enumerate(rows, start=1)]


def _report(n, row):
    (evse, connector), *rest = row
    lost = "lost" in rest
    if "tx" in rest:
        return Report(
            n, "t", "S1", evse, connector, Kind.TRANSACTION, transaction="T", phase=rest[0], charging_state=rest[1],
            offline="offline" in rest, answered=not lost,
        )  # fmt: skip
    return Report(n, "t", "S1", evse, connector, Kind.STATUS, status=rest[0], answered=not lost)


def word(spec, *rows):
    (only,) = expected(spec, reports(*rows))
    return only.effective


@pytest.mark.parametrize("row", VECTORS["ocpp16"], ids=lambda row: row["reported"])
def test_ocpp_16_words_are_those_of_the_standards(row):
    spec = StationSpec("S1", Version.V16, "k" * 16, (EvseSpec("DE*ABC*E1", (Address(0, 1),), "cs", "p1"),))
    assert expected(spec, reports(((0, 1), row["reported"]))) == (
        Expected("DE*ABC*E1", "cs/p1", row["effective"], row["oicp"], row["chargeprice"]),
    )


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
@pytest.mark.parametrize("row", VECTORS["ocpp2"], ids=lambda row: f"{row['reported']}-{row['chargingState']}")
def test_ocpp_2x_words_are_those_of_the_standards(row, version):
    spec = StationSpec("S1", version, "k" * 16, (EvseSpec("DE*ABC*E1", (Address(1, 1),), "cs", "p1"),))
    rows = [((1, 1), row["reported"])]
    if row["chargingState"]:
        rows.append(((1, 1), "Updated", row["chargingState"], "tx"))
    assert expected(spec, reports(*rows)) == (
        Expected("DE*ABC*E1", "cs/p1", row["effective"], row["oicp"], row["chargeprice"]),
    )


def test_hub_words_are_members_of_the_hubs_enumerations():
    assert set(oracle.HUBJECT.values()) <= set(VECTORS["enums"]["oicp"])
    assert set(oracle.CHARGEPRICE.values()) <= set(VECTORS["enums"]["chargeprice"])
    assert oracle.HUBJECT.keys() == oracle.CHARGEPRICE.keys() == set(oracle.RANK)


RANKED = ["Charging", "Preparing", "Reserved", "Available", "Unavailable", "Faulted"]


@pytest.mark.parametrize(("higher", "lower"), list(itertools.combinations(RANKED, 2)))
def test_of_two_connectors_the_higher_rank_is_the_evses(higher, lower):
    alone = word(STATION_16, ((0, 1), higher), ((0, 2), higher))
    assert word(STATION_16, ((0, 1), higher), ((0, 2), lower)) == alone
    assert word(STATION_16, ((0, 1), lower), ((0, 2), higher)) == alone


@pytest.mark.parametrize(
    ("rows", "effective"),
    [
        pytest.param([], "unknown", id="never heard of"),
        pytest.param([((0, 1), "Available")], "available", id="one of two connectors heard of"),
        pytest.param([((0, 1), "Available"), ((0, 1), "Faulted", "lost")], "available", id="lost report"),
        pytest.param([((0, 1), "Available"), ((0, 0), "Unavailable")], "unavailable", id="station out"),
        pytest.param([((0, 1), "Charging"), ((0, 0), "Faulted")], "faulted", id="broke while charging"),
        pytest.param([((0, 0), "Faulted"), ((0, 1), "Charging")], "charging", id="charges since it broke"),
        pytest.param(
            [((0, 0), "Faulted"), ((0, 1), "Charging"), ((0, 1), "SuspendedEV")], "occupied", id="still there"
        ),
        pytest.param([((0, 0), "Faulted"), ((0, 1), "Charging"), ((0, 1), "Available")], "faulted", id="that car left"),
        pytest.param([((0, 0), "Unavailable"), ((0, 0), "Available"), ((0, 1), "Available")], "available", id="back"),
        pytest.param([((0, 0), "Available"), ((0, 1), "Faulted")], "faulted", id="station never improves"),
        pytest.param([((0, 0), "Unavailable"), ((0, 1), "Faulted")], "faulted", id="connector is worse already"),
    ],
)
def test_ocpp_16_station_level_downgrades(rows, effective):
    assert word(STATION_16, *rows) == effective


FREE = [((1, 1), "Available"), ((1, 2), "Available")]


@pytest.mark.parametrize(
    ("rows", "effective"),
    [
        pytest.param([*FREE, ((1, 1), "Started", "EVConnected", "tx")], "occupied", id="lifts available"),
        pytest.param([*FREE, ((1, 1), "Started", "Charging", "tx")], "charging", id="lifts to charging"),
        pytest.param([*FREE, ((1, 1), "Started", "Idle", "tx")], "available", id="idle says nothing"),
        pytest.param([*FREE, ((1, 1), "Started", "Charging", "tx", "offline")], "available", id="late event"),
        pytest.param(
            [*FREE, ((1, 1), "Started", "Charging", "tx"), ((1, 1), "Available")], "available", id="status clears"
        ),
        pytest.param(
            [*FREE, ((1, 1), "Started", "Charging", "tx"), ((1, 1), "Occupied")], "charging", id="occupied does not"
        ),
        pytest.param(
            [*FREE, ((1, 1), "Occupied"), ((1, 1), "Started", "Charging", "tx"), ((1, 1), "Ended", "Idle", "tx")],
            "occupied",
            id="ended is not available",
        ),
        pytest.param(
            [((1, 1), "Faulted"), ((1, 2), "Faulted"), ((1, 1), "Updated", "Charging", "tx")], "faulted", id="no lift"
        ),
    ],
)
def test_ocpp_201_transactions_refine(rows, effective):
    assert word(STATION_201, *rows) == effective


def test_reports_of_another_station_do_not_count():
    other = [Report(1, "t", "S2", 0, 1, Kind.STATUS, status="Available", answered=True)]
    assert expected(STATION_16, other)[0].effective == "unknown"
