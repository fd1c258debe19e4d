"""A run of the benchmark: what was measured is shown and kept, whatever another row does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import run_rows
from tests.benchmarks.figures import Figure, Goal, Report

_QUICK = Report((Figure("CPU per status", 120, "µs", Goal(250)),), ("two checkpoints",))
_SLOW = Report((Figure("CPU per status", 260, "µs", Goal(250)),))
_WRONG = Report((Figure("connected", 9_999, ""),), (), ("store bench-00001: None",))


def _rows(**rows: Report | BaseException | Callable[[], Report]) -> Callable[[str], Report]:
    """Return a `measure` that returns a row's report, raises its exception, or asks it."""

    def measure(row: str) -> Report:
        found = rows[row]
        if isinstance(found, BaseException):
            raise found
        return found if isinstance(found, Report) else found()

    return measure


def test_row_that_raises_leaves_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figures.json"
    measure = _rows(status=_QUICK, paced=RuntimeError("3 × no answer"), lag=_SLOW)
    assert run_rows(["status", "paced", "lag"], measure, "a machine", path) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "",
        "row     figure          seen      baseline  ratio   goal",
        "status  CPU per status   120  µs                   ≤ 250  reached",
        "lag     CPU per status   260  µs                   ≤ 250  MISSED",
        "",
        "status: two checkpoints",
        "paced FAILED: RuntimeError: 3 × no answer",
    ]
    assert "Traceback (most recent call last)" in shown.err
    rows = json.loads(path.read_text())["rows"]
    assert {row: found["failed"] for row, found in rows.items()} == {
        "status": None,
        "paced": "RuntimeError: 3 × no answer",
        "lag": None,
    }
    assert [figure["value"] for found in rows.values() for figure in found["figures"]] == [120, 260]


@pytest.mark.parametrize(
    ("report", "code"),
    [
        pytest.param(_QUICK, 0, id="reached"),
        pytest.param(_SLOW, 0, id="missed"),
        pytest.param(_WRONG, 1, id="wrong data"),
    ],
)
def test_exit_code_is_about_wrong_data_and_not_about_goals(report: Report, code: int) -> None:
    assert run_rows(["status"], _rows(status=report), "a machine", None) == code


def test_row_is_shown_on_stderr_when_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    shown: list[str] = []

    def next_row() -> Report:
        shown.extend(capsys.readouterr())
        return _SLOW

    run_rows(["status", "paced"], _rows(status=_QUICK, paced=next_row), "a machine", None)
    out, err = shown
    assert out == ""
    assert err.splitlines() == [
        "row     figure          seen      baseline  ratio   goal",
        "status  CPU per status   120  µs                   ≤ 250  reached",
        "status: two checkpoints",
        "status: 0 s",
        "",
    ]


def test_file_is_written_after_each_row(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    kept: list[str] = []

    def next_row() -> Report:
        kept.extend(json.loads(path.read_text())["rows"])
        return _SLOW

    run_rows(["status", "paced"], _rows(status=_QUICK, paced=next_row), "a machine", path)
    assert kept == ["status"]
    assert list(json.loads(path.read_text())["rows"]) == ["status", "paced"]
    assert list(tmp_path.iterdir()) == [path]


def test_file_is_never_half_written(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text("the run before")
    with path.open() as reader:
        run_rows(["status"], _rows(status=_QUICK), "a machine", path)
        assert reader.read() == "the run before"
    assert json.loads(path.read_text())["machine"] == "a machine"


def test_interrupted_run_prints_what_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    measure = _rows(status=_QUICK, paced=KeyboardInterrupt(), lag=_SLOW)
    with pytest.raises(KeyboardInterrupt):
        run_rows(["status", "paced", "lag"], measure, "a machine", None)
    assert capsys.readouterr().out.splitlines() == [
        "",
        "row     figure          seen      baseline  ratio   goal",
        "status  CPU per status   120  µs                   ≤ 250  reached",
        "",
        "status: two checkpoints",
    ]
