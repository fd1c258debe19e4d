from __future__ import annotations

import sqlalchemy as sa

from bridge.store.engine import Store
from bridge.store.previews import Totals, totals


async def test_an_evse_without_any_status_counts_as_unknown(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO station (id, id_folded, security) VALUES ('S1', 's1', 0)"))
        connection.execute(
            sa.text(
                "INSERT INTO evse (evse_id, canonical, station, operator) VALUES ('DE*A*E1', 'DEAE1', 'S1', 'acme')"
            )
        )
        assert totals(connection) == Totals(1, 1, {"unknown": 1})
