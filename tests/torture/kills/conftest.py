"""Give each block of seeds a site, leave out seeds that a run before has done, and tell of every kill and the totals.

KILL_SEEDS says which seeds run, such as 1-1000. With `--catalogue-results FILE`, those that FILE has as passed are left
out: a run that was broken off goes on where it was.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.conftest import (  # noqa: F401 - fixtures and a hook, for the tests here
    database_url,
    make_site,
    processes,
    processes_of_test,
    pytest_runtest_makereport,
)
from tests.torture.kills.lives import Block, blocks, seeds_of

SHORT = "1-12,21-32"
"""What `make test` runs: both kinds of database."""
_TALLY = "tally"
_TOLD = ("kills", "kills_in_start_up", "kills_in_calls", "kills_in_pushes", "calls_open", "pushes_open")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each block of seeds that is still to be run."""
    if "block" in metafunc.fixturenames:
        seeds = seeds_of(os.environ.get("KILL_SEEDS", SHORT))
        done = _done(metafunc.config.getoption("--catalogue-results"))
        found = blocks(seed for seed in seeds if seed not in done)
        metafunc.parametrize("block", found, ids=str)


def _done(path: str | None) -> set[int]:
    if path is None or not Path(path).exists():
        return set()
    results = map(json.loads, Path(path).read_text(encoding="utf-8").splitlines())
    return {
        seed
        for result in results
        if "T01" in result.get("rows", ()) and result["outcome"] == "passed"
        for seed in result.get("seeds", ())
    }


@pytest.fixture
def block_database(block: Block, request: pytest.FixtureRequest) -> str | None:
    """Return the URL of the block's database; None for the site's own SQLite file."""
    if block.database == "sqlite":
        return None
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line for each kill, and what all of them came to."""
    totals: Counter[str] = Counter()
    for report in [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]:
        if "test_kill.py" not in report.nodeid:
            continue
        totals.update(dict(report.user_properties).get(_TALLY, {}).get("counts", {}))
        terminalreporter.write(report.capstdout)
    if totals["kills"]:
        terminalreporter.write_line(
            "{kills} kills: {kills_in_start_up} in start-up, {kills_in_calls} into open calls ({calls_open} calls), "
            "{kills_in_pushes} into open pushes ({pushes_open} pushes)".format(**{name: totals[name] for name in _TOLD})
        )
        terminalreporter.write_line(
            f"{totals['statuses_answered']} statuses answered, {totals['statuses_lost']} of them lost; "
            f"{totals['requests']} requests at hubs, {totals['older_values']} values older than one sent before"
        )
