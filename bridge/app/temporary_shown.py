"""Turn stored temporary statuses, and refusals about them, into what is shown. Pure.

Before it: `temporary_services`, `temporary_previews`.
"""

from __future__ import annotations

from bridge.core.availability import AvailabilityOrder
from bridge.core.model import Moment
from bridge.core.temporary import (
    Duplicate,
    EvseAmbiguous,
    EvseUnknown,
    Impossible,
    TemporaryChanged,
    TemporaryRefused,
    TemporaryUnknown,
    phase,
)
from bridge.store.temporary import StoredTemporary
from bridge.web.services import Changed, Conflict, NotFound, ServiceError, ValueRefused
from bridge.web.temporary_shapes import TemporaryItem


def as_service_error(error: TemporaryRefused) -> ServiceError:
    """Return what the web and the command line are told of a refusal."""
    match error:
        case Impossible():
            return ValueRefused(error.field, error.wanted)
        case EvseUnknown():
            return NotFound("EVSE", error.spelling)
        case EvseAmbiguous():
            return ValueRefused("evse_ids", str(error))
        case TemporaryChanged():
            return Changed()
        case Duplicate():
            return Conflict(str(error))
        case TemporaryUnknown():
            return NotFound("temporary status", str(error.number))
        case _:
            raise AssertionError(f"{type(error).__name__} is no refusal that has an answer")


def temporary_item(stored: StoredTemporary, at: Moment) -> TemporaryItem:
    """Return one temporary status as it is shown."""
    temporary = stored.temporary
    return TemporaryItem(
        id=stored.number,
        evse_id=stored.evse_id,
        status=temporary.kind,
        valid_from=temporary.valid_from,
        valid_to=temporary.valid_to,
        phase=phase(temporary, at.now),
        enforce=temporary.enforce,
        created_at=stored.created_at,
        created_by=stored.created_by,
        station=_told(stored.order, at),
    )


def _told(order: AvailabilityOrder | None, at: Moment) -> str:
    """Say what the EVSE's station is told because of temporary statuses, and how far that is."""
    if order is None:
        return ""
    if not order.open:
        return order.last
    waits = order.not_before is not None and order.not_before > at.steady
    tried = f"; last {order.last}" if order.last else ""
    again = f"; again at {order.not_before:%H:%M:%S} UTC" if waits else ""
    return f"to be made {order.wanted.value.lower()}{tried}{again}"
