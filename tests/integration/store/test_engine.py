import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from bridge.store.engine import Store, open_store
from bridge.store.errors import (
    StoreBroken,
    StoreEncodingUnusable,
    StoreInUse,
    StoreUnavailable,
    StoreUnsafe,
    StoreUrlInvalid,
)
from bridge.store.tables import counter

SHORT = timedelta(milliseconds=50)


@pytest.fixture
async def sqlite_store(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(sqlite_url, state_dir=tmp_path / "state")
    store.upgrade()
    yield store
    await store.close()


async def test_sqlite_writes_are_durable_before_they_are_answered(sqlite_store: Store) -> None:
    with sqlite_store.engine.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        values = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in pragmas}
    # SQLite: PRAGMA synchronous 2 is FULL.
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


async def test_sqlite_takes_the_write_lock_when_a_transaction_begins(sqlite_store: Store) -> None:
    with sqlite_store.engine.begin():
        other = sqlite3.connect(sqlite_store.url.database, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


async def test_postgresql_without_synchronous_commit_is_refused(postgresql_url: str, tmp_path: Path) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {admin.info.dbname} SET synchronous_commit = off")
    with pytest.raises(StoreUnsafe, match="synchronous_commit is 'off'"):
        open_store(postgresql_url, state_dir=tmp_path / "state")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_postgresql_with_another_encoding_is_refused_with_what_to_do(
    postgresql_server: str, tmp_path: Path, encoding: str
) -> None:
    """SQL_ASCII is what a server has whose machine has no locale."""
    name = f"other_{encoding.lower()}"
    with psycopg.connect(postgresql_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING {encoding} LOCALE 'C' TEMPLATE template0")
        try:
            with pytest.raises(StoreEncodingUnusable) as caught:
                open_store(postgresql_server.replace("/postgres?", f"/{name}?"), state_dir=tmp_path / "state")
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert str(caught.value) == (
        f"database {name} has the encoding {encoding}, and UTF8 is needed: make another one with "
        "createdb --encoding=UTF8 --template=template0"
    )


@pytest.mark.parametrize("rounds", [20])
async def test_concurrent_read_modify_writes_lose_no_update(store: Store, rounds: int) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.insert(counter).values(name="lost", value=0))
    value = sa.select(counter.c.value).where(counter.c.name == "lost")

    def count_up() -> None:
        for _ in range(rounds):
            with store.engine.begin() as connection:
                read = connection.execute(value).scalar_one()
                connection.execute(sa.update(counter).where(counter.c.name == "lost").values(value=read + 1))

    await asyncio.gather(*(asyncio.to_thread(count_up) for _ in range(10)))
    async with store.read() as connection:
        assert (await connection.execute(value)).scalar_one() == 10 * rounds


async def test_reads_of_one_block_see_one_state(store: Store) -> None:
    count = sa.select(sa.func.count()).select_from(counter)
    async with store.read() as connection:
        before = (await connection.execute(count)).scalar_one()
        with store.engine.begin() as writing:
            writing.execute(sa.insert(counter).values(name="meanwhile", value=1))
        assert (await connection.execute(count)).scalar_one() == before
    async with store.read() as connection:
        assert (await connection.execute(count)).scalar_one() == before + 1


async def test_a_read_connection_cannot_write(store: Store) -> None:
    with pytest.raises(StoreUnavailable, match="read-only"):
        async with store.read() as connection:
            await connection.execute(sa.insert(counter).values(name="smuggled", value=1))


async def test_a_second_owner_is_refused_and_told_who_holds_it(store: Store, store_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreInUse) as caught:
        open_store(store_url, state_dir=tmp_path / "another-state", busy_timeout=SHORT)
    assert "in use by" in str(caught.value)
    assert ("bridge.sqlite" in str(caught.value)) == (store.dialect == "sqlite")


_OPEN = """
import sys, pathlib
from bridge.store.engine import open_store
from bridge.store.errors import StoreInUse
try:
    open_store(sys.argv[1], state_dir=pathlib.Path(sys.argv[2]))
except StoreInUse as error:
    print(error.holder)
"""


async def test_a_second_process_on_the_same_file_is_told_the_pid(sqlite_store: Store, tmp_path: Path) -> None:
    url = f"sqlite:///{sqlite_store.url.database}"
    arguments = [sys.executable, "-c", _OPEN, url, str(tmp_path / "other")]
    second = await asyncio.to_thread(subprocess.run, arguments, capture_output=True, text=True, timeout=20, check=True)
    assert second.stdout.strip() == f"process {os.getpid()}"


async def test_two_processes_cannot_share_a_state_folder(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreInUse, match="state folder"):
        open_store(f"sqlite:///{tmp_path / 'other.sqlite'}", state_dir=tmp_path / "state")


async def test_a_closed_store_can_be_opened_again(store_url: str, tmp_path: Path) -> None:
    for _ in range(2):
        store = open_store(store_url, state_dir=tmp_path / "state")
        store.upgrade()
        async with store.read() as connection:
            await connection.execute(sa.select(counter))
        await store.close()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        pytest.param("sqlite://", "path of a file", id="memory"),
        pytest.param("sqlite:///:memory:", "path of a file", id="memory-by-name"),
        pytest.param("mysql://u:hush@host/db", "'mysql' is not a database that we know", id="other-database"),
        pytest.param("postgresql://u:hush@host", "name of a database", id="no-database"),
        pytest.param("hush", "cannot be read as a URL", id="no-url"),
    ],
)
def test_an_impossible_url_is_refused_without_repeating_it(url: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUrlInvalid, match=why) as caught:
        open_store(url, state_dir=tmp_path)
    assert "hush" not in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="nowhere"):
        open_store(f"sqlite:///{tmp_path / 'nowhere' / 'bridge.sqlite'}", state_dir=tmp_path / "state")


def test_a_file_that_is_no_database_is_broken_and_lets_go_of_its_locks(tmp_path: Path) -> None:
    path = tmp_path / "bridge.sqlite"
    path.write_bytes(b"station,version,key\n" * 100)
    for _ in range(2):
        with pytest.raises(StoreBroken, match=r"bridge\.sqlite broken: the file is not a SQLite database"):
            open_store(f"sqlite:///{path}", state_dir=tmp_path / "state")


def test_a_file_locked_by_another_program_is_unavailable_after_the_busy_timeout(tmp_path: Path) -> None:
    path = tmp_path / "bridge.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="another process holds the write lock"):
        open_store(f"sqlite:///{path}", state_dir=tmp_path / "state", busy_timeout=SHORT)
    other.close()


def test_an_unreachable_server_is_unavailable_and_its_password_is_not_shown(tmp_path: Path) -> None:
    url = f"postgresql://u:hush@/db?host={tmp_path}"
    with pytest.raises(StoreUnavailable, match="the connection failed") as caught:
        open_store(url, state_dir=tmp_path / "state")
    assert "hush" not in str(caught.value)


async def test_no_error_shows_the_values_of_its_statement(sqlite_store: Store) -> None:
    wrong = sa.text("INSERT INTO counter (name, value, nothing) VALUES (:name, 1, 1)")
    with sqlite_store.engine.connect() as connection, pytest.raises(sa.exc.SQLAlchemyError) as written:
        connection.execute(wrong, {"name": "digest-of-a-key"})
    async with sqlite_store.read() as reader:
        with pytest.raises(sa.exc.SQLAlchemyError) as read:
            await reader.execute(sa.text("SELECT nothing FROM counter WHERE name = :name"), {"name": "digest-of-a-key"})
    for caught in (written, read):
        assert "counter" in str(caught.value)
        assert "digest-of-a-key" not in str(caught.value)


def _damage(path: Path) -> None:
    """Overwrite the second half of a database, with nothing of it left in the log."""
    other = sqlite3.connect(path)
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    half = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(half)
        file.write(b"Z" * half)


async def test_a_read_that_finds_damage_says_that_the_process_must_end(sqlite_store: Store) -> None:
    broken: list[StoreBroken] = []
    sqlite_store.on_broken = broken.append
    with sqlite_store.engine.begin() as connection:
        connection.execute(sa.insert(counter), [{"name": f"{number:0200}", "value": 1} for number in range(2_000)])
    _damage(Path(sqlite_store.url.database or ""))
    with pytest.raises(StoreBroken, match="the file is damaged"):
        async with sqlite_store.read() as reader:
            await reader.execute(sa.text("SELECT sum(length(name)), sum(value) FROM counter"))
    assert [error.why for error in broken] == ["the file is damaged (SQLITE_CORRUPT)"]
