"""What is said of a station."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.web.pages.station_view import connector_name, connectors, places, read_target, targets
from bridge.web.station_shapes import ReportItem, StationEvse

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def report(evse: int, connector: int, reported_at: str = "") -> ReportItem:
    return ReportItem(
        evse=evse,
        connector=connector,
        status="Available",
        source="StatusNotification",
        received_at=NOON,
        age_s=1,
        reported_at=reported_at,
        error_code="NoError",
        vendor_error_code="",
        info="",
        stale=False,
    )


def test_what_is_about_the_whole_station_is_named_apart_and_stands_first() -> None:
    found = places([report(0, 2), report(0, 0), report(0, 1), report(2, 0), report(1, 1)])
    assert [(place.title, place.whole) for place in found] == [
        ("Station as a whole", True),
        ("EVSE 2 as a whole", True),
        ("Connector 1", False),
        ("Connector 2", False),
        ("EVSE 1, connector 1", False),
    ]


@pytest.mark.parametrize(
    ("said", "shown_as"),
    [
        pytest.param("2026-11-20T12:00:30Z", "", id="right"),
        pytest.param("2026-11-20T13:00:00Z", "2026-11-20T13:00:00Z", id="an-hour-ahead"),
        pytest.param("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", id="its-clock-was-never-set"),
        pytest.param("2026-11-20T12:00:00", "2026-11-20T12:00:00", id="nobody-knows-whose-noon"),
        pytest.param("<b>noon", "<b>noon", id="no-time-at-all"),
        pytest.param("", "", id="none"),
    ],
)
def test_a_stations_clock_is_shown_where_it_is_wrong(said: str, shown_as: str) -> None:
    assert places([report(0, 1, said)])[0].clock == shown_as


def evse(name: str, *addresses: str) -> StationEvse:
    return StationEvse(evse_id=name, operator="demo", connectors=addresses, effective="available")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        pytest.param("0.1", "connector 1", id="ocpp1.6"),
        pytest.param("1.1", "EVSE 1, connector 1", id="ocpp2"),
        pytest.param("12.34", "EVSE 12, connector 34", id="ocpp2-of-many"),
    ],
)
def test_a_connector_is_named_as_people_at_the_station_do(address: str, name: str) -> None:
    assert connector_name(address) == name


def test_an_order_can_be_about_the_station_a_connector_or_with_2x_an_evse() -> None:
    assert targets([evse("DE*A", "0.1"), evse("DE*B", "0.2")]) == [
        ("", "the whole station"),
        ("0.1", "connector 1 (DE*A)"),
        ("0.2", "connector 2 (DE*B)"),
    ]
    assert targets([evse("DE*A", "1.1", "1.2")]) == [
        ("", "the whole station"),
        ("1.", "EVSE 1 (DE*A)"),
        ("1.1", "EVSE 1, connector 1 (DE*A)"),
        ("1.2", "EVSE 1, connector 2 (DE*A)"),
    ]
    assert [value for value, _ in connectors([evse("DE*A", "1.1", "1.2")])] == ["1.1", "1.2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", (None, None), id="station"),
        pytest.param("0.2", (None, 2), id="connector-of-1.6"),
        pytest.param("1.", (1, None), id="evse"),
        pytest.param("1.2", (1, 2), id="connector-of-2.x"),
        pytest.param("x.-1", (None, None), id="nonsense"),
    ],
)
def test_a_target_is_read_as_it_was_given(text: str, expected: tuple[int | None, int | None]) -> None:
    assert read_target(text) == expected
