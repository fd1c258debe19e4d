"""Keep lines in one SQLite file of its own, without fsync, and bounded: per station, and in all.

Never part of the database: a crash of the machine may lose the newest lines, or the file, which then begins anew.
Before it: `log`, one writer in one thread. Beside it: any number of readers, also of other processes.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from bridge.wire_log.line import Entry, Kind, Line

WIRE_FOLDER = "wire"
_FILE = "lines.db"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WAIT_S = 2.0
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS station (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, folded TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS line (
        id INTEGER PRIMARY KEY, station INTEGER NOT NULL, at INTEGER NOT NULL, epoch INTEGER NOT NULL,
        kind INTEGER NOT NULL, size INTEGER NOT NULL, cut INTEGER NOT NULL, text TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS line_of_station ON line (station, id);
    CREATE INDEX IF NOT EXISTS station_folded ON station (folded);
"""
_LINES = (
    "SELECT line.id, at, name, epoch, kind, text, size, cut FROM line JOIN station ON number = station"
    " WHERE station = ? AND line.id > ? AND at >= ?"
)
_SHARE = 20
"""When the file is full, the oldest of so many parts of its lines goes."""
_SLACK = 10
"""A station may have a tenth more lines than it should, so that they are counted off and removed many at a time."""


class LogUnreadable(Exception):
    """The file cannot be read; its text is for the operator."""


class WireFile:
    """The file, open for writing; for one thread at a time. Methods raise sqlite3.Error and OSError."""

    def __init__(self, state_dir: Path, *, per_station: int, total: int) -> None:
        """Keep the newest `per_station` lines of each station, at most a tenth more, and about `total` bytes in all."""
        self._path = state_dir / WIRE_FOLDER / _FILE
        self._per_station = per_station
        self._total = total
        self._connection = self._opened()
        self._numbers: dict[str, int] = dict(self._connection.execute("SELECT name, number FROM station"))
        self._counts = Counter(dict(self._connection.execute("SELECT station, count(*) FROM line GROUP BY station")))
        # A file that began anew must not give out ids again: readers go on after the last one that they saw.
        (last,) = self._connection.execute("SELECT max(id) FROM line").fetchone()
        self._last: int = last or time.time_ns() // 1_000_000

    def append(self, entries: Sequence[Entry]) -> None:
        """Add lines in their order, in one transaction, and remove what is over the bounds."""
        with self._connection:
            self._connection.executemany(
                "INSERT INTO line (id, station, at, epoch, kind, size, cut, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [self._row(number, entry) for number, entry in enumerate(entries, self._last + 1)],
            )
            self._last += len(entries)
            for station in {self._numbers[entry.station] for entry in entries}:
                self._bound(station)
        while self._used() > self._total and self._counts:
            self._remove_oldest()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _prepared(self._path)

    def _row(self, number: int, entry: Entry) -> tuple[int, int, int, int, int, int, int, str]:
        station = self._number(entry.station)
        self._counts[station] += 1
        # Plain integers: for an enumeration or a bool sqlite3 looks for an adapter first, and takes half as long again.
        return number, station, entry.at, entry.epoch, int(entry.kind), entry.size, int(entry.cut), entry.text

    def _number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            insert = "INSERT INTO station (name, folded) VALUES (?, ?)"
            number = self._connection.execute(insert, (name, name.casefold())).lastrowid
            if number is None:
                raise AssertionError("an insert has a row number")
            self._numbers[name] = number
        return number

    def _bound(self, station: int) -> None:
        if self._counts[station] <= self._per_station + self._per_station // _SLACK:
            return
        oldest = "SELECT id FROM line WHERE station = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
        found = self._connection.execute(oldest, (station, self._per_station)).fetchone()
        self._connection.execute("DELETE FROM line WHERE station = ? AND id <= ?", (station, *found))
        self._counts[station] = self._per_station

    def _used(self) -> int:
        """Return the bytes in use; pages that became free are taken again before the file grows."""
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _remove_oldest(self) -> None:
        with self._connection:
            share = max(1, self._counts.total() // _SHARE)
            last = "SELECT id FROM line ORDER BY id LIMIT 1 OFFSET ?"
            (until,) = self._connection.execute(last, (share - 1,)).fetchone()
            gone = "SELECT station, count(*) FROM line WHERE id <= ? GROUP BY station"
            self._counts -= Counter(dict(self._connection.execute(gone, (until,))))
            self._connection.execute("DELETE FROM line WHERE id <= ?", (until,))
            self._connection.execute("DELETE FROM station WHERE number NOT IN (SELECT DISTINCT station FROM line)")
            self._numbers = dict(self._connection.execute("SELECT name, number FROM station"))


def discard(state_dir: Path) -> None:
    """Remove a file that is broken: it holds nothing that anybody would repair. Raises: OSError."""
    for suffix in ("", "-wal", "-shm"):
        (state_dir / WIRE_FOLDER / f"{_FILE}{suffix}").unlink(missing_ok=True)


def _prepared(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=_WAIT_S, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_size_limit = 4194304")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def read_lines(
    state_dir: Path, station: str, *, limit: int, after: int | None = None, since: datetime | None = None
) -> tuple[Line, ...]:
    """Return lines of a station, the oldest first: the last `limit`, or with `after` the next ones after that id.

    The station's name counts as it is spelled, or else in any case. Raises: LogUnreadable.
    """
    path = state_dir / WIRE_FOLDER / _FILE
    if not path.exists():
        return ()
    with _reading(path) as connection:
        number = _find(connection, station)
        if number is None:
            return ()
        least = 0 if since is None else _micros(since)
        order = "DESC" if after is None else "ASC"
        query = f"{_LINES} ORDER BY line.id {order} LIMIT ?"
        rows = connection.execute(query, (number, after or 0, least, limit)).fetchall()
    return tuple(_line(*row) for row in (rows if after is not None else reversed(rows)))


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_WAIT_S)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise LogUnreadable(f"{path}: {error}") from error


def _find(connection: sqlite3.Connection, station: str) -> int | None:
    # The file is there a moment before its tables are.
    tables = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('station', 'line')"
    if connection.execute(tables).fetchone() != (2,):
        return None
    query = "SELECT number FROM station WHERE folded = ? ORDER BY name = ? DESC LIMIT 1"
    found = connection.execute(query, (station.casefold(), station)).fetchone()
    return None if found is None else int(found[0])


def _line(id: int, at: int, station: str, epoch: int, kind: int, text: str, size: int, cut: int) -> Line:
    return Line(id, _EPOCH + timedelta(microseconds=at), station, epoch, Kind(kind), text, size, bool(cut))


def _micros(moment: datetime) -> int:
    with suppress(OverflowError):
        return (moment - _EPOCH) // timedelta(microseconds=1)
    return 0
