"""Find the oldest rows of what is kept for a time, and delete them, a bounded number at a time.

Never decides which are old enough. Every look goes through an index and ends after `limit` rows, however many there
are. Before it: `bridge.retention`, whose handlers run in the writer's transaction.

History keeps one row of each EVSE from before its oldest kept one: a timeline needs its beginning. A removed EVSE goes
once no hub is still to be told that it left; a removed station once it has no EVSE.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from bridge.core.retention import Written
from bridge.store.history_chain import forget_all, forget_followed
from bridge.store.micros import from_micros, to_micros
from bridge.store.stations import EvseKey
from bridge.store.tables import (
    availability_order,
    certificate_request,
    charging,
    connection,
    connector,
    delivery,
    delivery_log,
    document,
    evse,
    evse_state,
    fact,
    history,
    security_event,
    station,
    station_key,
    temporary_status,
)
from bridge.store.working_copies import drop_copies

LOGS = {
    "history": (history, history.c.at_w),
    "delivery_log": (delivery_log, delivery_log.c.sent_at_w),
    "security_event": (security_event, security_event.c.at_w),
    "delivery_bodies": (delivery_log, delivery_log.c.sent_at_w),
}
"""What is written in order: table and moment, by the name of what is kept."""


def newest_number(conn: sa.Connection, log: str) -> int:
    """Return the highest number of a log; 0 where it is empty."""
    table, _ = LOGS[log]
    return conn.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0


def oldest_rows(conn: sa.Connection, log: str, after: int, limit: int) -> list[Written]:
    """Return up to `limit` rows of a log with a number above `after`, the lowest first."""
    table, at = LOGS[log]
    statement = sa.select(table.c.id, at).where(table.c.id > after).order_by(table.c.id).limit(limit)
    return [Written(row[0], from_micros(row[1])) for row in conn.execute(statement)]


def cut_short(conn: sa.Connection, log: str, after: int, through: int, limit: int) -> int:
    """Return the number up to which a log has `limit` rows after `after`, or `through` where it has fewer up to there.

    Returns one row instead of all of them: after a restart hundreds of thousands may have to be passed.
    """
    table, _ = LOGS[log]
    numbers = sa.select(table.c.id).where(table.c.id > after, table.c.id <= through)
    last: int | None = conn.execute(numbers.order_by(table.c.id).offset(limit - 1).limit(1)).scalar()
    return through if last is None else last


def delete_rows(conn: sa.Connection, log: str, after: int, through: int) -> int:
    """Delete a log's rows with numbers above `after` up to `through`, or their bodies; return how many went."""
    if log == "history":
        return forget_followed(conn, after, through)
    if log == "delivery_bodies":
        return conn.execute(_FORGET_BODIES, {"after": after, "through": through}).rowcount
    table, _ = LOGS[log]
    return conn.execute(sa.delete(table).where(table.c.id > after, table.c.id <= through)).rowcount


_FORGET_BODIES = (
    sa.update(delivery_log)
    .where(
        delivery_log.c.id > sa.bindparam("after"),
        delivery_log.c.id <= sa.bindparam("through"),
        delivery_log.c.request.is_not(None),
    )
    .values(request=None, answer=None)
)


def delete_over(conn: sa.Connection, before: datetime, rows: int, limit: int) -> int:
    """Delete temporary statuses that are over: up to `limit` older than `before`, and beyond the newest `rows`."""
    numbers = temporary_status.c.id
    highest = conn.execute(sa.select(sa.func.max(numbers))).scalar() or 0
    by_age = (
        sa.select(numbers)
        .where(temporary_status.c.over_at_w < to_micros(before))
        .order_by(temporary_status.c.over_at_w)
        .limit(limit)
    )
    beyond = (
        sa.select(numbers)
        .where(numbers <= highest - rows, temporary_status.c.over.is_(True))
        .order_by(numbers)
        .limit(limit)
    )
    deleted = 0
    for which in (by_age, beyond):
        deleted += conn.execute(sa.delete(temporary_status).where(numbers.in_(which))).rowcount
    return deleted


# --- the inventory's leavers ----------------------------------------------------------------------------------------

_NOTHING_TO_TELL = (
    ~sa.exists().where(delivery.c.evse == evse.c.id),
    ~sa.exists().where(document.c.key == evse.c.evse_id, document.c.kind == "evse_data"),
)


def removed_evses(conn: sa.Connection, before: datetime, limit: int) -> list[EvseKey]:
    """Return up to `limit` EVSEs that left before this wall time and of which no hub is still to be told."""
    gone = sa.select(evse.c.id).where(evse.c.removed_at_w < to_micros(before), *_NOTHING_TO_TELL)
    return [EvseKey(key) for key in conn.execute(gone.order_by(evse.c.removed_at_w).limit(limit)).scalars()]


def delete_evses(conn: sa.Connection, keys: Iterable[EvseKey]) -> None:
    """Forget these EVSEs and all that was remembered of them."""
    keys = list(keys)
    if not keys:
        return
    drop_copies(conn)
    forget_all(conn, keys)
    for owned in (temporary_status.c.evse, availability_order.c.evse, connector.c.evse):
        conn.execute(sa.delete(owned.table).where(owned.in_(keys)))
    conn.execute(sa.delete(evse_state).where(evse_state.c.evse.in_(keys)))
    conn.execute(sa.delete(evse).where(evse.c.id.in_(keys)))


def delete_removed_stations(conn: sa.Connection, before: datetime, limit: int) -> int:
    """Forget up to `limit` stations that left before this wall time and have no EVSE; return how many."""
    gone = sa.select(station.c.id).where(
        station.c.removed_at_w < to_micros(before), ~sa.exists().where(evse.c.station == station.c.id)
    )
    ids = list(conn.execute(gone.order_by(station.c.removed_at_w).limit(limit)).scalars())
    if not ids:
        return 0
    drop_copies(conn)
    for table in (connector, connection, fact, charging, station_key, security_event, certificate_request):
        conn.execute(sa.delete(table).where(table.c.station.in_(ids)))
    conn.execute(sa.delete(station).where(station.c.id.in_(ids)))
    return len(ids)
