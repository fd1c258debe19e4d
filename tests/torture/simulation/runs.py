"""Run a world from one line: `python -m tests.torture.simulation.runs SEED` shows what happens in it."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from bridge.store.engine import open_store
from csms.events import OcppVersion
from tests.torture.simulation.fates import (
    Fate,
    clock_steps,
    deaths,
    hub_faults,
    kills,
    storage_faults,
    temporary_statuses,
)
from tests.torture.simulation.stations import Habits
from tests.torture.simulation.virtual_time import run_virtually
from tests.torture.simulation.world import Plan, World

FLEET = {
    "one": Habits(OcppVersion.V16, ((0, 1), (0, 2)), change_s=3600),
    "two": Habits(OcppVersion.V201, ((1, 1), (1, 2), (2, 1)), change_s=3600),
    "three": Habits(OcppVersion.V16, ((0, 1),), change_s=1800, drop_s=3600, silent=True),
    "four": Habits(OcppVersion.V16, ((0, 1),), change_s=1800, refuses=True),
}
"""Stations of either version; one reports nothing unless it is asked, one refuses to be asked."""

EVERYTHING: tuple[Fate, ...] = (
    kills(4 * 3600),
    deaths(2 * 3600),
    hub_faults(3600),
    storage_faults(5 * 3600),
    clock_steps(6 * 3600),
    temporary_statuses(2 * 3600),
)
"""Every fault there is, several of them at once."""

SHARED_MEMORY = Path("/dev/shm")
"""A place for files that no disk slows; any other serves as well."""


def place() -> Path | None:
    """Return where folders for runs are made; None: where the system wants them."""
    return SHARED_MEMORY if SHARED_MEMORY.is_dir() else None


def migrated(folder: Path) -> Path:
    """Make a database of this release to begin runs with, and return its path."""
    store = open_store(f"sqlite:///{folder / 'bridge.db'}", state_dir=folder)
    store.upgrade()
    store.engine.dispose()
    store.release()
    return folder / "bridge.db"


def run(seed: int, plan: Plan, fates: Sequence[Fate], template: Path | None = None) -> tuple[Counter[str], list[str]]:
    """Run one world in a folder of its own, and return what was counted and what happened. Raises: Broken."""
    with tempfile.TemporaryDirectory(dir=place(), prefix="ocpp-bridge-world-") as folder:
        world = World(seed, plan, Path(folder), template)

        async def main() -> Counter[str]:
            return await world.run(*fates)

        return run_virtually(main, world.on_task), world.events


def tell(
    seed: int,
    plan: Plan,
    story: Callable[[World], Coroutine[Any, Any, None]],
    template: Path | None = None,
    fates: Sequence[Fate] = (),
) -> World:
    """Run one story in a folder of its own, and return its world. Raises: Broken, and what the story does."""
    with tempfile.TemporaryDirectory(dir=place(), prefix="ocpp-bridge-world-") as folder:
        world = World(seed, plan, Path(folder), template)

        async def main() -> None:
            await world.tell(story, *fates)

        run_virtually(main, world.on_task)
        return world


if __name__ == "__main__":
    tally, events = run(int(sys.argv[1]), Plan(FLEET), EVERYTHING)
    print("\n".join(events))
    print(dict(tally))
