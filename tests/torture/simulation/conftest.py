"""Run worlds for tests: each in a folder of its own, from one migrated database, and counted in the test's tally."""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.catalogue.recording import Tally
from tests.catalogue.table import COUNTED
from tests.torture.simulation.fates import Fate
from tests.torture.simulation.runs import migrated, place, run, tell
from tests.torture.simulation.world import Plan, World

_COUNTED = tuple(name for name in COUNTED if not name.startswith(("kills", "calls_open", "pushes_open")))
"""What a simulated run adds to the totals: its kills are none of a real process."""


class Simulate:
    """Runs worlds and adds up what they counted."""

    def __init__(self, template: Path, tally: Tally) -> None:
        self.template = template
        self._tally = tally

    def __call__(self, seed: int, plan: Plan, fates: Sequence[Fate]) -> Counter[str]:
        """Run one world to its end and return what it counted. Raises: Broken."""
        return self._count(run(seed, plan, fates, self.template)[0])

    def play(
        self, seed: int, plan: Plan, script: Callable[[World], Coroutine[Any, Any, None]], fates: Sequence[Fate] = ()
    ) -> Counter[str]:
        """Run one world through a script and to its end; return what it counted. Raises: Broken."""
        return self._count(tell(seed, plan, script, self.template, fates).tally)

    def _count(self, counted: Counter[str]) -> Counter[str]:
        self._tally.count(**{name: counted[name] for name in _COUNTED if name in counted})
        self._tally.count(simulated_kills=counted["kills"])
        return counted

    def tell(self, seed: int, plan: Plan, story: Callable[[World], Coroutine[Any, Any, None]]) -> World:
        """Run one story to its end and return its world. Raises: Broken, and what the story does."""
        world = tell(seed, plan, story, self.template)
        self._count(world.tally)
        self._tally.seed(seed)
        return world


@pytest.fixture(scope="session")
def migrated_database() -> Iterator[Path]:
    """Migrate one database, of which each run gets a copy."""
    with tempfile.TemporaryDirectory(dir=place(), prefix="ocpp-bridge-template-") as folder:
        yield migrated(Path(folder))


@pytest.fixture
def simulate(migrated_database: Path, tally: Tally) -> Iterator[Simulate]:
    """Return what runs a world: `simulate(seed, plan, fates)`. The product's log is silent meanwhile."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield Simulate(migrated_database, tally)
    structlog.reset_defaults()
