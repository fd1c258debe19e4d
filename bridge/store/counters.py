"""Give numbers that are never given twice: receive sequences and OCPP 1.6 transaction ids."""

from __future__ import annotations

import sqlalchemy as sa

from bridge.store.bulk import insert_or_update
from bridge.store.tables import counter


def take_numbers(connection_: sa.Connection, name: str, count: int) -> int:
    """Reserve `count` numbers of a counter and return the first; a number is never given twice."""
    insert = insert_or_update(connection_, counter).values(name=name, value=count)
    statement = insert.on_conflict_do_update(
        index_elements=[counter.c.name], set_={"value": counter.c.value + count}
    ).returning(counter.c.value)
    last: int = connection_.execute(statement).scalar_one()
    return last - count + 1
