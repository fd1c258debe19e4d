"""The judge of older values knows an older value, also where values repeat, and accuses nobody without a proof."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.fleet.journal import Kind, Report
from simulators.fleet.layout import StationSpec, layout
from tests.torture.kills.order import Order, older_values, timelines


def _with_one_connector() -> StationSpec:
    return next(spec for spec in layout(24, 1) if len(spec.connectors) == 1 and spec.version.value == "1.6")


SPEC = _with_one_connector()
(EVSE,) = SPEC.evses
(CONNECTOR,) = EVSE.connectors


def said(*reports: tuple[str, float, float]) -> list[Report]:
    return [
        Report(
            n, "", SPEC.station, CONNECTOR.evse, CONNECTOR.connector, Kind.STATUS, status,
            answered=bool(answered), sent_s=sent, answered_s=answered,
        )
        for n, (status, sent, answered) in enumerate(reports, start=1)
    ]  # fmt: skip


def request(n: int, received: float, answered: float | None, *records: tuple[str, str]) -> dict[str, Any]:
    return {"n": n, "received_at": received, "answered_at": answered, "records": [list(one) for one in records]}


def found(
    reports: list[Report], journal: list[dict[str, Any]], orders: tuple[Order, ...] = (), *, held: bool = False
) -> list[int]:
    lines = timelines([SPEC], reports, orders, held=held)
    return [finding.request for finding in older_values("hubject", journal, lines)]


ALTERNATING = said(("Available", 1, 1.1), ("Charging", 2, 2.1), ("Available", 3, 3.1), ("Charging", 4, 4.1))


@pytest.mark.parametrize(
    ("values", "older"),
    [
        pytest.param(("Available", "Occupied", "Available", "Occupied"), [], id="each in its time"),
        pytest.param(("Available", "Occupied", "Occupied", "Occupied"), [3], id="the one before, which comes again"),
        pytest.param(("Unknown", "Occupied", "Available", "Occupied"), [], id="before the report was surely in force"),
        pytest.param(("Available", "Unknown", "Available", "Occupied"), [2], id="what it was at the very beginning"),
        pytest.param(("Available", "Reserved", "Available", "Occupied"), [2], id="what it never was"),
    ],
)  # fmt: skip
def test_a_value_that_returns_later_excuses_no_older_one(values: tuple[str, ...], older: list[int]) -> None:
    journal = [
        request(n, received, received + 0.7, (EVSE.evse_id, value))
        for n, (received, value) in enumerate(zip((1.5, 2.5, 3.5, 4.5), values, strict=True), start=1)
    ]
    assert found(ALTERNATING, journal) == older


def test_between_the_sending_and_the_answer_of_a_report_both_values_may_go_out() -> None:
    reports = said(("Available", 1, 1.1), ("Charging", 2, 5))
    for value in ("Available", "Occupied"):
        assert (
            found(reports, [request(1, 2, 2.5, (EVSE.evse_id, "Available")), request(2, 4, 4, (EVSE.evse_id, value))])
            == []
        )


def test_a_report_without_an_answer_may_be_in_force_for_ever_and_may_not() -> None:
    reports = said(("Available", 1, 1.1), ("Charging", 2, 0))
    for value in ("Available", "Occupied"):
        assert (
            found(reports, [request(1, 8, 8.1, (EVSE.evse_id, value)), request(2, 9, 9.1, (EVSE.evse_id, value))]) == []
        )


def test_a_value_is_taken_after_the_request_before_it_also_one_about_another_evse() -> None:
    journal = [request(1, 2.2, 3.2, ("DE*ABC*E99999*1", "Unknown")), request(2, 3.5, 3.6, (EVSE.evse_id, "Occupied"))]
    assert found(ALTERNATING, journal) == [1, 2]


def test_a_request_that_got_no_answer_ends_when_it_was_received_at_the_earliest() -> None:
    journal = [request(1, 2.2, None, (EVSE.evse_id, "Occupied")), request(2, 3.5, 3.6, (EVSE.evse_id, "Occupied"))]
    assert found(ALTERNATING, journal) == []


def test_a_temporary_status_counts_from_its_order_to_the_order_that_ends_it() -> None:
    orders = (Order(EVSE.evse_id, "maintenance", 5, 5.1), Order(EVSE.evse_id, None, 7, 7.1))
    journal = [
        request(1, 6, 6.1, (EVSE.evse_id, "OutOfService")),
        request(2, 6.2, 6.3, (EVSE.evse_id, "Occupied")),
        request(3, 7.5, 7.6, (EVSE.evse_id, "Occupied")),
        request(4, 8, 8.1, (EVSE.evse_id, "OutOfService")),
    ]
    assert found(ALTERNATING, journal, orders) == [2, 4]


def test_where_available_must_stand_first_the_value_before_it_may_still_go_out() -> None:
    journal = [request(1, 2.5, 2.6, (EVSE.evse_id, "Occupied")), request(2, 3.5, 3.6, (EVSE.evse_id, "Occupied"))]
    assert found(ALTERNATING, journal, held=True) == []
    journal = [
        *journal,
        request(3, 4.5, 4.6, (EVSE.evse_id, "Available")),
        request(4, 5, 5.1, (EVSE.evse_id, "Available")),
    ]
    assert found(ALTERNATING, journal, held=True) == [4]
