"""Say which rows of the torture catalogue a test covers, and keep what a run of it showed. A pytest plugin.

A test names its rows (`@pytest.mark.row("T24")`), and `pytest -k T24` finds it. One that takes the fixture `tally` also
says with which seeds it ran and what it counted. With `--catalogue-results FILE` each outcome becomes a line there, and
what FILE has as passed is left out, so that a long run may be broken off and go on; `table` makes the table of
docs/reliability.md of it. `--long` also runs what takes minutes (`@pytest.mark.long`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue.rows import known_rows

_ROWS, _TALLY = "rows", "tally"


@dataclass
class Tally:
    """What a test of the catalogue has run and counted."""

    seeds: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def seed(self, number: int) -> None:
        """Note that this seed was run to its end."""
        self.seeds.append(number)

    def count(self, **counts: int) -> None:
        """Add to what was counted: see `COUNTED` in `table` for the names that its totals show."""
        self.counts.update(counts)

    def plain(self) -> dict[str, Any]:
        """Return it in types that go from process to process."""
        return {"seeds": list(self.seeds), "counts": dict(self.counts)}


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Give the test what it notes seeds and counts in."""
    found = Tally()
    request.node.user_properties.append((_TALLY, found))
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("catalogue")
    group.addoption("--long", action="store_true", help="also run tests that take minutes (make torture)")
    group.addoption("--seeds", default="1-3", metavar="FIRST-LAST", help="which seeds a simulation runs")
    group.addoption(
        "--catalogue-results", metavar="FILE", help="add a line for each test of the catalogue; leave out what passed"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a `seed`, and says itself none, once for each of `--seeds`."""
    own = any("seed" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize") if mark.args)
    if "seed" in metafunc.fixturenames and not own:
        first, _, last = metafunc.config.getoption("--seeds").partition("-")
        seeds = range(int(first), int(last or first) + 1)
        metafunc.parametrize("seed", seeds, ids=[f"seed {seed}" for seed in seeds])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes minutes unless it is asked for, and let `-k T24` find a row's tests."""
    rows = known_rows()
    for item in items:
        ids = [row for mark in item.iter_markers("row") for row in mark.args]
        if unknown := set(ids) - rows.keys():
            raise pytest.UsageError(f"{item.nodeid}: {sorted(unknown)} are no rows of tests/catalogue/rows.toml")
        item.extra_keyword_matches.update(ids)
        if ids:
            item.user_properties.append((_ROWS, ids))
    if not config.getoption("--long"):
        _leave_out(config, items, lambda item: item.get_closest_marker("long") is not None)
    done = passed_before(config.getoption("--catalogue-results"))
    # A block of kills says itself which of its seeds are left.
    _leave_out(config, items, lambda item: item.nodeid in done and item.get_closest_marker("kill") is None)


def _leave_out(config: pytest.Config, items: list[pytest.Item], unwanted: Callable[[pytest.Item], bool]) -> None:
    if left_out := [item for item in items if unwanted(item)]:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not unwanted(item)]


def passed_before(path: str | None) -> frozenset[str]:
    """Return the tests whose last outcome in this file of results is that they passed."""
    if path is None or not Path(path).exists():
        return frozenset()
    results = map(json.loads, Path(path).read_text(encoding="utf-8").splitlines())
    last = {result["test"]: result["outcome"] for result in results if "test" in result}
    return frozenset(test for test, outcome in last.items() if outcome == "passed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Make of a tally what can be sent to the process that writes."""
    report = yield
    report.user_properties = [
        (name, value.plain() if isinstance(value, Tally) else value) for name, value in report.user_properties
    ]
    return report


class Results:
    """Writes one line for each test that covers a row. Registered in the process that has all the reports."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the test's outcome; a set-up that fails is one, too."""
        found = dict(report.user_properties)
        if _ROWS not in found or (report.when != "call" and report.passed):
            return
        line = {
            "test": report.nodeid,
            "rows": found[_ROWS],
            "outcome": report.outcome,
            "seconds": round(report.duration, 1),
            **found.get(_TALLY, {}),
        }
        with self._path.open("a", encoding="utf-8") as results:
            results.write(json.dumps(line) + "\n")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A run of which nothing is left is no failure."""
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK


def pytest_configure(config: pytest.Config) -> None:
    """Write results where they are wanted, and only in the one process that has them all."""
    path = config.getoption("--catalogue-results")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Results(Path(path)))
