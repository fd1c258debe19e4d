"""What is printed of a station: its connectors as it counts them itself."""

from __future__ import annotations

import pytest

from bridge.cli.station_output import connector_name


@pytest.mark.parametrize(
    ("address", "name"),
    [
        pytest.param("0.1", "1", id="OCPP 1.6 knows connectors alone"),
        pytest.param("2.1", "2.1", id="OCPP 2.x counts them within an EVSE"),
        pytest.param("0.0", "station", id="the station as a whole"),
        pytest.param("10.0", "10.0", id="an EVSE as a whole"),
    ],
)
def test_a_connector_is_named_as_its_station_counts_it(address: str, name: str) -> None:
    assert connector_name(address) == name
