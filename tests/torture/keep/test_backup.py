"""A backup while much is written: one committed state, and nobody waits for it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bridge.store.backup import back_up
from bridge.store.engine import Store
from bridge.store.errors import CopyFailed
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
