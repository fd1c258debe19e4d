"""Measure what the project promises about speed, row by row, and print one table.

    make bench                                   # or: python -m tests.benchmarks [ROW ...]

A row is a module of `rows` with a function `measure(options, folder)` that returns a `figures.Report`. A missed goal is
printed as missed and decides nothing, since machines are shared; wrong data ends the run with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from tests.benchmarks.figures import Report, document, table
from tests.benchmarks.machine import machine
from tests.benchmarks.options import Options
from tests.benchmarks.processes import ROOT

ROWS = ("status", "paced", "lag", "growth", "start", "held", "storm", "outage")
_SHOWN_WRONG = 20


def main() -> int:
    """Run the rows that were asked for, print, and return the exit code."""
    arguments = _arguments()
    options = Options(
        arguments.stations, arguments.many, arguments.seconds, arguments.rounds, arguments.wire_log, arguments.seed
    )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    described = machine(arguments.folder, options)
    print(described, flush=True)
    reports = [(row, _run(row, options, arguments.folder)) for row in arguments.rows or ROWS]
    _print(reports)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(document(described, reports), indent=2) + "\n")
    return 1 if any(report.wrong for _, report in reports) else 0


def _arguments() -> argparse.Namespace:
    usual = Options()
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"all, or some of {', '.join(ROWS)}")
    parser.add_argument("--stations", type=int, default=usual.stations, help="stations that report at saturation")
    parser.add_argument("--many", type=int, default=usual.many, help="stations of the rows about size")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="length of a round")
    parser.add_argument("--rounds", type=int, default=usual.rounds)
    parser.add_argument("--no-wire-log", dest="wire_log", action="store_false", help="[wire_log] enabled = false")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".build", help="where databases lie: the disk that counts"
    )
    parser.add_argument("--json", type=Path, help="write everything to this file, too")
    arguments = parser.parse_args()
    if unknown := set(arguments.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    return arguments


def _run(row: str, options: Options, folder: Path) -> Report:
    module = import_module(f"tests.benchmarks.rows.{row}")
    own = Path(tempfile.mkdtemp(prefix=f"bench-{row}-", dir=folder))
    started = time.monotonic()
    try:
        report: Report = module.measure(options, own)
    finally:
        shutil.rmtree(own, ignore_errors=True)
    print(f"{row}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return report


def _print(reports: list[tuple[str, Report]]) -> None:
    print(f"\n{table(reports)}\n")
    for row, report in reports:
        for line in report.asides:
            print(f"{row}: {line}")
        for line in report.wrong[:_SHOWN_WRONG]:
            print(f"{row} WRONG: {line}")
        if report.wrong:
            print(f"{row}: {len(report.wrong)} wrong, figures do not count")


if __name__ == "__main__":
    sys.exit(main())
