"""Watch over the files of a SQLite database in use: are they still ours, and does the disk take what is brought home.

Two things that SQLite keeps to itself. It writes on into a file that was deleted or replaced under it; what it commits
then ends with the process. And where it fails to copy the WAL into the database by itself, it tells nobody, so it is
told to here. Never decides when a batch is written. Before it: the `writer`, after each commit and before any answer.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bridge.store.errors import StoreBroken, StoreError, StoreUnavailable, classify_sqlite

_SUFFIXES = ("", "-wal", "-shm")
"""The database, its write-ahead log, and the index of that. Source: SQLite, "Temporary Files Used By SQLite" §2."""
CHECKPOINT_AFTER = 8000
"""Rows written. Under load many rows share a page, so this is about the 1000 pages of WAL after which SQLite would do
it by itself; where they do not, the log grows by `LOG_KEPT` first. Each checkpoint syncs the database, and stations
wait for it."""
LOG_KEPT = 4 * 1024 * 1024
"""Bytes to which the log is cut back once it begins anew, and by which it may grow, whatever the number of rows."""
_TEXT_LIMIT = 256
_CHECKED_UP_TO = 64 * 1024 * 1024
"""Bytes of a file that is read through at start: up to a second, which a restart can spare."""
_IOERR_WRITE = 10 | 3 << 8
_FILES, _BROUGHT_HOME, _WRITTEN = "sqlite files", "rows brought home", "rows written"
_LOG_SIZE = "size of the log that was brought home"

Identity = tuple[int, int] | None
"""Device and inode of a file; None: there is none."""


def refuse_damaged(connection: sa.Connection, path: Path, where: str) -> None:
    """Read the whole file through before anything is made of it, unless it is so large that stations would wait.

    A page that is torn may still be read, and what it says would be told to the hubs. Raises: StoreBroken.
    """
    if path.stat().st_size > _CHECKED_UP_TO:
        return
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise StoreBroken(f"the file is damaged ({' '.join(str(found).split())[:_TEXT_LIMIT]})", where)


def remember(connection: Any, info: dict[str, Any], path: Path) -> None:
    """Note which files a new connection has opened, in what the pool keeps about it."""
    connection.execute("SELECT 1 FROM sqlite_schema").fetchone()  # the first read opens the log, and makes it
    info[_FILES], info[_LOG_SIZE] = _look(path)
    info[_BROUGHT_HOME] = info[_WRITTEN] = connection.total_changes


def after_commit(connection: sa.Connection, path: Path, checkpoint_after: int) -> bool:
    """See to the files after a commit, and tell whether it wrote anything.

    Raises: StoreBroken: the files are ours no more, or the disk refused to take the WAL's content.
    """
    driver, info = connection.connection.driver_connection, connection.info
    if not isinstance(driver, sqlite3.Connection):
        raise AssertionError("a SQLite engine has connections of sqlite3")
    ours, (found, log_size) = info[_FILES], _look(path)
    if found != ours:
        raise _replaced(driver, path, ours, found)
    wrote: bool = driver.total_changes != info[_WRITTEN]
    info[_WRITTEN] = driver.total_changes
    if driver.total_changes - info[_BROUGHT_HOME] >= checkpoint_after or _log_has_grown(info, log_size):
        info[_BROUGHT_HOME] = driver.total_changes
        info[_LOG_SIZE] = log_size
        _checkpoint(driver, path)
    return wrote


def _log_has_grown(info: dict[str, Any], size: int) -> bool:
    """Tell whether few rows, but large ones, have filled the log; it shrinks where it began anew."""
    info[_LOG_SIZE] = min(info[_LOG_SIZE], size)
    grown: int = size - info[_LOG_SIZE]
    return grown >= LOG_KEPT


def explained(error: BaseException | None, failure: StoreError, path: Path) -> StoreError:
    """Return what a failure to write means once one has looked at the files: read-only is no broken disk.

    Source: SQLite makes SQLITE_IOERR_WRITE of EROFS and EPERM, too. Never opens the files: closing one again would give
    up the locks that this process has on it (SQLite, "How To Corrupt An SQLite Database File" §2.2).
    """
    written = getattr(error, "sqlite_errorcode", None) != _IOERR_WRITE
    if written or all(os.access(f"{path}{suffix}", os.W_OK) for suffix in ("", "-wal")):
        return failure
    return StoreUnavailable("the file is read-only (SQLITE_IOERR_WRITE)", "make it and its folder writable again")


def _look(path: Path) -> tuple[tuple[Identity, ...], int]:
    """Return which files are in their places, and the bytes of the log."""
    found = [_stat(f"{path}{suffix}") for suffix in _SUFFIXES]
    _, log, _ = found
    identities = tuple(None if each is None else (each.st_dev, each.st_ino) for each in found)
    return identities, 0 if log is None else log.st_size


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _checkpoint(driver: sqlite3.Connection, path: Path) -> None:
    """Copy what no reader needs from the WAL; a full disk leaves it there, where it is as safe. Raises: StoreBroken."""
    try:
        driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.Error as error:
        failure = classify_sqlite(error)
        if failure is None:
            raise
        if not isinstance(explained(error, failure, path), StoreUnavailable):
            raise failure from error


def _replaced(
    driver: sqlite3.Connection, path: Path, ours: tuple[Identity, ...], found: tuple[Identity, ...]
) -> StoreBroken:
    """Save what we hold of a database whose files are no longer in their place, and return what to say of it.

    Where nobody put another database there, ours goes back to its place. A log of ours beside another's database would
    be read into it at the next start, so it goes.
    """
    names = [f"{path.name}{suffix}" for suffix in _SUFFIXES]
    gone = ", ".join(name for name, own, now in zip(names, ours, found, strict=True) if own != now)
    what = f"{gone} moved, deleted or replaced while in use"
    others = found[0] is not None and found[0] != ours[0]
    saved = path.with_name(f"{path.name}.saved-{os.getpid()}")
    try:
        _save(driver, saved)
        for name, own, now in list(zip(names, ours, found, strict=True))[1:]:
            if now is not None and (now == own or not others):
                path.with_name(name).unlink()
        if not others:
            saved.replace(path)
            _sync(path.parent)
    except (OSError, sqlite3.Error) as error:
        lost = f"what it held could not be saved ({type(error).__name__}: {error})"
        return StoreBroken(f"{what}, and {lost}", remedy="restore a backup")
    if others:
        return StoreBroken(f"{what}; all that it held is in {saved.name}", remedy="put back the one that is to be used")
    return StoreBroken(f"{what}; all that it held is in {path.name} again", remedy="start again")


def _save(driver: sqlite3.Connection, place: Path) -> None:
    place.unlink(missing_ok=True)
    driver.execute("VACUUM INTO ?", (str(place),))
    _sync(place)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
