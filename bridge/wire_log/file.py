"""Keep lines in one SQLite file of its own, without fsync, and bounded: per station, and in all.

What one flush brings of a station is one row (`block`): it is rows that cost, not lines. Never part of the database: a
crash of the machine may lose the newest lines, or the file, which then begins anew. Before it: `log`, one writer in one
thread. Beside it: `reading`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from bridge.wire_log.block import pack
from bridge.wire_log.earlier import EarlierLines
from bridge.wire_log.line import Entry
from bridge.wire_log.tables import SCHEMA, oldest_first, wire_file

_WAIT_S = 2.0
_SHARE = 20
"""When the file is full, the oldest of so many parts of its lines goes."""
_SLACK = 10
"""A station may have a tenth more lines than it should, so that they are counted off and removed many at a time."""
_LONGEST_BLOCK = 64
"""Lines of one block: enough that its row costs each little, few enough that who reads the last one waits little."""


class WireFile:
    """The file, open for writing; for one thread at a time. Methods raise sqlite3.Error and OSError."""

    def __init__(self, state_dir: Path, *, per_station: int, total: int) -> None:
        """Keep the newest `per_station` lines of each station, at most a tenth more, and about `total` bytes in all."""
        self._path = wire_file(state_dir)
        self._per_station = per_station
        self._slack = per_station // _SLACK
        # Only whole blocks are removed, so that one which is longer than the slack would have to stay.
        self._longest_block = max(1, min(_LONGEST_BLOCK, self._slack))
        self._total = total
        self._connection = self._opened()
        self._earlier = EarlierLines(self._connection)
        self._numbers: dict[str, int] = dict(self._connection.execute("SELECT name, number FROM station"))
        lines = dict(self._connection.execute("SELECT station, sum(lines) FROM block GROUP BY station"))
        self._counts = Counter(lines) + self._earlier.counts
        # A file that began anew must not give out ids again: readers go on after the last one that they saw.
        (last,) = self._connection.execute("SELECT max(id) FROM block").fetchone()
        self._last: int = max(last or 0, self._earlier.last) or time.time_ns() // 1_000_000

    def append(self, entries: Sequence[Entry]) -> None:
        """Add lines, each station's in their order, in one transaction, and remove what is over the bounds."""
        with self._connection:
            rows = list(self._rows(entries))
            self._connection.executemany("INSERT INTO block (id, station, lines, packed) VALUES (?, ?, ?, ?)", rows)
            for station in {station for _, station, _, _ in rows}:
                self._bound(station)
        while self._used() > self._total and self._counts:
            self._remove_oldest()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _prepared(self._path)

    def _rows(self, entries: Sequence[Entry]) -> Iterator[tuple[int, int, int, bytes]]:
        """Yield rows of blocks, and count their lines."""
        by_station: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_station[entry.station].append(entry)
        for name, lines in by_station.items():
            station = self._number(name)
            self._counts[station] += len(lines)
            for first in range(0, len(lines), self._longest_block):
                block = lines[first : first + self._longest_block]
                self._last += len(block)
                yield self._last, station, len(block), pack(block)

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
        over = self._counts[station] - self._per_station
        if over <= self._slack:
            return
        gone = self._earlier.remove(station, over)
        blocks = []
        for id, lines, _ in oldest_first(self._connection, station) if gone < over else ():
            if gone + lines > over:
                break
            gone += lines
            blocks.append((id,))
        self._connection.executemany("DELETE FROM block WHERE id = ?", blocks)
        self._counts[station] -= gone

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
            gone = self._earlier.remove_oldest(share) or self._remove_blocks(share)
            self._counts -= gone
            forgotten = set(gone) - set(self._counts)
            self._connection.execute("INSERT INTO forgetting VALUES (1)")
            self._connection.executemany("DELETE FROM station WHERE number = ?", [(each,) for each in forgotten])
            self._connection.execute("DELETE FROM forgetting")
            self._numbers = {name: number for name, number in self._numbers.items() if number not in forgotten}

    def _remove_blocks(self, share: int) -> Counter[int]:
        """Remove the oldest blocks of all, of so many lines or a few more; return how many of each station."""
        gone: Counter[int] = Counter()
        for id, station, lines in self._connection.execute("SELECT id, station, lines FROM block ORDER BY id"):
            gone[station] += lines
            share -= lines
            if share <= 0:
                self._connection.execute("DELETE FROM block WHERE id <= ?", (id,))
                break
        return gone


def discard(state_dir: Path) -> None:
    """Remove a file that is broken: it holds nothing that anybody would repair. Raises: OSError."""
    for suffix in ("", "-wal", "-shm"):
        wire_file(state_dir, suffix).unlink(missing_ok=True)


def _prepared(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=_WAIT_S, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_size_limit = 4194304")
        connection.executescript(SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection
