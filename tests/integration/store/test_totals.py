from __future__ import annotations

import sqlalchemy as sa

from bridge.core.model import AccountName
from bridge.store.engine import Store
from bridge.store.previews import Preview, Totals, preview, totals


async def test_an_evse_without_any_status_counts_as_unknown(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO station (id, id_folded, security) VALUES ('S1', 's1', 0)"))
        connection.execute(
            sa.text(
                "INSERT INTO evse (evse_id, canonical, station, operator) VALUES ('DE*A*E1', 'DEAE1', 'S1', 'acme')"
            )
        )
        assert totals(connection) == Totals(1, 1, {"unknown": 1})


async def test_what_an_account_would_be_sent_is_counted_on_each_kind_of_database(store: Store) -> None:
    """PostgreSQL refuses to group by an expression with a parameter: every preview ended as a 500."""
    with store.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO station (id, id_folded, security) VALUES ('S1', 's1', 0)"))
        for number in (1, 2):
            connection.execute(
                sa.text("INSERT INTO evse (evse_id, canonical, station, operator) VALUES (:id, :id, 'S1', 'acme')"),
                {"id": f"DEAE{number}"},
            )
        connection.execute(
            sa.text(
                "INSERT INTO delivery (account, evse, desired, desired_seq, desired_at, tombstone) "
                "SELECT 'hubject', id, 'Unknown', 1, 1, :no FROM evse"
            ),
            {"no": False},
        )
        found = preview(connection, AccountName("hubject"))
    ids = ("DEAE1", "DEAE2")
    assert found == Preview(total=2, known=0, unknown=0, absent=2, values={"Unknown": 2}, ids=ids, data=0)
