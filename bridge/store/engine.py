"""Open the database: one writing connection that owns it, and connections of their own for reads.

Never decides what is written: that is for whoever submits to the `writer`. Never lets two processes write: SQLite is
guarded by a lock file beside the database, PostgreSQL by an advisory lock of the writing session.

Durability. SQLite runs with WAL and `synchronous=FULL`, PostgreSQL with synchronous commit: what is committed survives
the loss of power. SQLite's own transaction control is switched off (`isolation_level=None`), since it begins a
transaction only at the first write, and then two read-modify-writes lose an update without an error; every transaction
of the writer begins with BEGIN IMMEDIATE.

No error shows the values of a statement (`hide_parameters`): what stations and operators say may be secret.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bridge.store import schema, sqlite_files
from bridge.store.errors import (
    StoreBroken,
    StoreEncodingUnusable,
    StoreError,
    StoreInUse,
    StoreUnavailable,
    StoreUnsafe,
    StoreUrlInvalid,
    classify,
)
from bridge.store.lock_file import LockFile
from bridge.store.working_copies import drop_copies

_READ_CONNECTIONS = 4
_CLOSE_TIMEOUT = timedelta(seconds=5)
_CONNECT_TIMEOUT_S = 10
_OWNER_TIMEOUT = timedelta(seconds=2)
"""How long a PostgreSQL server may need to notice that the process that owned the database has just died."""
_ADVISORY_LOCK = 0x6F6370705F627267
"""Our number among the advisory locks of a PostgreSQL database ("ocpp_brg")."""


class Store:
    """An open database. Made by `open_store`; `close` it."""

    def __init__(self, url: sa.URL, engine: sa.Engine, reads: AsyncEngine, locks: list[LockFile]) -> None:
        self.url = url
        self.engine = engine
        """For the one writer: a single synchronous connection, whose transactions take the write lock at once."""
        self.checkpoint_after = sqlite_files.CHECKPOINT_AFTER
        """Rows after which SQLite's log is copied into the database."""
        self.on_broken: Callable[[StoreBroken], None] = lambda _error: None
        """Called on the event loop by a read that finds storage broken; the writer tells of its own."""
        self._reads = reads
        self._locks = locks
        self._path = Path(url.database or "")

    @property
    def dialect(self) -> str:
        """Return "sqlite" or "postgresql"."""
        return self.engine.dialect.name

    @property
    def where(self) -> str:
        """Return what to call this database in a text for operators, without a password."""
        return where(self.url)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose statements all see one committed state; it cannot write.

        Raises: StoreUnavailable, StoreBroken.
        """
        try:
            async with self._reads.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            if (failure := classify(error)) is None:
                raise
            if isinstance(failure, StoreBroken):
                self.on_broken(failure)
            raise failure from error

    def after_commit(self, connection: sa.Connection) -> bool:
        """Look after the files before a commit is told to anybody; tell whether it wrote. Raises: StoreBroken."""
        if self.dialect != "sqlite":
            return True
        return sqlite_files.after_commit(connection, self._path, self.checkpoint_after)

    def failure(self, error: SQLAlchemyError) -> StoreError | None:
        """Return what went wrong with a write, as `classify` does, after a look at the files where that tells more."""
        failure = classify(error)
        if failure is None or self.dialect != "sqlite" or not isinstance(error, DBAPIError):
            return failure
        return sqlite_files.explained(error.orig, failure, self._path)

    def upgrade(self) -> None:
        """Bring the schema to this release's, before the writer starts.

        Raises: SchemaTooNew, StoreUnavailable, StoreBroken.
        """
        try:
            schema.upgrade(self.engine)
        except SQLAlchemyError as error:
            if (failure := classify(error)) is not None:
                raise failure from error
            raise

    async def close(self) -> None:
        """Close all connections, and let another process have the database.

        Stop the writer first. Raises: StoreUnavailable where that took more than 5 s.
        """
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT.total_seconds()):
                await asyncio.gather(self._reads.dispose(), asyncio.to_thread(self.engine.dispose))
        except TimeoutError as error:
            raise StoreUnavailable("the database did not close within 5 s") from error
        finally:
            self.release()

    def release(self) -> None:
        """Give up the lock files."""
        for lock in self._locks:
            lock.release()


def open_store(url: str, *, state_dir: Path, busy_timeout: timedelta = timedelta(seconds=10)) -> Store:
    """Open the database of `url` and become its only owner.

    Args:
        url: `sqlite:///path` or `postgresql://…`.
        state_dir: The process's own folder; made (mode 0700) where it is missing. Two processes cannot share it.
        busy_timeout: How long a transaction waits for another process's lock before it fails.

    Raises: StoreUrlInvalid, StoreInUse, StoreUnsafe, StoreEncodingUnusable, StoreUnavailable, StoreBroken.
    """
    parsed = _parse(url)
    locks: list[LockFile] = []
    try:
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            locks.append(LockFile(state_dir / "state.lock", f"state folder {state_dir}"))
            if parsed.get_backend_name() == "sqlite":
                path = Path(parsed.database or "").resolve()
                locks.append(LockFile(path.with_name(path.name + ".lock"), where(parsed)))
        except OSError as error:
            raise StoreUnavailable(
                f"{error.filename}: {error.strerror}", "make the folder exist and writable for this user"
            ) from error
        return _connect(parsed, busy_timeout, locks)
    except BaseException:
        for lock in locks:
            lock.release()
        raise


def _connect(url: sa.URL, busy_timeout: timedelta, locks: list[LockFile]) -> Store:
    if url.get_backend_name() == "sqlite":
        engine, reads = _sqlite_engines(url, busy_timeout)
    else:
        engine, reads = _postgresql_engines(url, busy_timeout)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                sqlite_files.refuse_damaged(connection, Path(url.database or ""), where(url))
    except (SQLAlchemyError, StoreError) as error:
        engine.dispose()
        if isinstance(error, SQLAlchemyError) and (failure := classify(error)) is not None:
            failure.where = where(url)
            raise failure from error
        raise
    return Store(url, engine, reads, locks)


def where(url: sa.URL) -> str:
    """Return what to call the database of `url` in a text for operators, without a password."""
    if url.get_backend_name() == "sqlite":
        return f"database {url.database}"
    return f"database {url.render_as_string(hide_password=True)}"


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise StoreUrlInvalid("it cannot be read as a URL") from error
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or ":memory:" in parsed.database or parsed.query:
                raise StoreUrlInvalid("SQLite needs the path of a file, and nothing after it")
        case "postgresql":
            if not parsed.database:
                raise StoreUrlInvalid("PostgreSQL needs the name of a database")
        case other:
            raise StoreUrlInvalid(f"{other[:32]!r} is not a database that we know")
    return parsed


# --- SQLite ---------------------------------------------------------------------------------------------------------


def _sqlite_engines(url: sa.URL, busy_timeout: timedelta) -> tuple[sa.Engine, AsyncEngine]:
    timeout_s = busy_timeout.total_seconds()
    engine = sa.create_engine(
        url.set(drivername="sqlite+pysqlite"),
        poolclass=sa.QueuePool,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=timeout_s,
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": timeout_s},
    )
    reads = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        pool_size=_READ_CONNECTIONS,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=timeout_s,
        connect_args={"isolation_level": None, "timeout": timeout_s},
    )
    sa.event.listen(engine, "connect", _sqlite_set_up(Path(url.database or "")))
    sa.event.listen(engine, "begin", _begin_immediate)
    sa.event.listen(engine, "rollback", drop_copies)
    sa.event.listen(reads.sync_engine, "connect", _set_up_sqlite_reader)
    sa.event.listen(reads.sync_engine, "begin", _begin)
    return engine, reads


def _sqlite_set_up(path: Path) -> Callable[[Any, Any], None]:
    def set_up(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise StoreUnsafe("journal_mode", mode, "put the file on a local disk that supports WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA journal_size_limit={sqlite_files.LOG_KEPT}")
        cursor.execute("PRAGMA wal_autocheckpoint=0")  # `sqlite_files` does it, and hears of what fails
        cursor.close()
        sqlite_files.remember(connection, record.info, path)

    return set_up


def _set_up_sqlite_reader(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def _postgresql_engines(url: sa.URL, busy_timeout: timedelta) -> tuple[sa.Engine, AsyncEngine]:
    url = url.set(drivername="postgresql+psycopg")
    timeout_s = busy_timeout.total_seconds()
    engine = sa.create_engine(
        url,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=timeout_s,
        connect_args=_postgresql_arguments(busy_timeout, "ocpp-bridge writer", ""),
    )
    reads = create_async_engine(
        url,
        pool_size=_READ_CONNECTIONS,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=timeout_s,
        pool_pre_ping=True,
        connect_args=_postgresql_arguments(
            busy_timeout,
            "ocpp-bridge reader",
            r" -c default_transaction_read_only=on -c default_transaction_isolation=repeatable\ read",
        ),
    )
    sa.event.listen(engine, "connect", _postgresql_set_up(min(busy_timeout, _OWNER_TIMEOUT)))
    sa.event.listen(engine, "rollback", drop_copies)
    return engine, reads


def _postgresql_arguments(busy_timeout: timedelta, name: str, options: str) -> dict[str, Any]:
    millis = busy_timeout // timedelta(milliseconds=1)
    return {
        "connect_timeout": _CONNECT_TIMEOUT_S,
        "application_name": name,
        "client_encoding": "utf8",  # without it the texts of a database in SQL_ASCII come as bytes
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": max(millis, 1000),
        "options": f"-c lock_timeout={millis}{options}",
    }


def _postgresql_set_up(owner_timeout: timedelta) -> Callable[[Any, object], None]:
    millis = owner_timeout // timedelta(milliseconds=1)

    def set_up(connection: Any, _record: object) -> None:
        from psycopg.errors import LockNotAvailable  # an optional extra, needed only where PostgreSQL is used

        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StoreEncodingUnusable(f"database {connection.info.dbname}", encoding)
        cursor = connection.cursor()
        for setting in ("synchronous_commit", "fsync"):
            value = cursor.execute(f"SHOW {setting}").fetchone()[0]
            if value == "off":
                raise StoreUnsafe(setting, value, "set it to on")
        try:
            cursor.execute(f"SET LOCAL lock_timeout = {millis}")
            cursor.execute("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
        except LockNotAvailable as error:
            connection.rollback()
            raise StoreInUse(f"database {connection.info.dbname}", _holder(cursor)) from error
        cursor.close()
        connection.commit()

    return set_up


def _holder(cursor: Any) -> str:
    row = cursor.execute(
        "SELECT a.pid, a.application_name, host(a.client_addr) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
        "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = %s "
        "AND a.datname = current_database()",
        (_ADVISORY_LOCK >> 32, _ADVISORY_LOCK & 0xFFFFFFFF),
    ).fetchone()
    if row is None:
        return "another session"
    return f"server process {row[0]} ({row[1]} from {row[2] or 'this machine'})"
