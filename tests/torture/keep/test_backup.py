"""A backup while much is written: one committed state, and nobody waits for it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bridge.store.backup import back_up, restore
from bridge.store.engine import Store
from bridge.store.errors import BackupUnusable, CopyFailed
from bridge.store.writer import Writer
from tests.catalogue.recording import Tally

ROWS = 150_000
_PAIR = (
    "INSERT INTO history (evse, at_w, status, live, rule, seq) VALUES (1, 1, 's', 'l', 'r', 1)",
    "INSERT INTO listing (kind, key, content) VALUES ('pair', (SELECT max(id) FROM history), '')",
)


def pair(conn, payloads):
    """Write a row to two tables, so that a state in which one is missing was never committed."""
    for _ in payloads:
        for statement in _PAIR:
            conn.execute(sa.text(statement))
    return [None] * len(payloads)


def fill(conn, payloads):
    conn.execute(
        sa.text(
            "INSERT INTO history (evse, at_w, status, live, rule, seq) WITH RECURSIVE n(i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows) SELECT i % 100, i, 'available', 'available', "
            "'connectors', i FROM n"
        ),
        {"rows": ROWS},
    )
    return [None] * len(payloads)


def counts(path: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM history").fetchone()
        (pairs,) = connection.execute("SELECT count(*) FROM listing").fetchone()
    return rows - ROWS, pairs


@pytest.mark.row("T23")
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_backup_under_load_is_one_committed_state_and_holds_no_writer_up(
    store: Store, writer: Writer, tmp_path: Path, tally: Tally
) -> None:
    await writer.submit(fill, None)
    database, copy = Path(store.url.database or ""), tmp_path / "copy.db"
    backing_up = asyncio.create_task(asyncio.to_thread(back_up, database, copy, overwrite=False))
    committed = 0
    while not backing_up.done():
        await writer.submit(pair, None)
        committed += 1
    copied = await backing_up
    assert copied.size == copy.stat().st_size > 5_000_000
    single, pairs = counts(copy)
    assert single == pairs < committed
    assert committed >= 10
    assert [name for name in os.listdir(tmp_path) if name.startswith("copy.db")] == ["copy.db"]
    tally.count(faults=1)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_backup_that_cannot_be_finished_leaves_the_one_before(
    store: Store, writer: Writer, tmp_path: Path
) -> None:
    database, copy = Path(store.url.database or ""), tmp_path / "copy.db"
    back_up(database, copy, overwrite=False)
    before = copy.read_bytes()
    (tmp_path / "copy.db.part").mkdir()
    with pytest.raises(CopyFailed):
        back_up(database, copy, overwrite=True)
    assert copy.read_bytes() == before


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", ".lock"])
async def test_a_backup_never_takes_the_place_of_the_database_itself(
    store: Store, writer: Writer, tmp_path: Path, suffix: str
) -> None:
    await writer.submit(pair, None)
    database = Path(store.url.database or "")
    link = tmp_path / "link.db"
    link.symlink_to(f"{database}{suffix}")
    for target in (Path(f"{database}{suffix}"), link):
        with pytest.raises(CopyFailed, match="belongs to the database itself: name a file apart from it"):
            back_up(database, target, overwrite=True)
    await writer.submit(pair, None)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_backup_into_a_folder_says_that_a_file_is_wanted(store: Store, writer: Writer, tmp_path: Path) -> None:
    with pytest.raises(CopyFailed, match="is a folder: name a file in it"):
        back_up(Path(store.url.database or ""), tmp_path, overwrite=True)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_of_two_backups_to_one_file_the_first_never_puts_the_others_half_in_place(
    store: Store, writer: Writer, tmp_path: Path
) -> None:
    await writer.submit(fill, None)
    database, copy = Path(store.url.database or ""), tmp_path / "copy.db"
    first = asyncio.create_task(asyncio.to_thread(back_up, database, copy, overwrite=False))
    part = tmp_path / "copy.db.part"
    while not (part.exists() and part.stat().st_size):  # noqa: ASYNC110 - a file that grows sets no event
        await asyncio.sleep(0)
    part.unlink()
    part.write_bytes(b"the half of another's copy")
    with pytest.raises((CopyFailed, BackupUnusable)):
        await first
    assert not copy.exists()
    assert part.read_bytes() == b"the half of another's copy"


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_each_restore_keeps_the_database_that_it_replaced(store: Store, writer: Writer, tmp_path: Path) -> None:
    await writer.submit(pair, None)
    copy, database = tmp_path / "copy.db", tmp_path / "used" / "bridge.db"
    back_up(Path(store.url.database or ""), copy, overwrite=False)
    state = tmp_path / "used"
    kept = [restore(copy, database, state, lambda _copied: None)[1] for _ in range(3)]
    assert kept == [None, state / "bridge.db.replaced", state / "bridge.db.replaced-2"]
    assert all(path is None or path.is_file() for path in kept)
