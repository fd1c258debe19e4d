"""Say what was measured, against which goal, and show it as a table.

Pure. Before it: the rows. After it: `__main__`, which prints and decides the exit code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that the project has set itself, of the figure or of its ratio to the baseline."""

    bound: float
    at_least: bool = False
    of_ratio: bool = False

    def reached_by(self, seen: float) -> bool:
        return seen >= self.bound if self.at_least else seen <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}{' ×' if self.of_ratio else ''}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a row. Without a goal it is only reported."""

    name: str
    value: float
    unit: str
    goal: Goal | None = None
    baseline: float | None = None
    """The same figure of what it is compared with, measured in the same run."""

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None

    @property
    def reached(self) -> bool | None:
        """None where there is no goal."""
        if self.goal is None:
            return None
        if not self.goal.of_ratio:
            return self.goal.reached_by(self.value)
        if self.ratio is None:
            raise AssertionError(f"{self.name}: a goal for a ratio needs a baseline")
        return self.goal.reached_by(self.ratio)


@dataclass(frozen=True, slots=True)
class Report:
    """What a row found."""

    figures: tuple[Figure, ...]
    asides: tuple[str, ...] = ()
    """Lines that explain the figures."""
    wrong: tuple[str, ...] = ()
    """What the store or a hub held that is not what stations were answered."""
    failed: str | None = None
    """Why the row ended early, and has no figures."""


def table(reports: Sequence[tuple[str, Report]]) -> str:
    """Return one line for each figure, under a headline."""
    cells = [("row", "figure", "seen", "", "baseline", "ratio", "goal", "")]
    cells += [(row, *_cells(figure)) for row, report in reports for figure in report.figures]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(_line(line, widths) for line in cells)


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    to_the_left = (True, True, False, True, False, False, False, True)
    padded = (
        cell.ljust(width) if left else cell.rjust(width)
        for cell, width, left in zip(cells, widths, to_the_left, strict=True)
    )
    return "  ".join(padded).rstrip()


def _cells(figure: Figure) -> tuple[str, ...]:
    verdict = {None: "", True: "reached", False: "MISSED"}[figure.reached]
    return (
        figure.name,
        number(figure.value),
        figure.unit,
        "" if figure.baseline is None else number(figure.baseline),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        "" if figure.goal is None else str(figure.goal),
        verdict,
    )


def number(value: float) -> str:
    """Return a figure with as many digits as it deserves."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def remarks(row: str, report: Report, shown_wrong: int = 20) -> list[str]:
    """Return the lines that go with a row's figures."""
    lines = [f"{row}: {line}" for line in report.asides]
    lines += [f"{row} WRONG: {line}" for line in report.wrong[:shown_wrong]]
    if report.wrong:
        lines.append(f"{row}: {len(report.wrong)} wrong, figures do not count")
    if report.failed is not None:
        lines.append(f"{row} FAILED: {report.failed}")
    return lines


def document(machine: str, reports: Sequence[tuple[str, Report]]) -> dict[str, Any]:
    """Return everything for `--json`."""
    return {
        "machine": machine,
        "rows": {
            row: {
                "figures": [_entry(figure) for figure in report.figures],
                "asides": list(report.asides),
                "wrong": list(report.wrong),
                "failed": report.failed,
            }
            for row, report in reports
        },
    }


def _entry(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "baseline": figure.baseline,
        "ratio": figure.ratio,
        "goal": None if figure.goal is None else str(figure.goal),
        "reached": figure.reached,
    }
