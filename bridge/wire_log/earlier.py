"""Read lines of a file that an earlier version began, one row each, and let them go first.

Never adds one: once the last is gone, so is their table. Used by `file` and `reading`, beside `tables`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator

from bridge.wire_log.line import Kind, Line, moment
from bridge.wire_log.tables import table_names

EARLIER = "line"
"""The table."""
_NEWEST_FIRST = "SELECT id, at, epoch, kind, text, size, cut FROM line WHERE station = ? AND id > ? ORDER BY id DESC"
_OLDEST_FIRST = "SELECT id, at, epoch, kind, text, size, cut FROM line WHERE station = ? AND id > ? ORDER BY id"
_REMOVE = "DELETE FROM line WHERE id IN (SELECT id FROM line WHERE station = ? ORDER BY id LIMIT ?)"


def earlier_lines(connection: sqlite3.Connection, number: int, station: str, after: int | None) -> Iterator[Line]:
    """Yield the lines of the station with this number: the newest first, or with `after` those behind it in order."""
    found = connection.execute(_NEWEST_FIRST if after is None else _OLDEST_FIRST, (number, after or 0))
    for id, at, epoch, kind, text, size, cut in found:
        yield Line(id, moment(at), station, epoch, Kind(kind), text, size, bool(cut))


class EarlierLines:
    """What is left of them, for the writer, within its transactions. Methods raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Count the lines of each station."""
        self._connection = connection
        self.counts: Counter[int] = Counter()
        """Lines that are left, by the station's number."""
        self.last = 0
        """The largest id."""
        if EARLIER in table_names(connection):
            self.counts.update(dict(connection.execute("SELECT station, count(*) FROM line GROUP BY station")))
            (last,) = connection.execute("SELECT max(id) FROM line").fetchone()
            self.last = last or 0

    def remove(self, station: int, most: int) -> int:
        """Remove the oldest lines of a station, at most so many; return how many."""
        gone = min(most, self.counts[station])
        if gone:
            self._connection.execute(_REMOVE, (station, gone))
            self._forget(Counter({station: gone}))
        return gone

    def remove_oldest(self, most: int) -> Counter[int]:
        """Remove the oldest lines of all, at most so many; return how many of each station."""
        if not self.counts:
            return Counter()
        oldest = "SELECT id, station FROM line ORDER BY id LIMIT ?"
        found = self._connection.execute(oldest, (most,)).fetchall()
        self._connection.execute("DELETE FROM line WHERE id <= ?", (found[-1][0],))
        gone = Counter(station for _, station in found)
        self._forget(gone)
        return gone

    def _forget(self, gone: Counter[int]) -> None:
        self.counts -= gone
        if not self.counts:
            self._connection.execute("DROP TABLE line")
