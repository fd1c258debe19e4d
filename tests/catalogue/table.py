"""Write the table of docs/reliability.md from what a run of the catalogue showed.

    python -m tests.catalogue.table RESULTS

A test's last outcome counts. What it counted is added up over all runs with different seeds, so that a long run may be
done in parts.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.catalogue.rows import Row, known_rows

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- begin of the table: make torture writes it -->", "<!-- end of the table -->"

COUNTED = {
    "kills": "kills of real processes survived",
    "calls_open": "calls that were open at these kills",
    "pushes_open": "pushes that were open at these kills",
    "statuses_answered": "statuses that stations were told we have",
    "statuses_lost": "of these lost",
    "requests": "requests that hubs received",
    "older_values": "of these carrying an older value than an earlier one",
    "faults": "faults survived",
    "hostile": "hostile frames, logins and handshakes that were turned away",
    "simulated_hours": "simulated hours",
    "simulated_kills": "kills survived in them",
}
"""What the totals show, in this order."""

GUARDS = "guard"
"""A line with this key is the mutation run's: what turned red without that guard (tests/mutation)."""


@dataclass
class Shown:
    """What the tests of one row showed."""

    outcomes: dict[str, str] = field(default_factory=dict)
    seeds: dict[str, set[int]] = field(default_factory=dict)

    def cells(self, row: Row) -> tuple[str, str]:
        """Return seeds run, and the result."""
        if row.not_covered:
            return "–", f"not covered: {row.not_covered}"
        if not self.outcomes:
            return "–", "not run"
        broken, held, skipped = (self._with(outcome) for outcome in ("failed", "passed", "skipped"))
        result = f"**broken** ({_tests(len(broken))})" if broken else f"held ({_tests(len(held))})"
        if skipped:
            result += f", {_tests(len(skipped))} not run here"
        if row.partly:
            result += f"; not shown: {row.partly}"
        seeds = sum(len(found) for found in self.seeds.values())
        return str(seeds or "–"), result

    def _with(self, outcome: str) -> set[str]:
        """Return the tests with this outcome; one that runs many seeds is one test."""
        return {test.partition("[seed")[0] for test, one in self.outcomes.items() if one == outcome}


def _tests(number: int) -> str:
    return "1 test" if number == 1 else f"{number} tests"


def tables(lines: Iterable[str]) -> str:
    """Return the tables in Markdown, from the lines of one or several runs."""
    rows = known_rows()
    shown = {row: Shown() for row in rows}
    totals: dict[tuple[str, tuple[int, ...]], Counter[str]] = {}
    guards: dict[str, tuple[str, str]] = {}
    for line in lines:
        result = json.loads(line)
        if GUARDS in result:
            guards[result[GUARDS]] = result["protects"], result["result"]
            continue
        for row in result["rows"]:
            shown[row].outcomes[result["test"]] = result["outcome"]
            shown[row].seeds.setdefault(result["test"], set()).update(result.get("seeds", ()))
        totals[result["test"], tuple(result.get("seeds", ()))] = Counter(result.get("counts", {}))
    return "\n".join([*_catalogue(rows, shown), "", *_guards(guards), "", *_totals(totals.values())])


def _catalogue(rows: dict[str, Row], shown: dict[str, Shown]) -> list[str]:
    lines = ["| row | what happens | invariants | seeds | result |", "|---|---|---|---|---|"]
    for row in rows.values():
        seeds, result = shown[row.id].cells(row)
        lines.append(f"| {row.id} | {row.fault} | {row.invariants or '–'} | {seeds} | {result} |")
    return lines


def _guards(guards: dict[str, tuple[str, str]]) -> list[str]:
    lines = ["| guard switched off | what it protects | what turned red |", "|---|---|---|"]
    return [*lines, *(f"| {name} | {protects} | {red} |" for name, (protects, red) in guards.items())]


def _totals(counted: Iterable[Counter[str]]) -> list[str]:
    total: Counter[str] = Counter()
    for one in counted:
        total.update(one)
    return ["| total | |", "|---|---|", *(f"| {what} | {total[name]:,} |" for name, what in COUNTED.items())]


def main(arguments: list[str]) -> None:
    """Replace the table in the document."""
    if not arguments:
        raise SystemExit("give the files with the results: python -m tests.catalogue.table RESULTS...")
    lines = [line for name in arguments for line in Path(name).read_text(encoding="utf-8").splitlines()]
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{DOCUMENT} lacks the two lines between which the table stands")
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{tables(lines)}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
