"""Measure what the project promises about speed, row by row, and print one table.

    make bench                                   # or: python -m tests.benchmarks [ROW ...]

A row is a module of `rows` with a function `measure(options, folder)` that returns a `figures.Report`. A missed goal is
printed as missed and decides nothing, since machines are shared. Wrong data and a row that failed make the exit code 1,
after all other rows. What a row found is on stderr, and in the file of `--json`, as soon as it ends.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from tests.benchmarks.figures import Report, document, remarks, table
from tests.benchmarks.machine import machine
from tests.benchmarks.options import Options
from tests.benchmarks.processes import ROOT

ROWS = ("status", "paced", "lag", "growth", "start", "held", "storm", "outage")


def main() -> int:
    """Run the rows that were asked for, print, and return the exit code."""
    arguments = _arguments()
    options = Options(
        arguments.stations, arguments.many, arguments.seconds, arguments.rounds, arguments.wire_log, arguments.seed
    )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    described = machine(arguments.folder, options)
    print(described, flush=True)
    measure = partial(_measure, options, arguments.folder)
    return run_rows(arguments.rows or ROWS, measure, described, arguments.json)


def run_rows(rows: Sequence[str], measure: Callable[[str], Report], described: str, path: Path | None) -> int:
    """Measure row by row, whatever one of them raises, print the table of all, and return the exit code.

    After each row the file at `path` holds everything so far. The table is printed also where the run is interrupted.
    """
    reports: list[tuple[str, Report]] = []
    try:
        for row in rows:
            reports.append((row, _report(row, measure)))
            if path is not None:
                _replace(path, json.dumps(document(described, reports), indent=2) + "\n")
    finally:
        _print(reports)
    return 1 if any(report.wrong or report.failed is not None for _, report in reports) else 0


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
    if arguments.json is not None and not arguments.json.parent.is_dir():
        parser.error(f"no folder {arguments.json.parent}")
    if unknown := set(arguments.rows) - set(ROWS):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    return arguments


def _measure(options: Options, folder: Path, row: str) -> Report:
    module = import_module(f"tests.benchmarks.rows.{row}")
    own = Path(tempfile.mkdtemp(prefix=f"bench-{row}-", dir=folder))
    try:
        report: Report = module.measure(options, own)
    finally:
        shutil.rmtree(own, ignore_errors=True)
    return report


def _report(row: str, measure: Callable[[str], Report]) -> Report:
    started = time.monotonic()
    try:
        report = measure(row)
    except Exception as error:  # noqa: BLE001 - half an hour of other rows is not lost for one
        traceback.print_exc()
        report = Report((), failed=f"{type(error).__name__}: {error}")
    shown = [table([(row, report)])] if report.figures else []
    lines = [*shown, *remarks(row, report), f"{row}: {time.monotonic() - started:.0f} s"]
    print(*lines, sep="\n", end="\n\n", file=sys.stderr, flush=True)
    return report


def _replace(path: Path, text: str) -> None:
    """Write a file so that it is there whole, whenever the run is killed."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    os.replace(new, path)


def _print(reports: list[tuple[str, Report]]) -> None:
    lines = [line for row, report in reports for line in remarks(row, report)]
    print(f"\n{table(reports)}\n", *lines, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
