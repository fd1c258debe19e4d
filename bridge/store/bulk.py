"""Run one INSERT for many rows at little more than the driver's own cost.

SQLAlchemy compiles the statement once for each dialect; the rows then go to the driver as it wants them. On the hot
path the usual way through the library costs more CPU than the database does. Writes only. `upsert` is for the rest.

SQLite gets many rows in one statement. Its driver gives up the interpreter's lock at every step of a statement, which
is every row, and then has to win it back from the event loop: that cost more than the rows did.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.prepared import library_error

Row = tuple[Any, ...]
"""Values in the order in which their statement names them, as the driver wants them."""

_MOST_TOGETHER = 64
"""Rows of one statement at SQLite, a power of two: each size that is used stays prepared."""


class Bulk:
    """An INSERT of the columns `names`, which may say what to do on a conflict, without any other parameter.

    Values must need no conversion by the library.
    """

    def __init__(self, make: Callable[[str], sa.Insert], names: Sequence[str]) -> None:
        """Use `make(dialect name)` for the statement."""
        self._make = make
        self._names = tuple(names)
        self._prepared: dict[str, tuple[str, Callable[[Row], Row]]] = {}
        self._texts: dict[int, str] = {}

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> int:
        """Insert the rows, each in the order of `names`; return how many it inserted or changed."""
        if not rows:
            return 0
        one, arranged = self._prepare(connection.dialect)
        if connection.dialect.name != "sqlite":
            named = [dict(zip(self._names, row, strict=True)) for row in rows]
            return connection.exec_driver_sql(one, named).rowcount
        cursor = connection.connection.cursor()
        touched = 0
        for together in _chunks(rows):
            text = self._together(one, len(together))
            try:
                cursor.execute(text, tuple(chain.from_iterable(map(arranged, together))))
            except sqlite3.Error as error:
                raise library_error(error, text, connection) from error
            touched += cursor.rowcount
        return touched

    def _prepare(self, dialect: sa.Dialect) -> tuple[str, Callable[[Row], Row]]:
        """Return the statement for one row, and what brings a row into its order where it counts parameters."""
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            compiled = self._make(dialect.name).compile(dialect=dialect, column_keys=list(self._names))
            order = compiled.positiontup or self._names
            arranged = itemgetter(*(self._names.index(name) for name in order))
            prepared = self._prepared[dialect.name] = (str(compiled), arranged)
        return prepared

    def _together(self, one: str, rows: int) -> str:
        """Return SQLite's statement for so many rows."""
        text = self._texts.get(rows)
        if text is None:
            values = f"({', '.join('?' * len(self._names))})"
            if one.count("?") != len(self._names) or one.count(values) != 1:
                raise AssertionError(f"this has other parameters than one row of {self._names}: {one}")
            text = self._texts[rows] = one.replace(values, ", ".join([values] * rows))
        return text


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Cut the rows into pieces whose lengths are powers of two."""
    first = 0
    while first < len(rows):
        size = min(_MOST_TOGETHER, 1 << ((len(rows) - first).bit_length() - 1))
        yield rows[first : first + size]
        first += size


def insert_or_update(connection_: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return the dialect's INSERT that knows ON CONFLICT."""
    return insert_for(connection_.dialect.name, table)


def insert_for(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return the INSERT that knows ON CONFLICT, for a statement that is made once."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def upsert(connection_: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, or overwrite the columns that they name; every row names the same columns."""
    statement = upsert_statement(connection_.dialect.name, table, tuple(rows[0]))
    connection_.execute(statement, list(rows))


@functools.cache
def upsert_statement(dialect: str, table: sa.Table, names: tuple[str, ...]) -> sqlite.Insert | postgresql.Insert:
    """Return the upsert of the columns `names`, once made for each dialect."""
    insert = insert_for(dialect, table)
    keys = [column.name for column in table.primary_key.columns]
    excluded = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=keys, set_={name: excluded[name] for name in names if name not in keys}
    )
