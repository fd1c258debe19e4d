"""The ids and statuses of all EVSEs are one statement, however many there are, in both databases."""

from __future__ import annotations

import sqlalchemy as sa

from bridge.store.engine import Store
from bridge.store.evse_statuses import read_statuses
from bridge.store.tables import delivery, evse, evse_state, station


def _stock(conn: sa.Connection, count: int) -> None:
    conn.execute(sa.insert(station).values(id="S1", id_folded="s1", security=0))
    names = [f"DE*ABC*E{number:05}" for number in range(count)]
    rows = [{"evse_id": name, "canonical": name, "station": "S1", "operator": "acme"} for name in reversed(names)]
    conn.execute(sa.insert(evse), rows)
    keys = {row.evse_id: row.id for row in conn.execute(sa.select(evse.c.evse_id, evse.c.id))}
    known = {"version": 1, "live": "charging", "rule": "r", "seq": 1}
    conn.execute(sa.insert(evse_state).values(evse=keys["DE*ABC*E00001"], status="charging", **known))
    for name in ("DE*ABC*E00003", "DE*ABC*E00004"):
        conn.execute(sa.update(evse).where(evse.c.evse_id == name).values(removed_at_w=1))
    conn.execute(
        sa.insert(delivery).values(
            account="hubject", evse=keys["DE*ABC*E00004"], desired="", desired_seq=1, desired_at=1
        )
    )


async def test_every_evse_is_read_with_its_status_in_one_statement(store: Store) -> None:
    with store.engine.begin() as connection:
        _stock(connection, 2500)
    asked: list[str] = []
    async with store.read() as connection:
        sync = connection.sync_connection
        assert sync is not None
        sa.event.listen(sync, "before_cursor_execute", lambda *told: asked.append(told[2]))
        found = await read_statuses(connection)
    assert len([text for text in asked if text != "BEGIN"]) == 1
    assert len(found) == 2499
    assert found[:5] == [
        ("DE*ABC*E00000", "unknown"),
        ("DE*ABC*E00001", "charging"),
        ("DE*ABC*E00002", "unknown"),
        ("DE*ABC*E00004", "unknown"),
        ("DE*ABC*E00005", "unknown"),
    ]
    assert found[-1] == ("DE*ABC*E02499", "unknown")
