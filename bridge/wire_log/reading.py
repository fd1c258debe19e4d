"""Read the lines of one station from the file, beside its writer and from any process.

Never writes, and never waits for the writer. Before it: `file`. After it: `bridge.app.wire_services`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import attrgetter
from pathlib import Path
from urllib.parse import quote

from bridge.wire_log.block import BlockBroken, unpack
from bridge.wire_log.earlier import EARLIER, earlier_lines
from bridge.wire_log.line import Line
from bridge.wire_log.tables import newest_first, oldest_first, table_names, wire_file

_WAIT_S = 2.0


class LogUnreadable(Exception):
    """The file cannot be read; its text is for the operator."""


def read_lines(
    state_dir: Path, station: str, *, limit: int, after: int | None = None, since: datetime | None = None
) -> tuple[Line, ...]:
    """Return lines of a station, the oldest first: the last `limit`, or with `after` the next ones after that id.

    The station's name counts as it is spelled, or else in any case. Raises: LogUnreadable.
    """
    path = wire_file(state_dir)
    if not path.exists():
        return ()
    with _reading(path) as connection, closing(_lines(connection, station, after)) as lines:
        wanted = lines if since is None else (line for line in lines if line.at >= since)
        found = tuple(islice(wanted, limit))
    return found[::-1] if after is None else found


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_WAIT_S)) as connection:
            connection.execute("BEGIN")  # all that is read is of one moment
            yield connection
    except (sqlite3.Error, BlockBroken) as error:
        raise LogUnreadable(f"{path}: {error}") from error


def _lines(connection: sqlite3.Connection, station: str, after: int | None) -> Generator[Line, None, None]:
    """Yield the lines of a station: the newest first, or with `after` those behind it, the oldest first."""
    tables = table_names(connection)
    parts = {"block": _packed_lines, EARLIER: earlier_lines}
    for number, name in _find(connection, station, tables):
        found = [part(connection, number, name, after) for table, part in parts.items() if table in tables]
        yield from merge(*found, key=attrgetter("id"), reverse=after is None)


def _packed_lines(connection: sqlite3.Connection, number: int, station: str, after: int | None) -> Iterator[Line]:
    if after is None:
        for id, _, packed in newest_first(connection, number):
            yield from reversed(unpack(packed, station, id))
    else:
        for id, _, packed in oldest_first(connection, number, after):
            yield from (line for line in unpack(packed, station, id) if line.id > after)


def _find(connection: sqlite3.Connection, station: str, tables: frozenset[str]) -> list[tuple[int, str]]:
    """Return number and name of the station, if there is one."""
    if "station" not in tables or not tables & {"block", EARLIER}:
        return []
    query = "SELECT number, name FROM station WHERE folded = ? ORDER BY name = ? DESC LIMIT 1"
    return connection.execute(query, (station.casefold(), station)).fetchall()
