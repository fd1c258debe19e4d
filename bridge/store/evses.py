"""Find EVSEs and their stations: whose they are, which are due, which moved. Written by `edits` and `ticker`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from bridge.core.model import EvseId
from bridge.store.stations import EvseKey
from bridge.store.tables import evse, evse_state
from bridge.store.working_copies import copies_of, drop_copies
from csms.events import StationId

_MOST_IDS = 500
"""In one statement."""
_ids: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)


def stations_of(connection_: sa.Connection, keys: Iterable[EvseKey]) -> list[StationId]:
    """Return the stations that the EVSEs belong to, each once."""
    statement = sa.select(evse.c.station).where(evse.c.id.in_(_ids)).distinct()
    return [row[0] for row in connection_.execute(statement, {"ids": list(keys)})]


def all_stations(connection_: sa.Connection) -> list[StationId]:
    """Return the ids of all stations that have EVSEs, removed ones included."""
    return [row[0] for row in connection_.execute(sa.select(evse.c.station).distinct().order_by(evse.c.station))]


def homes(connection_: sa.Connection) -> dict[EvseKey, StationId]:
    """Return the station of every EVSE that is in the inventory."""
    rows = connection_.execute(sa.select(evse.c.id, evse.c.station).where(evse.c.removed_at_w.is_(None)))
    return {EvseKey(row[0]): row[1] for row in rows}


def owners(connection_: sa.Connection, evse_ids: Iterable[EvseId]) -> dict[EvseId, StationId]:
    """Return the stations of those of these EVSEs that are in the inventory."""
    statement = sa.select(evse.c.evse_id, evse.c.station).where(evse.c.evse_id.in_(_ids), evse.c.removed_at_w.is_(None))
    return {row[0]: row[1] for row in connection_.execute(statement, {"ids": list(evse_ids)})}


def keep_published(connection_: sa.Connection, keys: Iterable[EvseKey], until: int) -> None:
    """Note that these EVSEs moved: what was published stands until then (µs) where their stations say nothing."""
    rows = [{"key": key} for key in keys]
    if rows:
        copies_of(connection_).drop_evses(row["key"] for row in rows)
        connection_.execute(sa.update(evse).where(evse.c.id == sa.bindparam("key")).values(kept_until=until), rows)


def clamp_kept(connection_: sa.Connection, latest: int) -> None:
    """Let no moved EVSE keep its value beyond `latest` (steady µs): the clock may have been set back meanwhile."""
    drop_copies(connection_)
    connection_.execute(sa.update(evse).where(evse.c.kept_until > latest).values(kept_until=latest))


def due_evses(connection_: sa.Connection, now: int, steady: int, limit: int) -> list[EvseKey]:
    """Return up to `limit` EVSEs whose status the passing of time changes at or before these times (µs)."""
    values = {"now": now, "steady": steady, "most": limit}
    return [EvseKey(row[0]) for row in connection_.execute(_DUE, values)]


_DUE = (
    sa.select(evse_state.c.evse)
    .where(sa.or_(evse_state.c.until_w <= sa.bindparam("now"), evse_state.c.until <= sa.bindparam("steady")))
    .order_by(evse_state.c.evse)
    .limit(sa.bindparam("most"))
)


def next_times(connection_: sa.Connection) -> tuple[int | None, int | None]:
    """Return the earliest wall and steady times (µs) at which time alone changes an EVSE's status."""
    return connection_.execute(_NEXT_WALL).scalar(), connection_.execute(_NEXT_STEADY).scalar()


_NEXT_WALL = sa.select(sa.func.min(evse_state.c.until_w))
_NEXT_STEADY = sa.select(sa.func.min(evse_state.c.until))


def operators_of(connection_: sa.Connection, canonicals: Collection[str]) -> dict[str, dict[EvseId, str]]:
    """Return canonical id → EVSE id → operator, removed EVSEs included for as long as they are remembered."""
    found: dict[str, dict[EvseId, str]] = defaultdict(dict)
    statement = sa.select(evse.c.canonical, evse.c.evse_id, evse.c.operator).where(evse.c.canonical.in_(_ids))
    wanted = list(canonicals)
    for start in range(0, len(wanted), _MOST_IDS):
        for row in connection_.execute(statement, {"ids": wanted[start : start + _MOST_IDS]}):
            found[row[0]][row[1]] = row[2]
    return dict(found)
