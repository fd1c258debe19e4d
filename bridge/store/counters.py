"""Give numbers that are never given twice: receive sequences and OCPP 1.6 transaction ids."""

from __future__ import annotations

import functools

import sqlalchemy as sa

from bridge.store.bulk import insert_for
from bridge.store.tables import counter


def take_numbers(connection_: sa.Connection, name: str, count: int) -> int:
    """Reserve `count` numbers of a counter and return the first; a number is never given twice."""
    statement = _take_numbers(connection_.dialect.name)
    last: int = connection_.execute(statement, {"name": name, "value": count}).scalar_one()
    return last - count + 1


@functools.cache
def _take_numbers(dialect: str) -> sa.Executable:
    insert = insert_for(dialect, counter)
    return insert.on_conflict_do_update(
        index_elements=[counter.c.name], set_={"value": counter.c.value + insert.excluded.value}
    ).returning(counter.c.value)
