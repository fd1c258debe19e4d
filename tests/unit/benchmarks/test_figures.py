"""The benchmark's own arithmetic: a goal is reached or missed, a ratio is to the baseline of the same run."""

from __future__ import annotations

import pytest

from tests.benchmarks.figures import Figure, Goal, Report, document, remarks, table


@pytest.mark.parametrize(
    ("figure", "reached"),
    [
        pytest.param(Figure("p99", 50, "ms", Goal(50)), True, id="at most, just"),
        pytest.param(Figure("p99", 50.1, "ms", Goal(50)), False, id="at most, above"),
        pytest.param(Figure("CPU", 120, "µs", Goal(0.5, of_ratio=True), 240), True, id="half of the baseline"),
        pytest.param(Figure("CPU", 121, "µs", Goal(0.5, of_ratio=True), 240), False, id="more than half"),
        pytest.param(Figure("rate", 8000, "/s", Goal(2, at_least=True, of_ratio=True), 4000), True, id="twice"),
        pytest.param(Figure("rate", 7900, "/s", Goal(2, at_least=True, of_ratio=True), 4000), False, id="not twice"),
        pytest.param(Figure("memory", 400, "MiB"), None, id="only reported"),
    ],
)
def test_goal_is_reached_on_its_own_side_of_the_bound(figure: Figure, reached: bool | None) -> None:
    assert figure.reached is reached


def test_goal_for_a_ratio_needs_a_baseline() -> None:
    with pytest.raises(AssertionError, match="CPU: a goal for a ratio needs a baseline"):
        _ = Figure("CPU", 120, "µs", Goal(0.5, of_ratio=True)).reached


def test_table_shows_what_was_missed() -> None:
    report = Report(
        (
            Figure("CPU per status", 121.4, "µs", Goal(0.5, of_ratio=True), 240),
            Figure("connected", 10_000, ""),
        )
    )
    assert table([("status", report)]).splitlines() == [
        "row     figure            seen      baseline  ratio     goal",
        "status  CPU per status     121  µs       240   0.51  ≤ 0.5 ×  MISSED",
        "status  connected       10,000",
    ]


def test_document_holds_what_was_wrong() -> None:
    report = Report((Figure("p50", 9.5, "ms", Goal(10)),), ("two checkpoints",), ("store bench-00001: None",))
    assert document("a machine", [("paced", report)]) == {
        "machine": "a machine",
        "rows": {
            "paced": {
                "figures": [
                    {
                        "name": "p50",
                        "value": 9.5,
                        "unit": "ms",
                        "baseline": None,
                        "ratio": None,
                        "goal": "≤ 10",
                        "reached": True,
                    }
                ],
                "asides": ["two checkpoints"],
                "wrong": ["store bench-00001: None"],
                "failed": None,
            }
        },
    }


def test_document_holds_why_a_row_failed() -> None:
    rows = document("a machine", [("paced", Report((), failed="RuntimeError: refused"))])["rows"]
    assert rows == {"paced": {"figures": [], "asides": [], "wrong": [], "failed": "RuntimeError: refused"}}


def test_remarks_show_the_first_of_what_was_wrong_and_count_all() -> None:
    report = Report((), ("two checkpoints",), ("store 1: None", "store 2: None", "store 3: None"), "OSError: full")
    assert remarks("paced", report, shown_wrong=2) == [
        "paced: two checkpoints",
        "paced WRONG: store 1: None",
        "paced WRONG: store 2: None",
        "paced: 3 wrong, figures do not count",
        "paced FAILED: OSError: full",
    ]
