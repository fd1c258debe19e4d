"""Store what stations are to be told about the availability of EVSEs because of temporary statuses.

Never decides: `core.availability` does. The rows are part of a station's working copy; `changes.save` writes them.
Before it: `derive` and `bridge.enforcer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bridge.core.availability import Availability, AvailabilityOrder
from bridge.store.bulk import upsert
from bridge.store.micros import from_micros, to_micros
from bridge.store.tables import availability_order, evse
from bridge.store.working_copies import copies_of
from csms.events import StationId

if TYPE_CHECKING:
    from bridge.store.stations import EvseKey

ORDER_COLUMNS = (
    availability_order.c.wanted,
    availability_order.c.wanted_seq,
    availability_order.c.done_seq,
    availability_order.c.made,
    availability_order.c.attempts,
    availability_order.c.not_before,
    availability_order.c.last,
)
_ids: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_ORDERS = (
    sa.select(evse.c.station, availability_order.c.evse, *ORDER_COLUMNS)
    .select_from(availability_order.join(evse, evse.c.id == availability_order.c.evse))
    .where(evse.c.station.in_(_ids))
)
_OPEN = (
    sa.select(evse.c.station, availability_order.c.evse, *ORDER_COLUMNS)
    .select_from(availability_order.join(evse, evse.c.id == availability_order.c.evse))
    .where(availability_order.c.done_seq < availability_order.c.wanted_seq, evse.c.removed_at_w.is_(None))
    .order_by(availability_order.c.attempts, availability_order.c.evse)
)


def order_of(columns: tuple[Any, ...]) -> AvailabilityOrder:
    """Return the row value of the columns `ORDER_COLUMNS`, in that order."""
    return AvailabilityOrder(
        wanted=Availability(columns[0]),
        wanted_seq=columns[1],
        done_seq=columns[2],
        made=columns[3],
        attempts=columns[4],
        not_before=from_micros(columns[5]),
        last=columns[6],
    )


def orders_of(
    connection_: sa.Connection, arguments: Mapping[str, Any]
) -> Iterator[tuple[StationId, int, AvailabilityOrder]]:
    """Yield (station, EVSE, row) for the stations `ids`."""
    for row in connection_.execute(_ORDERS, arguments).all():
        yield row[0], row[1], order_of(tuple(row[2:]))


def open_orders(connection_: sa.Connection) -> list[tuple[StationId, int, AvailabilityOrder]]:
    """Return (station, EVSE, row) of everything that a station is still to be told, the least often tried first."""
    return [(row[0], row[1], order_of(tuple(row[2:]))) for row in connection_.execute(_OPEN).all()]


def clamp_waits(connection_: sa.Connection, latest: int) -> None:
    """Let no row wait beyond `latest` (steady µs): the clock may have been set back while we were down."""
    connection_.execute(
        sa.update(availability_order).where(availability_order.c.not_before > latest).values(not_before=latest)
    )


def forget_orders(connection_: sa.Connection, keys: Iterable[EvseKey]) -> None:
    """Delete the rows of EVSEs that moved: what their old stations were told says nothing about the new ones."""
    rows = [{"key": key} for key in keys]
    if rows:
        copies_of(connection_).drop_evses(row["key"] for row in rows)
        connection_.execute(sa.delete(availability_order).where(availability_order.c.evse == sa.bindparam("key")), rows)


def save_orders(connection_: sa.Connection, orders: Mapping[EvseKey, AvailabilityOrder | None]) -> None:
    """Write rows that working copies hold already; None deletes."""
    gone = [{"key": key} for key, order in orders.items() if order is None]
    if gone:
        connection_.execute(sa.delete(availability_order).where(availability_order.c.evse == sa.bindparam("key")), gone)
    kept = [_values(key, order) for key, order in orders.items() if order is not None]
    if kept:
        upsert(connection_, availability_order, kept)


def _values(key: EvseKey, order: AvailabilityOrder) -> dict[str, Any]:
    return {
        "evse": key,
        "wanted": order.wanted.value,
        "wanted_seq": order.wanted_seq,
        "done_seq": order.done_seq,
        "made": order.made,
        "attempts": order.attempts,
        "not_before": to_micros(order.not_before),
        "last": order.last,
    }
