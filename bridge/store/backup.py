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
from itertools import chain, count
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from bridge.store import schema
from bridge.store.errors import BackupUnusable, CopyFailed, SchemaTooNew, TargetExists
from bridge.store.lock_file import LockFile

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
    if target.is_dir():
        raise CopyFailed(f"{target} is a folder: name a file in it")
    if target.resolve() in _files_of(source):
        raise CopyFailed(f"{target} belongs to the database itself: name a file apart from it")
    if target.exists() and not overwrite:
        raise TargetExists(target)
    with _failing_as_copy(), _draft(target) as draft:
        _copy(source, draft.path)
        copied = check(draft.path)
        draft.rename(target)
    return replace(copied, path=target)


def _files_of(database: Path) -> set[Path]:
    """Return the files that a bridge holds of its database; one of them replaced would end that bridge."""
    path = database.resolve()
    return {path.with_name(path.name + suffix) for suffix in ("", *_SIDE_FILES, ".lock")}


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
        _copy(backup, draft.path)
        copied = check(draft.path)
        if copied.schema not in schema.known_revisions():
            raise SchemaTooNew(copied.schema, schema.known_revisions()[0])
        note(copied)
        replaced = _set_aside(database)
        draft.rename(database)
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


@dataclass(frozen=True, slots=True)
class _Draft:
    """A file that becomes a copy."""

    path: Path
    descriptor: int
    """Open from its making on, so that no other file can look like it."""

    def rename(self, target: Path) -> None:
        """Put it in its place, for good; never another process's half of a copy. Raises: CopyFailed, OSError."""
        if not self.still_there():
            raise CopyFailed(f"another process writes {self.path}, too: make one copy after the other")
        os.replace(self.path, target)
        _sync(target.parent)

    def still_there(self) -> bool:
        """Tell whether its name is still its own."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self.descriptor))
        except FileNotFoundError:
            return False


@contextmanager
def _draft(target: Path) -> Iterator[_Draft]:
    """Give an empty file beside the target, readable for its owner only, and remove it unless it was renamed."""
    path = target.with_name(target.name + ".part")
    path.unlink(missing_ok=True)  # a copy that was killed left it
    draft = _Draft(path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield draft
    finally:
        if draft.still_there():
            for name in ("", *_SIDE_FILES):
                path.with_name(path.name + name).unlink(missing_ok=True)
        os.close(draft.descriptor)


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
    """Keep the database and its log under a name that nothing has yet: who restores twice wants the first one back.

    The file itself is linked, so that at no moment a bridge would find none and make an empty one.
    """
    if not database.exists():
        return None
    names = chain([f"{database.name}.replaced"], (f"{database.name}.replaced-{number}" for number in count(2)))
    kept = next(path for name in names if not (path := database.with_name(name)).exists())
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
