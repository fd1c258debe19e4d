"""Read the id and the effective status of every EVSE, and nothing else: what a page for everybody is made of.

Never writes. One statement, whose rows are taken a part at a time: the event loop is free between two parts. Before
it: `app.overview_services`. Beside it: `evse_search`, which finds some of them by more.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.core.model import EvseStatus
from bridge.store.readings import SHOWN
from bridge.store.tables import evse, evse_state

_AT_ONCE = 1000
_STATUSES = (
    sa.select(evse.c.evse_id, sa.func.coalesce(evse_state.c.status, EvseStatus.UNKNOWN.value))
    .select_from(evse.outerjoin(evse_state, evse_state.c.evse == evse.c.id))
    .where(SHOWN)
    .order_by(evse.c.evse_id)
)


async def read_statuses(conn: AsyncConnection) -> list[tuple[str, str]]:
    """Return (EVSE id, effective status) in the order of the ids; which EVSEs, as in `readings.read_evses`."""
    found: list[tuple[str, str]] = []
    async with conn.stream(_STATUSES) as result:
        async for part in result.partitions(_AT_ONCE):
            found += map(tuple, part)
    return found
