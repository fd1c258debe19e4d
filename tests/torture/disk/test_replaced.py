"""Somebody moves, deletes or replaces the database files while the bridge writes: it stops, and keeps what it was told.

SQLite itself would go on writing into a file that has no name any more, and all of it would be gone with the process.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan
from tests.acceptance.processes import tail
from tests.acceptance.stored import assert_nothing_lost
from tests.catalogue.recording import Tally
from tests.torture.disk.conftest import Stocked
from tests.torture.disk.traffic import Told, integrity, missing, traffic

pytestmark = pytest.mark.row("T18")


def beside(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)


def delete_all(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        beside(database, suffix).unlink()


@pytest.mark.parametrize(
    ("meddle", "named"),
    [
        pytest.param(Path.unlink, "bridge.db", id="database-deleted"),
        pytest.param(lambda db: beside(db, "-wal").unlink(), "bridge.db-wal", id="log-deleted"),
        pytest.param(lambda db: beside(db, "-shm").unlink(), "bridge.db-shm", id="index-deleted"),
        pytest.param(delete_all, "bridge.db, bridge.db-wal, bridge.db-shm", id="all-deleted"),
        pytest.param(lambda db: db.rename(beside(db, ".old")), "bridge.db", id="database-moved"),
        pytest.param(
            lambda db: beside(db, "-wal").rename(beside(db, "-wal.old")) and beside(db, "-wal").touch(),
            "bridge.db-wal",
            id="log-replaced",
        ),
    ],
)
async def test_what_was_answered_is_put_back_where_it_was(
    stocked: Stocked, tally: Tally, meddle: Callable[[Path], object], named: str
) -> None:
    folder, told = stocked(), Told()
    database = folder / "bridge.db"
    async with traffic(folder, told) as stations:
        await stations.rounds(10, random.Random(1))
        answered = told.statuses
        meddle(database)
        await stations.rounds(1, random.Random(2))
        assert told.statuses == answered, "a status was answered though it was written into a file without a name"
    assert [str(error) for error in told.broken] == [
        f"database broken: {named} moved, deleted or replaced while in use; all that it held is in bridge.db again; "
        "start again"
    ]
    assert missing(database, told.answered) == []
    assert integrity(database) == "ok"
    tally.count(faults=1, statuses_answered=told.statuses)


async def test_another_database_in_its_place_is_left_alone_and_ours_is_saved_beside_it(
    stocked: Stocked, tmp_path: Path, tally: Tally
) -> None:
    folder, other, told = stocked(), tmp_path / "other.db", Told()
    database = folder / "bridge.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 1")
        connection.commit()
    theirs = other.read_bytes()
    async with traffic(folder, told) as stations:
        await stations.rounds(10, random.Random(1))
        other.replace(database)
        await stations.rounds(1, random.Random(2))
    (saved,) = folder.glob("bridge.db.saved-*")
    assert [str(error) for error in told.broken] == [
        "database broken: bridge.db moved, deleted or replaced while in use; "
        f"all that it held is in {saved.name}; put back the one that is to be used"
    ]
    assert database.read_bytes() == theirs
    assert not beside(database, "-wal").exists(), "our log beside their database would be read into it"
    assert missing(saved, told.answered) == []
    assert integrity(saved) == "ok"
    tally.count(faults=1, statuses_answered=told.statuses)


async def test_where_the_whole_folder_is_gone_it_stops_and_says_that_nothing_was_saved(stocked: Stocked) -> None:
    folder, told = stocked(), Told()
    async with traffic(folder, told) as stations:
        await stations.rounds(3, random.Random(1))
        answered = told.statuses
        shutil.rmtree(folder)
        await stations.rounds(1, random.Random(2))
        assert told.statuses == answered
    (error,) = told.broken
    assert "what it held could not be saved" in str(error)
    assert str(error).endswith("; restore a backup")


async def test_a_running_bridge_ends_within_seconds_and_goes_on_after_a_restart(
    make_site: MakeSite, tally: Tally
) -> None:
    site = make_site()
    await site.start(FleetPlan(stations=8, seed=5, scenario="flapping"))
    beside(site.state_dir / "bridge.db", "-wal").unlink()
    (site.state_dir / "bridge.db").unlink()
    assert await site.bridge.ended(10) == 1
    assert "bridge.db, bridge.db-wal moved, deleted or replaced while in use" in tail(site.bridge.log)
    tally.count(faults=1, statuses_answered=assert_nothing_lost(site.journal, site.database_url))
    await site.start_bridge()
    await site.assert_hubs_agree()
