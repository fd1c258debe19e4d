"""Run one statement again and again at little more than the driver's own cost: what each batch and each turn asks.

SQLAlchemy compiles the statement once; where the database is SQLite, it then goes to the driver's cursor, since the way
through the library costs four times what the database does. Values need no conversion, and truth comes back as 0 and 1.
Errors are the library's. Twin: `bulk`, which inserts many rows at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

_MOST_IDS = 512


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


class Among:
    """A SELECT of the rows whose key is one of `ids`, which is its one parameter, an expanding one."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[int, tuple[str, Callable[[Sequence[Any]], Sequence[Any]]]] = {}

    def rows(self, connection: sa.Connection, ids: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return what it finds; the order of the statement holds for what belongs to one id."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, {"ids": list(ids)}).all()
        cursor = connection.connection.cursor()
        found: list[Sequence[Any]] = []
        for some in pieces(ids, _MOST_IDS):
            text, arranged = self._compile(connection.dialect, len(some))
            try:
                cursor.execute(text, arranged(some))
                found += cursor.fetchall()
            except sqlite3.Error as error:
                raise library_error(error, text, connection) from error
        return found

    def _compile(self, dialect: sa.Dialect, count: int) -> tuple[str, Callable[[Sequence[Any]], Sequence[Any]]]:
        """Return the statement for so many ids, and what puts its own values around them."""
        compiled = self._compiled.get(count)
        if compiled is None:
            fixed = self._statement.compile(dialect=dialect).params
            whole = self._statement.params(ids=[None] * count).compile(
                dialect=dialect, compile_kwargs={"render_postcompile": True}
            )
            order = tuple(whole.positiontup or ())
            first = order.index("ids_1")
            before = [fixed[name] for name in order[:first]]
            after = [fixed[name] for name in order[first + count :]]
            compiled = self._compiled[count] = (str(whole), lambda ids: [*before, *ids, *after])
        return compiled


T = TypeVar("T")


def pieces(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Cut the items into pieces whose lengths are powers of two, `most` (one, too) at most: each stays prepared."""
    first = 0
    while first < len(items):
        size = min(most, 1 << ((len(items) - first).bit_length() - 1))
        yield items[first : first + size]
        first += size


def library_error(error: sqlite3.Error, text: str, connection: sa.Connection) -> DBAPIError:
    """Return the error that the library makes of one of SQLite's driver, without the values."""
    made = DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect)
    if not isinstance(made, DBAPIError):
        raise AssertionError("an error of the driver is one of the library")
    return made
