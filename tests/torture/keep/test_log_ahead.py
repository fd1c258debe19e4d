"""Somebody reads one state of the database for long while much is written: what the write-ahead log does, and after."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from bridge.store.engine import Store
from bridge.store.writer import Writer
from tests.catalogue.recording import Tally

MIB = 2**20
LARGE = 64 * MIB
USUAL = 16 * MIB
"""docs/operations.md: cut back to 4 MiB, and 800 rows or 4 MiB begin a checkpoint; a batch comes on top."""
ROWS_OF_A_MIB = 256

pytestmark = [pytest.mark.row("T19"), pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)]


_numbers = itertools.count()


async def write(writer: Writer, mib: int) -> None:
    """Write so much, 1 MiB in a transaction."""

    def handler(conn, payloads):
        statement = sa.text("INSERT INTO listing (kind, key, content) VALUES ('torture', :key, :content)")
        for _ in payloads:
            rows = [{"key": str(next(_numbers)), "content": "x" * 4096} for _ in range(ROWS_OF_A_MIB)]
            conn.execute(statement, rows)
        return [None] * len(payloads)

    for _ in range(mib):
        await writer.submit(handler, None)


def log_ahead(store: Store) -> Path:
    return Path(f"{store.url.database}-wal")


async def test_the_log_stays_small_while_readers_are_quick(store: Store, writer: Writer, tally: Tally) -> None:
    largest = 0
    for _ in range(40):
        await write(writer, 1)
        async with store.read() as connection:
            await connection.execute(sa.text("SELECT count(*) FROM listing"))
        largest = max(largest, log_ahead(store).stat().st_size)
    assert largest <= USUAL


async def test_the_log_stays_small_where_few_rows_are_large(store: Store, writer: Writer) -> None:
    def handler(conn, payloads):
        statement = sa.text("INSERT INTO listing (kind, key, content) VALUES ('torture', :key, :content)")
        for _ in payloads:
            conn.execute(statement, {"key": str(next(_numbers)), "content": "x" * 100_000})
        return [None] * len(payloads)

    largest = 0
    for _ in range(400):
        await writer.submit(handler, None)
        largest = max(largest, log_ahead(store).stat().st_size)
    assert largest <= USUAL


async def test_a_reader_of_ours_leaves_no_state_open_behind(store: Store, writer: Writer) -> None:
    await write(writer, 2)
    async with store.read() as connection:
        await connection.execute(sa.text("SELECT count(*) FROM listing"))
    with suppress(RuntimeError):
        async with store.read() as connection:
            await connection.execute(sa.text("SELECT count(*) FROM listing"))
            raise RuntimeError("whoever asked is gone")
    with closing(sqlite3.connect(store.url.database or "", isolation_level=None)) as other:
        busy, _, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0


async def test_a_long_reader_lets_everybody_write_and_the_log_is_cut_back_when_it_ends(
    store: Store, writer: Writer, tally: Tally
) -> None:
    with closing(sqlite3.connect(store.url.database or "", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM listing").fetchone()
        await write(writer, 90)
        assert reader.execute("SELECT count(*) FROM listing").fetchone() == before
        grown = log_ahead(store).stat().st_size
        assert grown > LARGE
    await write(writer, 8)
    assert log_ahead(store).stat().st_size <= USUAL
    await write(writer, 30)
    assert log_ahead(store).stat().st_size <= USUAL
    tally.count(faults=1)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_ten_minutes_of_reading_cost_a_log_as_large_as_what_was_written_and_no_more(
    store: Store, writer: Writer, tally: Tally
) -> None:
    loop = asyncio.get_running_loop()
    ends, written = loop.time() + 600, 0
    with closing(sqlite3.connect(store.url.database or "", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM listing").fetchone()
        while loop.time() < ends and written < 1000:
            await write(writer, 1)
            written += 1
            await asyncio.sleep(0.5)
        assert log_ahead(store).stat().st_size <= written * 1.2 * MIB + USUAL
    await write(writer, 8)
    assert log_ahead(store).stat().st_size <= USUAL
    tally.count(faults=1)
