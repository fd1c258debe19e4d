"""Run one statement again and again at little more than the driver's own cost: what each batch and each turn asks.

SQLAlchemy compiles the statement once; where the database is SQLite, it then goes to the driver's cursor, since the way
through the library costs four times what the database does. Values need no conversion, and truth comes back as 0 and 1.
Errors are the library's. Twin: `bulk`, which inserts many rows at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError


class Prepared:
    """A statement with parameters by name."""

    def __init__(self, statement: sa.Select[Any] | sa.Update | sa.Insert) -> None:
        self._statement = statement
        self._compiled: tuple[str, Sequence[str], dict[str, Any]] | None = None

    def rows(self, connection: sa.Connection, **values: Any) -> Sequence[Sequence[Any]]:
        """Return what a statement finds that returns rows."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, values).all()
        text, order, fixed = self._compile(connection.dialect)
        given = fixed | values
        cursor = connection.connection.cursor()
        try:
            cursor.execute(text, [given[name] for name in order])
            return cursor.fetchall()
        except sqlite3.Error as error:
            raise library_error(error, text, connection) from error

    def first(self, connection: sa.Connection, **values: Any) -> Sequence[Any] | None:
        """Return the first row of what it finds, or None."""
        found = self.rows(connection, **values)
        return found[0] if found else None

    def run(self, connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Run a statement that writes once for each of these sets of values."""
        if not rows:
            return
        if connection.dialect.name != "sqlite":
            connection.execute(self._statement, rows)
            return
        text, order, fixed = self._compile(connection.dialect)
        arranged = [[given[name] for name in order] for given in (fixed | values for values in rows)]
        cursor = connection.connection.cursor()
        try:
            if len(arranged) == 1:
                cursor.execute(text, arranged[0])
            else:
                cursor.executemany(text, arranged)
        except sqlite3.Error as error:
            raise library_error(error, text, connection) from error

    def _compile(self, dialect: sa.Dialect) -> tuple[str, Sequence[str], dict[str, Any]]:
        if self._compiled is None:
            compiled = self._statement.compile(dialect=dialect)
            self._compiled = (str(compiled), tuple(compiled.positiontup or ()), dict(compiled.params))
        return self._compiled


def library_error(error: sqlite3.Error, text: str, connection: sa.Connection) -> DBAPIError:
    """Return the error that the library makes of one of SQLite's driver, without the values."""
    made = DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect)
    if not isinstance(made, DBAPIError):
        raise AssertionError("an error of the driver is one of the library")
    return made
