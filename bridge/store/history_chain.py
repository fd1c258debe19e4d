"""Find the changes of one EVSE by the chain that they are, since no index has all of them.

Each row of the history names its EVSE's row before, and an EVSE's state its newest one. Every eighth row of an EVSE is
in an index, so that a walk may begin in the middle; where its station was read anew the next row is, too. An index of
every row would be a page of its own for each status that changes (ADR 27).

Numbers grow with time and are given here: there is one writer. Before it: `changes`, which writes rows; `trimming`,
which forgets the oldest; `history_readings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bridge.store.hub_tables import evse_state, history
from bridge.store.metadata import Id
from bridge.store.working_copies import copies_of

if TYPE_CHECKING:
    from bridge.store.stations import EvseKey

MARK_EVERY = 8
"""Of so many rows of an EVSE that follow each other at least one is marked."""

_H = history.c


def take_change_numbers(connection_: sa.Connection, count: int) -> int:
    """Return the first of `count` numbers above all that are in the history."""
    copies = copies_of(connection_)
    if copies.last_change is None:
        copies.last_change = connection_.execute(sa.select(sa.func.max(_H.id))).scalar() or 0
    first = copies.last_change + 1
    copies.last_change += count
    return first


# --- walking ------------------------------------------------------------------------------------------------------

_TOLD = (_H.id, _H.at_w, _H.status, _H.live, _H.rule, _H.earlier)


def _walk() -> sa.Select[Any]:
    """Return the SELECT of `most` rows of a chain from the row `start` back."""
    chain = sa.select(*_TOLD, sa.literal(1).label("place")).where(_H.id == sa.bindparam("start")).cte(recursive=True)
    behind = sa.select(*_TOLD, chain.c.place + 1).select_from(history.join(chain, _H.id == chain.c.earlier))
    chain = chain.union_all(behind.where(chain.c.place < sa.bindparam("most")))
    return sa.select(*(chain.c[column.name] for column in _TOLD)).order_by(chain.c.place)


_WALK = _walk()
_MARK_BEHIND = (
    sa.select(_H.id)
    .where(_H.mark == sa.bindparam("key"), _H.id > sa.bindparam("number"))
    .order_by(_H.id)
    .offset(sa.bindparam("passed"))
    .limit(1)
)
_NEWEST_ROW = (
    sa.select(_H.id, _H.at_w)
    .select_from(evse_state.join(history, _H.id == evse_state.c.last_change))
    .where(evse_state.c.evse == sa.bindparam("key"))
)
_NEWEST = sa.select(evse_state.c.last_change).where(evse_state.c.evse == sa.bindparam("key"))


def row_behind(conn: sa.Connection, key: EvseKey, number: int, passed: int = 0) -> int | None:
    """Return a row of an EVSE from which a walk back meets all its rows just behind `number`.

    Up to `MARK_EVERY` of them, and as many for each mark that is to be passed over. Where there are not so many marks
    its newest row, which may lie before `number`; None: it has none.
    """
    marked: int | None = conn.execute(_MARK_BEHIND, {"key": key, "number": number, "passed": passed}).scalar()
    if marked is not None:
        return marked
    newest: int | None = conn.execute(_NEWEST, {"key": key}).scalar()
    return newest


def newest_row(conn: sa.Connection, key: EvseKey) -> tuple[int, int] | None:
    """Return (number, at_w) of the newest row of an EVSE; None: it has none."""
    row = conn.execute(_NEWEST_ROW, {"key": key}).first()
    return None if row is None else (row[0], row[1])


def rows_back(conn: sa.Connection, start: int | None, together: int) -> Iterator[Sequence[Any]]:
    """Yield (number, at_w, status, live, rule, earlier) from a row back to the first, reading `together` at once."""
    while start is not None:
        rows = conn.execute(_WALK, {"start": start, "most": together}).all()
        yield from rows
        start = rows[-1].earlier if len(rows) == together else None


_LAST_BEFORE = """
SELECT evse, (
    WITH RECURSIVE walk(id) AS (
        SELECT coalesce(
            (SELECT min(marked.id) FROM history AS marked WHERE marked.mark = evse_state.evse AND marked.id >= :number),
            evse_state.last_change
        )
        UNION ALL
        SELECT history.earlier FROM history JOIN walk ON history.id = walk.id WHERE walk.id >= :number
    )
    SELECT walk.id FROM walk WHERE walk.id < :number
) AS id FROM evse_state
"""
"""A walk for each EVSE: of one walk for all PostgreSQL makes a hash of the whole table."""


def last_before(number: int) -> sa.Subquery:
    """Return (evse, id) of the last row of each EVSE below `number`, null: it has none; a part of a statement."""
    text = sa.text(_LAST_BEFORE).bindparams(number=number)
    return text.columns(sa.column("evse", Id), sa.column("id", Id)).subquery("last")


# --- forgetting ---------------------------------------------------------------------------------------------------


def forget_followed(conn: sa.Connection, after: int, through: int) -> int:
    """Delete the row before each row with a number above `after` up to `through`; return how many went.

    So of each EVSE that has rows there the newest of them stays, and what is after it.
    """
    earlier = sa.select(_H.earlier).where(_H.id > after, _H.id <= through, _H.earlier.is_not(None))
    return conn.execute(sa.delete(history).where(_H.id.in_(earlier))).rowcount


def _forget() -> sa.Delete:
    """Return the DELETE of a chain from the newest row of the EVSE `key` back."""
    chain = sa.select(evse_state.c.last_change.label("id")).where(evse_state.c.evse == sa.bindparam("key"))
    walk = chain.cte("walk", recursive=True)
    walk = walk.union_all(sa.select(_H.earlier).select_from(history.join(walk, _H.id == walk.c.id)))
    return sa.delete(history).where(_H.id.in_(sa.select(walk.c.id).where(walk.c.id.is_not(None))))


_FORGET = _forget()


def forget_all(conn: sa.Connection, keys: Iterable[EvseKey]) -> None:
    """Delete all rows of these EVSEs, whose states must still be there.

    One EVSE after the other: of several chains PostgreSQL makes a hash of the whole table, again for each link.
    """
    for key in keys:
        conn.execute(_FORGET, {"key": key})
