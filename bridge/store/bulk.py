"""Run one statement for many rows at little more than the driver's own cost.

SQLAlchemy compiles the statement once for each dialect; the rows then go to the driver as it wants them. On the hot
path the usual way through the library costs more CPU than the database does. Used by `stations`; writes only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

Row = Mapping[str, Any]


class Bulk:
    """A statement whose bound parameters are named by `names`; values must need no conversion by the library."""

    def __init__(self, make: Callable[[str], sa.Executable], names: Sequence[str]) -> None:
        """Use `make(dialect name)` for the statement."""
        self._make = make
        self._names = tuple(names)
        self._prepared: dict[str, tuple[str, Callable[[Row], Any]]] = {}

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> int:
        """Run the statement once for each row, each with all of `names`; return how many rows it touched in all."""
        sql, arranged = self._prepare(connection.dialect)
        return connection.exec_driver_sql(sql, [arranged(row) for row in rows]).rowcount

    def _prepare(self, dialect: sa.Dialect) -> tuple[str, Callable[[Row], Any]]:
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            statement = self._make(dialect.name)
            compiled = statement.compile(dialect=dialect, column_keys=list(self._names))  # type: ignore[attr-defined]
            order = compiled.positiontup
            prepared = self._prepared[dialect.name] = (str(compiled), itemgetter(*order) if order else dict)
        return prepared
