"""The power goes at any operation on any file: what was answered is there afterwards, and the file is sound.

One run of traffic gives many moments: before an operation, what a loss of power would leave behind is kept together
with what had been answered by then. Each is then opened as a bridge does that starts.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.store.engine import open_store
from bridge.store.errors import StoreError
from tests.catalogue.recording import Tally
from tests.torture.disk.conftest import Stocked
from tests.torture.disk.disks import Image, PowerlessDisk
from tests.torture.disk.traffic import Connector, Told, integrity, missing, traffic
from tests.torture.disk.vfs import standing_between

pytestmark = pytest.mark.row("T16")


@dataclass(frozen=True, slots=True)
class Loss:
    """What a loss of power leaves behind, and what stations had been told by then."""

    image: Image
    answered: dict[Connector, int]


class Losses:
    """Takes a loss of power now and then: before about every nth operation."""

    def __init__(self, disk: PowerlessDisk, told: Told, chance: random.Random, every: int) -> None:
        self.found: list[Loss] = []
        self._disk, self._told, self._chance, self._every = disk, told, chance, every

    def look(self) -> None:
        if self._chance.randrange(self._every) == 0:
            self.found.append(Loss(self._disk.image(self._chance), dict(self._told.answered)))


async def losses(
    folder: Path, seed: int, *, rounds: int, every: int, synchronous: str | None = None
) -> tuple[Told, Sequence[Loss]]:
    told, disk, chance = Told(), PowerlessDisk(), random.Random(seed)
    kept = Losses(disk, told, random.Random(seed), every)
    with standing_between(disk):
        async with traffic(folder, told, synchronous=synchronous) as stations:
            disk.on_operation = kept.look
            await stations.rounds(rounds, chance)
            disk.on_operation = lambda: None
    return told, kept.found


def after(loss: Loss, folder: Path) -> list[str]:
    """Return what is wrong with what a loss of power left behind, opened as a bridge opens it."""
    folder.mkdir()
    for path, content in loss.image.items():
        (folder / Path(path).name).write_bytes(content)
    store = open_store(f"sqlite:///{folder / 'bridge.db'}", state_dir=folder)
    store.engine.dispose()
    store.release()
    found = integrity(folder / "bridge.db")
    return missing(folder / "bridge.db", loss.answered) + ([] if found == "ok" else [found])


async def assert_survives(stocked: Stocked, folder: Path, seed: int, tally: Tally, *, rounds: int, every: int) -> None:
    told, found = await losses(stocked(), seed, rounds=rounds, every=every)
    assert told.refused == 0
    assert len(found) > 10, "too few moments to prove anything"
    wrong = {number: lines for number, loss in enumerate(found) if (lines := after(loss, folder / f"{seed}-{number}"))}
    assert wrong == {}, f"seed {seed}"
    tally.seed(seed)
    tally.count(faults=len(found), statuses_answered=told.statuses)


@pytest.mark.parametrize("replayed", [1, 2])
async def test_what_was_answered_survives_a_loss_of_power(
    stocked: Stocked, tmp_path: Path, tally: Tally, replayed: int
) -> None:
    await assert_survives(stocked, tmp_path, replayed, tally, rounds=60, every=25)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("replayed", range(100, 150))
async def test_what_was_answered_survives_many_losses_of_power(
    stocked: Stocked, tmp_path: Path, tally: Tally, replayed: int
) -> None:
    await assert_survives(stocked, tmp_path, replayed, tally, rounds=150, every=20)


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
async def test_a_database_that_syncs_less_loses_what_was_answered(
    stocked: Stocked, tmp_path: Path, synchronous: str
) -> None:
    # SQLite, PRAGMA synchronous: with WAL and NORMAL a committed transaction may be rolled back by a loss of power.
    _, found = await losses(stocked(), 3, rounds=30, every=25, synchronous=synchronous)
    lost = 0
    for number, loss in enumerate(found):
        try:
            lost += bool(after(loss, tmp_path / f"loss-{number}"))
        except (sqlite3.DatabaseError, StoreError):
            lost += 1
    assert lost > len(found) / 4, "this check would not notice a commit that is not durable"
