"""Say what tables the file has, and find the blocks of one station in them.

Only reads. Used by `file`, the one writer, and by `reading`. Beside it: `earlier`, for a table of earlier versions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

WIRE_FOLDER = "wire"
_FILE = "lines.db"
_SPAN_BITS = 15  # as in the statements
SCHEMA = """
    CREATE TABLE IF NOT EXISTS station (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, folded TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS block (
        id INTEGER PRIMARY KEY, station INTEGER NOT NULL, lines INTEGER NOT NULL, packed BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS block_of_station ON block (id >> 15, station, lines);
    CREATE INDEX IF NOT EXISTS station_folded ON station (folded);
    CREATE TABLE IF NOT EXISTS forgetting (now INTEGER);
    CREATE TRIGGER IF NOT EXISTS station_stays BEFORE DELETE ON station
    WHEN NOT EXISTS (SELECT 1 FROM forgetting) BEGIN SELECT RAISE(IGNORE); END;
"""
"""A block's id is that of its last line. The index has the blocks of a span of ids together, and within it those of one
station: what is written at one time is on few of its pages, however many stations there are. By station alone, nearly
every row of a flush was on a page of its own.

An earlier version that is started on the file again forgets the stations of which it has no lines. The trigger keeps
those that have blocks: their number would go to another station, which then had their lines."""
_OLDEST_FIRST = "SELECT id, lines, packed FROM block WHERE id >> 15 = ? AND station = ? AND id > ? ORDER BY id"
_NEWEST_FIRST = "SELECT id, lines, packed FROM block WHERE id >> 15 = ? AND station = ? ORDER BY id DESC"

Row = tuple[int, int, bytes]
"""Id of a block's last line, how many lines, and those packed."""


def wire_file(state_dir: Path, suffix: str = "") -> Path:
    """Return where the file is, or would be; with a suffix, one of those that SQLite keeps beside it."""
    return state_dir / WIRE_FOLDER / f"{_FILE}{suffix}"


def table_names(connection: sqlite3.Connection) -> frozenset[str]:
    """Return which tables are there: a file is there a moment before its tables are."""
    return frozenset(name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))


def oldest_first(connection: sqlite3.Connection, station: int, after: int = 0) -> Iterator[Row]:
    """Yield a station's blocks that end behind the id `after`."""
    next_span = "SELECT min(id) FROM block WHERE id > ?"
    (id,) = connection.execute(next_span, (after,)).fetchone()
    while id is not None:
        span = id >> _SPAN_BITS
        yield from connection.execute(_OLDEST_FIRST, (span, station, after))
        (id,) = connection.execute(next_span, ((span + 1 << _SPAN_BITS) - 1,)).fetchone()


def newest_first(connection: sqlite3.Connection, station: int) -> Iterator[Row]:
    """Yield a station's blocks."""
    (id,) = connection.execute("SELECT max(id) FROM block").fetchone()
    while id is not None:
        span = id >> _SPAN_BITS
        yield from connection.execute(_NEWEST_FIRST, (span, station))
        (id,) = connection.execute("SELECT max(id) FROM block WHERE id < ?", (span << _SPAN_BITS,)).fetchone()
