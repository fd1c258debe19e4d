"""Read the credentials that cost 60 ms each to compare, so that they can be compared before the writer's turn.

Never compares and never writes. Before it: `bridge.app.prepared_keys`. Beside it: `inventory`, whose import asks for
the same comparisons.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from bridge.store.tables import station
from csms.events import StationId
from csms.records import Credential


def slow_credentials(conn: sa.Connection) -> Mapping[StationId, Sequence[Credential]]:
    """Return of each station that has any the present and the retired credential that are kept by the slow hash."""
    found: dict[StationId, list[Credential]] = defaultdict(list)
    for name in ("key", "retired"):
        slow, salt, digest = (station.c[f"{name}_{column}"] for column in ("slow", "salt", "digest"))
        for row in conn.execute(sa.select(station.c.id, salt, digest).where(slow, digest.is_not(None))):
            found[StationId(row[0])].append(Credential(row[1], row[2], slow=True))
    return found
