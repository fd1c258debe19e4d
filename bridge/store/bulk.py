"""Run one INSERT for many rows at little more than the driver's own cost.

SQLAlchemy compiles the statement once for each dialect; the rows then go to the driver as it wants them. On the hot
path the usual way through the library costs more CPU than the database does. Writes only. `upsert` is for the rest.

SQLite gets several rows in one statement. Its driver gives up the interpreter's lock at every step of a statement, so
after every row, and then has to win it back from the event loop: that cost more than the rows did.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bridge.store.prepared import library_error, pieces

Row = tuple[Any, ...]
"""Values in the order in which their statement names them, as the driver wants them."""

_TOGETHER = 8
"""Rows of one statement at SQLite, a power of two: each size that is used stays prepared.

A statement that fails must leave nothing behind, so SQLite copies each page before it changes several rows, and from
64 KiB on (16 pages: rows of EVSEs that do not stand beside each other) it writes the copies to a file.
Source: SQLite, "Temporary Files Used By SQLite" §2.5; SQLITE_CONFIG_STMTJRNL_SPILL.
"""
_TOGETHER_OR_FAIL = 64
"""Rows of a statement that says OR FAIL: it leaves behind what it did, for its transaction to be rolled back."""


_OR_FAIL = "INSERT OR FAIL "
_KEY = itemgetter(0, 1)


class Bulk:
    """An INSERT of the columns `names`, which may say what to do on a conflict, without any other parameter.

    Values must need no conversion by the library.
    """

    def __init__(
        self,
        make: Callable[[str], sa.Insert],
        names: Sequence[str],
        usual: Mapping[str, bool | str | None] | None = None,
        *,
        in_order: bool = False,
    ) -> None:
        """Use `make(dialect name)` for the statement.

        `in_order`: the first two columns are the table's key, and rows are written in its order. Neighbours lie on one
        page, of which SQLite then makes one copy for a statement. Of two rows with one key the later one counts.

        `usual`: what nearly all rows have in these columns, which is the columns' default. SQLite's driver looks for an
        adapter of each None and each bool, so those rows go by a statement that does not name the columns.
        """
        self._make = make
        self._names = tuple(names)
        self._usual = {} if usual is None else usual
        self._values = tuple(self._usual.values())
        self._of_usual = _picked(self._names, tuple(self._usual))
        self._in_order = in_order
        self._prepared: dict[str, tuple[_Statement, _Statement]] = {}

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> int:
        """Insert the rows, each in the order of `names`; return how many it inserted or changed."""
        if not rows:
            return 0
        if self._in_order:
            rows = sorted(rows, key=_KEY)
        whole, short = self._prepare(connection.dialect)
        if connection.dialect.name != "sqlite":
            named = [dict(zip(self._names, row, strict=True)) for row in rows]
            return connection.exec_driver_sql(whole.one, named).rowcount
        usual = [row for row in rows if self._of_usual(row) == self._values]
        if len(usual) == len(rows):
            return short.run(connection, rows)
        others = [row for row in rows if self._of_usual(row) != self._values]
        return short.run(connection, usual) + whole.run(connection, others)

    def _prepare(self, dialect: sa.Dialect) -> tuple[_Statement, _Statement]:
        """Return the statements that name all columns, and all but the usual ones."""
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            insert = self._make(dialect.name)
            for name, value in self._usual.items():
                if value != _default(insert.table.columns[name]):
                    raise AssertionError(f"{name} has another default than {value!r}: rows without it would get that")
            named = [name for name in self._names if name not in self._usual]
            prepared = _Statement(insert, self._names, dialect), _Statement(insert, self._names, dialect, named)
            self._prepared[dialect.name] = prepared
        return prepared


class _Statement:
    """An INSERT of some columns of its rows, at one dialect."""

    def __init__(
        self, insert: sa.Insert, names: Sequence[str], dialect: sa.Dialect, named: Sequence[str] | None = None
    ) -> None:
        named = names if named is None else named
        compiled = insert.compile(dialect=dialect, column_keys=list(named))
        self.one = str(compiled)
        """For one row."""
        self._columns = len(named)
        self._arranged = _picked(names, tuple(compiled.positiontup or named))
        self._together = _TOGETHER_OR_FAIL if self.one.startswith(_OR_FAIL) else _TOGETHER
        self._texts: dict[int, str] = {}

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> int:
        """Give them to SQLite, many in one statement."""
        cursor = connection.connection.cursor()
        touched = 0
        for together in pieces(rows, self._together):
            text = self._text(len(together))
            try:
                cursor.execute(text, tuple(chain.from_iterable(map(self._arranged, together))))
            except sqlite3.Error as error:
                raise library_error(error, text, connection) from error
            touched += cursor.rowcount
        return touched

    def _text(self, rows: int) -> str:
        """Return the statement for so many rows."""
        text = self._texts.get(rows)
        if text is None:
            values = f"({', '.join('?' * self._columns)})"
            if self.one.count("?") != self._columns or self.one.count(values) != 1:
                raise AssertionError(f"this has other parameters than one row of {self._columns} columns: {self.one}")
            text = self._texts[rows] = self.one.replace(values, ", ".join([values] * rows))
        return text


def _picked(names: Sequence[str], wanted: Sequence[str]) -> Callable[[Row], Row]:
    """Return what brings the values of the columns `wanted` of a row of `names` into their order."""
    places = [names.index(name) for name in wanted]
    match places:
        case []:
            return lambda _row: ()
        case [place]:
            return lambda row: (row[place],)
        case _:
            return itemgetter(*places)


def _default(column: sa.ColumnElement[Any]) -> bool | str | None:
    """Return what a row has in a column that its INSERT does not name, where that is nothing, no or a text."""
    match getattr(column, "server_default", None):
        case None:
            return None
        case sa.DefaultClause(arg=sa.False_()):
            return False
        case sa.DefaultClause(arg=str(text)):
            return text
    raise AssertionError(f"the default of {column.name} is not understood")


def or_fail(insert: sa.Insert) -> sa.Insert:
    """Return the INSERT that SQLite need not undo by itself where one of its rows fails.

    For one that says nothing of conflicts, and whose failure ends its transaction, as everywhere in a batch.
    """
    return insert.prefix_with("OR FAIL", dialect="sqlite")


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
