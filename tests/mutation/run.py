"""Switch each guard of the product off, one at a time, and see the torture catalogue turn red.

    python -m tests.mutation.run [--results FILE] [--at-once N] [GUARD...]

Every guard is switched off in a copy of the tree, and its tests run there in a process of their own. Red means that a
test failed by what it claims; one that cannot be imported, or runs out of time, proves nothing. The same tests must be
green first, with every guard in place.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.catalogue.rows import known_rows
from tests.mutation.guards import ROOT, Guard, known_guards

_COPIED = ("bridge", "csms", "simulators", "config", "tests", "docs", "pyproject.toml")
_LONGEST_S = 900
_RED, _GREEN = 1, 0
"""Pytest's exit codes: tests failed; all passed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tests said of one guard."""

    guard: Guard
    rows: tuple[str, ...]
    """Rows of the catalogue that turned red."""
    failed: int
    """How many tests did."""
    problem: str = ""
    """Why nothing is proved; empty where a test turned red."""
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """Return it for the table."""
        if self.problem:
            return f"**not noticed**: {self.problem}"
        return f"{self.failed} {'test' if self.failed == 1 else 'tests'}: {', '.join(self.rows)}"


def copy_tree(folder: Path) -> None:
    """Copy what tests need into an empty folder."""
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(source, folder / name)


def run_tests(folder: Path, tests: Sequence[str]) -> tuple[int, list[dict[str, object]], str]:
    """Run tests in a copy of the tree; return pytest's exit code, the catalogue's result lines, the output's end."""
    results = folder / "results.jsonl"
    results.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--catalogue-results", str(results), *tests]
    environ = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, [], f"no result within {_LONGEST_S} s"
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return done.returncode, [json.loads(line) for line in lines], done.stdout[-2000:] + done.stderr[-500:]


def judge(guard: Guard) -> Verdict:
    """Switch a guard off in a copy of the tree, and return what its tests say."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ocpp-bridge-mutation-") as name:
        folder = Path(name)
        copy_tree(folder)
        (folder / guard.file).write_text(guard.without(ROOT), encoding="utf-8")
        code, lines, end = run_tests(folder, guard.tests)
    seconds = time.monotonic() - began
    failed = [line for line in lines if line["outcome"] == "failed"]
    if code == _RED and failed:
        rows = sorted({str(row) for line in failed for row in _rows(line)}, key=list(known_rows()).index)
        return Verdict(guard, tuple(rows), len(failed), seconds=seconds)
    why = "all its tests pass" if code == _GREEN else f"pytest ended with {code}: {_last_words(end)}"
    return Verdict(guard, (), 0, why, seconds)


def _rows(line: dict[str, object]) -> Iterable[object]:
    rows = line["rows"]
    return rows if isinstance(rows, list) else ()


def _last_words(output: str) -> str:
    words = [line for line in output.splitlines() if line.strip()]
    return re.sub(r"\s+", " ", words[-1])[:160] if words else "it said nothing"


def unchanged_is_green(guards: Iterable[Guard]) -> str:
    """Return why the tests prove nothing; empty where all are green with every guard in place."""
    tests = sorted({test for guard in guards for test in guard.tests})
    with tempfile.TemporaryDirectory(prefix="ocpp-bridge-mutation-") as name:
        copy_tree(Path(name))
        code, _, end = run_tests(Path(name), tests)
    return "" if code == _GREEN else end


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 where a guard can be switched off and nothing notices."""
    known = known_guards()
    parser = argparse.ArgumentParser(description="Switch guards off, and see the torture catalogue turn red.")
    parser.add_argument("guards", nargs="*", metavar="GUARD", help=f"these alone, of: {', '.join(known)}")
    parser.add_argument("--results", type=Path, help="add a line for each guard, for the table of docs/reliability.md")
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help="how many copies work at a time")
    options = parser.parse_args(arguments)
    if unknown := set(options.guards) - known.keys():
        parser.error(f"no such guard: {', '.join(sorted(unknown))}")
    chosen = [known[name] for name in options.guards or known]
    if broken := unchanged_is_green(chosen):
        print(f"with every guard in place the tests are not green:\n{broken}")
        return 1
    print(f"with every guard in place all tests are green; {len(chosen)} guards to switch off", flush=True)
    with ThreadPoolExecutor(options.at_once) as pool:
        verdicts = [_told(verdict, options.results) for verdict in pool.map(judge, chosen)]
    unnoticed = [verdict.guard.name for verdict in verdicts if verdict.problem]
    print(
        f"{len(verdicts) - len(unnoticed)} of {len(verdicts)} guards noticed" + "".join(f"\n  {n}" for n in unnoticed)
    )
    return 1 if unnoticed else 0


def _told(verdict: Verdict, results: Path | None) -> Verdict:
    print(f"{verdict.guard.name}: {verdict.text} ({verdict.seconds:.0f} s)", flush=True)
    if results is not None:
        line = {"guard": verdict.guard.name, "protects": verdict.guard.protects, "result": verdict.text}
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    return verdict


if __name__ == "__main__":
    sys.exit(main())
