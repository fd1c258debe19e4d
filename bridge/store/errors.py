"""Name every way in which the store fails, and which of them pass by themselves.

::

    StoreError
    ├── StoreUnavailable   cannot commit now: busy, full, read-only, connection lost; recovers in place
    ├── StoreBroken        I/O error or corruption: no answer may be given any more, the process must end
    ├── StoreInUse         another process owns this database
    ├── StoreUnsafe        the database is set so that a committed row could be lost
    ├── StoreEncodingUnusable  a PostgreSQL database that cannot hold every text
    ├── StoreUrlInvalid    the URL names no database that we can use
    ├── SchemaTooNew       a newer release wrote this database
    ├── BackupUnusable     a file that should be a database of ours is none, or is damaged
    ├── TargetExists       a backup would overwrite a file
    ├── CopyFailed         a file of a backup could not be read or written
    ├── NeedsYes           an import would remove more of the inventory than one may without saying yes
    └── ListingNeedsYes    an import would remove more of what is listed than one may without saying yes

`classify` turns what SQLAlchemy raises into one of the first two. Errors about single values (a constraint, a number
out of range) are none of these: they belong to the item that brought them.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy import exc as sqlalchemy_errors

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.inventory_plan import ImportResult
    from bridge.store.listings import ListingResult

_TEXT_LIMIT = 256
"""Characters of a driver's own message that we repeat."""


class StoreError(Exception):
    """The store cannot do what was asked."""


class StoreUnavailable(StoreError):
    """Nothing was stored now, and the same request may succeed later without a restart."""

    def __init__(self, why: str, remedy: str = "", where: str = "database") -> None:
        super().__init__(why, remedy, where)
        self.why = why
        self.remedy = remedy
        self.where = where

    def __str__(self) -> str:
        return f"{self.where} unavailable: {self.why}" + (f"; {self.remedy}" if self.remedy else "")


class StoreBroken(StoreError):
    """The disk or the file cannot be trusted any more; what was answered before is as safe as the disk."""

    def __init__(
        self,
        why: str,
        where: str = "database",
        remedy: str = "stop, check the disk, and restore a backup if the file is damaged",
    ) -> None:
        super().__init__(why, where, remedy)
        self.why = why
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where} broken: {self.why}; {self.remedy}"


class StoreInUse(StoreError):
    """Another process owns this database; only one may write."""

    def __init__(self, where: str, holder: str) -> None:
        super().__init__(where, holder)
        self.where = where
        self.holder = holder

    def __str__(self) -> str:
        return f"{self.where} is in use by {self.holder}; stop that process first, or give this one another database"


class StoreUnsafe(StoreError):
    """A setting of the database breaks the promise that what we answered is stored."""

    def __init__(self, setting: str, value: str, wanted: str) -> None:
        super().__init__(setting, value, wanted)
        self.setting = setting
        self.value = value
        self.wanted = wanted

    def __str__(self) -> str:
        return f"database setting {self.setting} is {self.value!r}, so a committed status could be lost; {self.wanted}"


class StoreEncodingUnusable(StoreError):
    """The database cannot hold every text that a station may send, or does not know texts from bytes."""

    def __init__(self, where: str, encoding: str) -> None:
        super().__init__(where, encoding)
        self.where = where
        self.encoding = encoding

    def __str__(self) -> str:
        return (
            f"{self.where} has the encoding {self.encoding}, and UTF8 is needed: make another one with "
            f"createdb --encoding=UTF8 --template=template0"
        )


class StoreUrlInvalid(StoreError):
    """The database URL names nothing that we can use. The URL itself is not repeated: it may hold a password."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"database URL: {self.why}; write sqlite:///path/to/file or postgresql://user:password@host/database"


class BackupUnusable(StoreError):
    """A file that should hold a database of this bridge holds none, or is damaged."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} should be a database of ocpp-bridge: {self.why[:_TEXT_LIMIT]}"


class TargetExists(StoreError):
    """A backup would overwrite a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path} exists already; name another file, or say --overwrite"


class CopyFailed(StoreError):
    """A file of a backup could not be read or written; what was there before is unchanged."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return self.why


class SchemaTooNew(StoreError):
    """The database was upgraded by a newer release than this one."""

    def __init__(self, found: str, known: str) -> None:
        super().__init__(found, known)
        self.found = found
        self.known = known

    def __str__(self) -> str:
        return (
            f"database schema is at {self.found!r}, and this release knows none after {self.known!r}; "
            "run the newer release, or restore a backup that this one made"
        )


class NeedsYes(StoreError):
    """An import would remove more than a tenth of the stations or EVSEs."""

    def __init__(self, result: ImportResult) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        diff = self.result.diff
        return (
            f"the import would remove {len(diff.evses_removed)} of {self.result.evses_before} EVSEs and "
            f"{len(diff.stations_removed)} of {self.result.stations_before} stations, more than 10 %; "
            "check the file, or confirm with --yes"
        )


class ListingNeedsYes(StoreError):
    """An import would remove more than a tenth of the listed EVSEs or stations."""

    def __init__(self, result: ListingResult) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return (
            f"the import would remove {len(self.result.diff.removed)} of {self.result.before} listings, "
            "more than 10 %; check the file, or confirm with --yes"
        )


# Source: SQLite, "Result and Error Codes" (primary code in the low byte, extended code above it).
_SQLITE_UNAVAILABLE = {
    3: ("access is denied", "make the file and its folder writable for this user"),
    5: ("another process holds the write lock", "wait for it to finish"),
    6: ("another connection holds a table lock", "wait for it to finish"),
    7: ("out of memory", "free some"),
    8: ("the file is read-only", "make the file and its folder writable for this user"),
    9: ("the statement was interrupted", ""),
    13: ("the disk or the file's size limit is full", "free some space"),
    14: ("the file cannot be opened", "check that its folder exists and is writable for this user"),
    15: ("the file's locks are contended", "wait for the other process to finish"),
}
_SQLITE_BROKEN = {
    2: "SQLite reports an internal fault",
    10: "I/O error",
    11: "the file is damaged",
    26: "the file is not a SQLite database",
}
_SQLITE_READONLY_DBMOVED = 8 | 4 << 8
_SQLITE_IOERR_SHMSIZE = 10 | 19 << 8
"""The index of the log cannot grow: what SQLite makes of a full disk there."""

# Source: PostgreSQL, appendix A "Error Codes": the first two characters are the class.
_POSTGRESQL_BROKEN = ("58", "XX001", "XX002")
_POSTGRESQL_UNAVAILABLE = {
    "08": ("the connection failed", ""),
    "25006": ("the server is read-only", "connect to the primary"),
    "28": ("the server refuses the user", "check user and password"),
    "3D000": ("the database does not exist", "create it"),
    "40": ("the transaction collided with another", ""),
    "53100": ("the server's disk is full", "free some space"),
    "53": ("the server is out of resources", ""),
    "55P03": ("another process holds a lock", "wait for it to finish"),
    "57": ("the server stopped the statement or is shutting down", ""),
    "42501": ("the user lacks a privilege", "grant it"),
}


def classify(error: sqlalchemy_errors.SQLAlchemyError) -> StoreUnavailable | StoreBroken | None:
    """Return the storage failure that `error` means, or None where it is about the statement or its values."""
    if isinstance(error, sqlalchemy_errors.TimeoutError):
        return StoreUnavailable("all database connections are in use")
    if not isinstance(error, sqlalchemy_errors.DBAPIError) or error.orig is None:
        return None
    original = error.orig
    if isinstance(original, sqlite3.Error) and hasattr(original, "sqlite_errorcode"):
        return classify_sqlite(original)
    state = getattr(original, "sqlstate", None)
    if state is not None:
        return _classify_postgresql(state, _cut(original))
    if error.connection_invalidated or isinstance(error, sqlalchemy_errors.OperationalError):
        return StoreUnavailable(f"the connection failed ({_cut(original)})")
    return None


def classify_sqlite(error: sqlite3.Error) -> StoreUnavailable | StoreBroken | None:
    """Return the storage failure that an error of SQLite itself means, or None as `classify` does."""
    code, name = error.sqlite_errorcode, error.sqlite_errorname
    if code == _SQLITE_READONLY_DBMOVED:
        return StoreBroken(f"the file was moved or deleted while in use ({name})")
    primary = 13 if code == _SQLITE_IOERR_SHMSIZE else code & 0xFF
    if primary in _SQLITE_BROKEN:
        return StoreBroken(f"{_SQLITE_BROKEN[primary]} ({name})")
    if primary in _SQLITE_UNAVAILABLE:
        why, remedy = _SQLITE_UNAVAILABLE[primary]
        return StoreUnavailable(f"{why} ({name})", remedy)
    return None


def _classify_postgresql(state: str, text: str) -> StoreUnavailable | StoreBroken | None:
    if state.startswith(_POSTGRESQL_BROKEN):
        return StoreBroken(f"the server reports {state}: {text}")
    for key in (state, state[:2]):
        if key in _POSTGRESQL_UNAVAILABLE:
            why, remedy = _POSTGRESQL_UNAVAILABLE[key]
            return StoreUnavailable(f"{why} ({state})", remedy)
    return None


def _cut(error: BaseException) -> str:
    return " ".join(str(error).split())[:_TEXT_LIMIT]
