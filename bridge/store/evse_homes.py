"""Read of every EVSE whose it is and where it stands, and nothing else: what the forms choose from.

Never writes. One statement, whose rows are taken a part at a time: the event loop is free between two parts. Before
it: `app.overview_services`. Beside it: `evse_statuses`.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.store.station_readings import CONNECTED
from bridge.store.tables import connection, evse

_AT_ONCE = 1000
_HOMES = (
    sa.select(evse.c.evse_id, evse.c.station, evse.c.operator, CONNECTED)
    .select_from(evse.outerjoin(connection, connection.c.station == evse.c.station))
    .where(evse.c.removed_at_w.is_(None))
    .order_by(evse.c.evse_id)
)


async def read_homes(conn: AsyncConnection) -> list[tuple[str, str, str, bool]]:
    """Return (EVSE id, station, operator, whether it is connected) in the order of the ids."""
    found: list[tuple[str, str, str, bool]] = []
    async with conn.stream(_HOMES) as result:
        async for part in result.partitions(_AT_ONCE):
            found += [(row[0], row[1], row[2], bool(row[3])) for row in part]
    return found
