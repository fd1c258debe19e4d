"""Run one statement for many rows at little more than the driver's own cost.

SQLAlchemy compiles the statement once for each dialect; the rows then go to the driver as it wants them. On the hot
path the usual way through the library costs more CPU than the database does. Writes only. `upsert` is for the rest.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Row = tuple[Any, ...]
"""Values in the order in which their statement names them, as the driver wants them."""


class Bulk:
    """A statement whose bound parameters are named by `names`; values must need no conversion by the library."""

    def __init__(self, make: Callable[[str], sa.Executable], names: Sequence[str]) -> None:
        """Use `make(dialect name)` for the statement."""
        self._make = make
        self._names = tuple(names)
        self._prepared: dict[str, tuple[str, Callable[[Row], Any]]] = {}

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> int:
        """Run the statement once for each row, each in the order of `names`; return how many rows it touched in all."""
        if not rows:
            return 0
        sql, arranged = self._prepare(connection.dialect)
        return connection.exec_driver_sql(sql, [arranged(row) for row in rows]).rowcount

    def _prepare(self, dialect: sa.Dialect) -> tuple[str, Callable[[Row], Any]]:
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            statement = self._make(dialect.name)
            compiled = statement.compile(dialect=dialect, column_keys=list(self._names))  # type: ignore[attr-defined]  # Executable does not say that it compiles
            prepared = self._prepared[dialect.name] = (str(compiled), self._arrange(compiled.positiontup))
        return prepared

    def _arrange(self, order: Sequence[str] | None) -> Callable[[Row], Any]:
        """Return what makes the driver's parameters of a row: by position in this order, or None: by name."""
        if order is None:
            return lambda row: dict(zip(self._names, row, strict=True))
        return itemgetter(*(self._names.index(name) for name in order))


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
