"""Copy a SQLite database that may be in use, and put such a copy in its place.

By SQLite's own online backup interface, from a read transaction: the copy is one committed state, whatever is written
meanwhile, and the writer waits for nothing. Never a plain copy of the file, which would miss what stands in the
write-ahead log. Never PostgreSQL: that is for its own tools. Before it: `bridge.cli.database`.

Source: SQLite, Online Backup API; Write-Ahead Logging, section 2.2 (readers do not block the writer).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from bridge.store import schema
from bridge.store.engine import LockFile
from bridge.store.errors import BackupUnusable, CopyFailed, SchemaTooNew, TargetExists

_PAGES_A_STEP = 1024
_BUSY_S = 10.0
_SIDE_FILES = ("-wal", "-shm", "-journal")
_FOREIGN = "no database of ocpp-bridge"


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that was checked."""

    path: Path
    size: int
    """Bytes."""
    schema: str
    """Revision of its schema."""
    mark: int
    """How many marks a bridge had counted in it (`core.marks`)."""


def sqlite_file(url: str) -> Path | None:
    """Return the file of a database URL; None where it is not SQLite."""
    parsed = sa.make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def back_up(source: Path, target: Path, *, overwrite: bool) -> Copied:
    """Copy the database to a file of its own (mode 0600), which appears whole or not at all.

    Raises: TargetExists, BackupUnusable where the source is no database or is damaged, CopyFailed.
    """
    if target.exists() and not overwrite:
        raise TargetExists(target)
    with _failing_as_copy(), _draft(target) as draft:
        _copy(source, draft)
        copied = check(draft)
        os.replace(draft, target)
        _sync(target.parent)
    return replace(copied, path=target)


def restore(
    backup: Path, database: Path, state_dir: Path, note: Callable[[Copied], None]
) -> tuple[Copied, Path | None]:
    """Put a copy of the backup in the database's place; return it, and where the replaced one is now.

    Never while a bridge runs. `note` is called before anything is replaced, which it prevents by raising.

    Raises: StoreInUse, BackupUnusable, SchemaTooNew, CopyFailed; nothing is replaced then.
    """
    with _failing_as_copy():
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        database.parent.mkdir(parents=True, exist_ok=True)
    with _owned(database, state_dir), _failing_as_copy(), _draft(database) as draft:
        _copy(backup, draft)
        copied = check(draft)
        if copied.schema not in schema.known_revisions():
            raise SchemaTooNew(copied.schema, schema.known_revisions()[0])
        note(copied)
        replaced = _set_aside(database)
        os.replace(draft, database)
        _sync(database.parent)
    return replace(copied, path=database), replaced


def check(path: Path) -> Copied:
    """Read every page and every index of a database file. Raises: BackupUnusable."""
    try:
        with closing(_open(path)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise BackupUnusable(path, str(verdict).partition("\n")[2][:256] or str(verdict)[:256])
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
            (mark,) = connection.execute("SELECT max(value) FROM counter WHERE name = 'mark'").fetchone()
    except sqlite3.OperationalError as error:
        raise BackupUnusable(path, _FOREIGN if "no such table" in str(error) else str(error)) from error
    except sqlite3.DatabaseError as error:
        raise BackupUnusable(path, str(error)) from error
    return Copied(path, path.stat().st_size, revision, mark or 0)


def _open(path: Path) -> sqlite3.Connection:
    """Open a file to read it; one that is not there is not made."""
    if not path.is_file():
        raise BackupUnusable(path, "there is no such file")
    return sqlite3.connect(
        f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, isolation_level=None, timeout=_BUSY_S
    )


def _copy(source: Path, target: Path) -> None:
    """Copy one committed state; the transaction that is open over it keeps others' commits from restarting the copy."""
    try:
        with closing(_open(source)) as reading, closing(sqlite3.connect(target, isolation_level=None)) as writing:
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(writing, pages=_PAGES_A_STEP)
            writing.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    except sqlite3.OperationalError as error:
        raise CopyFailed(f"{source} could not be copied to {target}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise BackupUnusable(source, str(error)) from error


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Give an empty file beside the target, readable for its owner only, and remove it unless it was renamed."""
    draft = target.with_name(target.name + ".part")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield draft
    finally:
        for name in ("", *_SIDE_FILES):
            draft.with_name(draft.name + name).unlink(missing_ok=True)


@contextmanager
def _owned(database: Path, state_dir: Path) -> Iterator[None]:
    """Hold the locks that a bridge holds while it runs."""
    locks: list[LockFile] = []
    path = database.resolve()
    try:
        with _failing_as_copy():
            locks.append(LockFile(state_dir / "state.lock", f"state folder {state_dir}"))
            locks.append(LockFile(path.with_name(path.name + ".lock"), f"database {database}"))
        yield
    finally:
        for lock in locks:
            lock.release()


def _set_aside(database: Path) -> Path | None:
    """Keep the database and its log under another name, in the place of what was kept before.

    The file itself is linked, so that at no moment a bridge would find none and make an empty one.
    """
    if not database.exists():
        return None
    kept = database.with_name(database.name + ".replaced")
    for name in ("", *_SIDE_FILES):
        kept.with_name(kept.name + name).unlink(missing_ok=True)
    for name in _SIDE_FILES:
        with suppress(FileNotFoundError):
            database.with_name(database.name + name).rename(kept.with_name(kept.name + name))
    os.link(database, kept)
    return kept


def _sync(folder: Path) -> None:
    """Make renames in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _failing_as_copy() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CopyFailed(f"{error.filename or 'file'}: {error.strerror or error}") from error
