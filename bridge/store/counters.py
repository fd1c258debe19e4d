"""Give numbers that are never given twice: receive sequences and OCPP 1.6 transaction ids."""

from __future__ import annotations

import functools

import sqlalchemy as sa

from bridge.store.bulk import insert_for
from bridge.store.prepared import Prepared
from bridge.store.tables import counter


def take_numbers(connection_: sa.Connection, name: str, count: int) -> int:
    """Reserve `count` numbers of a counter and return the first; a number is never given twice."""
    ((last,),) = _take_numbers(connection_.dialect.name).rows(connection_, name=name, value=count)
    return int(last) - count + 1


@functools.cache
def _take_numbers(dialect: str) -> Prepared:
    insert = insert_for(dialect, counter).values(name=sa.bindparam("name"), value=sa.bindparam("value"))
    return Prepared(
        insert.on_conflict_do_update(
            index_elements=[counter.c.name], set_={"value": counter.c.value + insert.excluded.value}
        ).returning(counter.c.value)
    )
