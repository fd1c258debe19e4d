"""Store temporary statuses: create, change, delete, list; and leave out of every load those that are over for good.

Never decides whether one may be there or is in force: `core.temporary` does. Numbers come from a counter, so that none
is given again once `trimming` has forgotten its row. Every write drops the working copies that it may have touched.
Before it: `bridge.temporaries` and `bridge.passing`. After it: `stations.load`, and whoever lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bridge.core.availability import AvailabilityOrder
from bridge.core.model import EvseId, Temporary, TemporaryKind
from bridge.store.availability import ORDER_COLUMNS, order_of
from bridge.store.counters import take_numbers
from bridge.store.micros import from_micros, to_micros
from bridge.store.tables import availability_order, evse, temporary_status
from bridge.store.working_copies import copies_of
from csms.events import StationId

if TYPE_CHECKING:
    from bridge.store.stations import EvseKey


@dataclass(frozen=True, slots=True)
class StoredTemporary:
    """One temporary status with what only operators look at."""

    number: int
    evse: EvseKey
    evse_id: EvseId
    temporary: Temporary
    created_at: datetime | None
    created_by: str
    order: AvailabilityOrder | None = None
    """What its EVSE's station is told because of temporary statuses."""


_ids: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_LOADED = (
    sa.select(
        evse.c.station,
        temporary_status.c.evse,
        temporary_status.c.kind,
        temporary_status.c.valid_from_w,
        temporary_status.c.valid_to_w,
        temporary_status.c.enforce,
    )
    .select_from(temporary_status.join(evse, evse.c.id == temporary_status.c.evse))
    .where(evse.c.station.in_(_ids), temporary_status.c.over.is_(False))
    .order_by(temporary_status.c.id)
)
_LISTED = (
    sa.select(
        temporary_status.c.id,
        temporary_status.c.evse,
        evse.c.evse_id,
        temporary_status.c.kind,
        temporary_status.c.valid_from_w,
        temporary_status.c.valid_to_w,
        temporary_status.c.enforce,
        temporary_status.c.created_at_w,
        temporary_status.c.created_by,
        *ORDER_COLUMNS,
    )
    .select_from(
        temporary_status.join(evse, evse.c.id == temporary_status.c.evse).outerjoin(
            availability_order, availability_order.c.evse == temporary_status.c.evse
        )
    )
    .where(temporary_status.c.removed_at_w.is_(None))
    .order_by(temporary_status.c.id)
)


def temporaries_of(
    connection_: sa.Connection, arguments: Mapping[str, Any]
) -> Iterator[tuple[StationId, int, Temporary]]:
    """Yield (station, EVSE, temporary status) for the stations `ids`, without those that are over for good."""
    for station, key, *columns in connection_.execute(_LOADED, arguments).all():
        yield station, key, _temporary(columns)


def _temporary(columns: list[Any]) -> Temporary:
    kind, valid_from, valid_to, enforce = columns
    return Temporary(TemporaryKind(kind), from_micros(valid_from), from_micros(valid_to), enforce)


# --- reading for operators ------------------------------------------------------------------------------------------


def list_temporaries(
    connection_: sa.Connection,
    *,
    canonical: str | None = None,
    in_force_at: datetime | None = None,
    not_over_at: datetime | None = None,
    after: int = 0,
    limit: int | None = None,
) -> list[StoredTemporary]:
    """Return those that were not deleted, in the order of their numbers.

    Args:
        connection_: To read from.
        canonical: Only those of EVSEs with this canonical id.
        in_force_at: Only those in force at this wall time.
        not_over_at: Only those in force or to come at this wall time.
        after: Only those behind this number: a page's last one gives the next page.
        limit: At most so many.
    """
    statement = _LISTED.where(temporary_status.c.id > after).limit(limit)
    if canonical is not None:
        statement = statement.where(evse.c.canonical == canonical)
    if in_force_at is not None:
        statement = statement.where(temporary_status.c.valid_from_w <= to_micros(in_force_at), *_not_over(in_force_at))
    if not_over_at is not None:
        statement = statement.where(*_not_over(not_over_at))
    return [_stored(tuple(row)) for row in connection_.execute(statement).all()]


def _not_over(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    ends = temporary_status.c.valid_to_w
    return temporary_status.c.over.is_(False), sa.or_(ends.is_(None), ends > to_micros(now))


def find_temporary(connection_: sa.Connection, number: int) -> StoredTemporary | None:
    """Return the one of this number; None where there is none, or where it was deleted."""
    row = connection_.execute(_LISTED.where(temporary_status.c.id == number)).first()
    return None if row is None else _stored(tuple(row))


def _stored(row: Sequence[Any]) -> StoredTemporary:
    return StoredTemporary(
        number=row[0],
        evse=row[1],
        evse_id=row[2],
        temporary=_temporary(list(row[3:7])),
        created_at=from_micros(row[7]),
        created_by=row[8],
        order=None if row[9] is None else order_of(tuple(row[9:])),
    )


def lasting_temporaries(connection_: sa.Connection, keys: Iterable[EvseKey]) -> list[StoredTemporary]:
    """Return those of these EVSEs that are neither deleted nor over for good, in the order of their numbers."""
    statement = _LISTED.where(temporary_status.c.evse.in_(list(keys)), temporary_status.c.over.is_(False))
    return [_stored(tuple(row)) for row in connection_.execute(statement).all()]


def find_evses(connection_: sa.Connection, canonical: str) -> dict[EvseId, EvseKey]:
    """Return the inventory's EVSEs with this canonical id; more than one where ids collide."""
    statement = sa.select(evse.c.evse_id, evse.c.id).where(evse.c.canonical == canonical, evse.c.removed_at_w.is_(None))
    return {row[0]: row[1] for row in connection_.execute(statement)}


def temporaries_on(connection_: sa.Connection, key: EvseKey) -> list[tuple[int, Temporary]]:
    """Return number and value of an EVSE's temporary statuses that are neither deleted nor over for good."""
    statement = _LISTED.where(temporary_status.c.evse == key, temporary_status.c.over.is_(False))
    return [(row[0], _temporary(list(row[3:7]))) for row in connection_.execute(statement).all()]


# --- writing --------------------------------------------------------------------------------------------------------


def insert_temporary(connection_: sa.Connection, key: EvseKey, wish: Temporary, *, now: datetime, by: str) -> int:
    """Store a new one and return its number, which was never given before."""
    copies_of(connection_).drop_evses([key])
    number = take_numbers(connection_, "temporary_id", 1)
    values = {**_values(wish), "id": number, "evse": key, "created_at_w": to_micros(now), "created_by": by}
    connection_.execute(sa.insert(temporary_status).values(values))
    return number


def update_temporary(connection_: sa.Connection, stored: StoredTemporary, wish: Temporary) -> None:
    """Store other values; one that was over for good is looked at again."""
    copies_of(connection_).drop_evses([stored.evse])
    connection_.execute(
        sa.update(temporary_status)
        .where(temporary_status.c.id == stored.number)
        .values({**_values(wish), "over": False, "over_at_w": None})
    )


def delete_temporary(connection_: sa.Connection, stored: StoredTemporary, now: datetime) -> None:
    """Mark it as deleted: it is neither loaded nor listed any more."""
    copies_of(connection_).drop_evses([stored.evse])
    connection_.execute(
        sa.update(temporary_status)
        .where(temporary_status.c.id == stored.number)
        .values(removed_at_w=to_micros(now), over=True, over_at_w=to_micros(now))
    )


def _values(wish: Temporary) -> dict[str, Any]:
    return {
        "kind": wish.kind.value,
        "valid_from_w": to_micros(wish.valid_from),
        "valid_to_w": to_micros(wish.valid_to),
        "enforce": wish.enforce,
    }


# --- the passing of time --------------------------------------------------------------------------------------------


def close_over(connection_: sa.Connection, ended_before: datetime, limit: int) -> int:
    """Load up to `limit` of those that ended before this wall time no more; return how many they were."""
    ended = (
        sa.select(temporary_status.c.id)
        .where(temporary_status.c.over.is_(False), temporary_status.c.valid_to_w < to_micros(ended_before))
        .limit(limit)
    )
    return _mark(connection_, temporary_status.c.id.in_(ended), over=True)


def reopen(connection_: sa.Connection, ended_before: datetime) -> None:
    """Load again those that had not ended at this wall time: the clock was set back beyond their end."""
    kept = sa.and_(
        temporary_status.c.over.is_(True),
        temporary_status.c.removed_at_w.is_(None),
        temporary_status.c.valid_to_w >= to_micros(ended_before),
    )
    _mark(connection_, kept, over=False)


def _mark(connection_: sa.Connection, which: sa.ColumnElement[bool], *, over: bool) -> int:
    over_at = temporary_status.c.valid_to_w if over else sa.null()
    statement = (
        sa.update(temporary_status).where(which).values(over=over, over_at_w=over_at).returning(temporary_status.c.evse)
    )
    touched: list[EvseKey] = list(connection_.execute(statement).scalars())
    copies_of(connection_).drop_evses(touched)
    return len(touched)


def evses_with_temporaries(connection_: sa.Connection) -> list[EvseKey]:
    """Return the EVSEs that have a temporary status which is not over for good."""
    statement = sa.select(temporary_status.c.evse).where(temporary_status.c.over.is_(False)).distinct()
    return list(connection_.execute(statement.order_by(temporary_status.c.evse)).scalars())
