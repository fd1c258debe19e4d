from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bridge.core.model import EvseStatus
from bridge.store.engine import Store
from bridge.store.lane_readings import read_lanes
from bridge.store.readings import read_evses
from bridge.store.station_readings import read_station, read_station_page
from bridge.store.tables import (
    charging,
    connection,
    connector,
    delivery,
    evse,
    evse_state,
    fact,
    history,
    lane,
    station,
)
from csms.events import ConnectorAddress

STEADY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STEADY_US = 1_795_262_400_000_000
MINUTE_US = 60_000_000


def fact_row(station_id: str, ocpp_evse: int, ocpp_connector: int, status: str) -> dict[str, Any]:
    return {
        "station": station_id,
        "ocpp_evse": ocpp_evse,
        "ocpp_connector": ocpp_connector,
        "status": status,
        "seq": 1,
        "epoch": 1,
        "received_at": STEADY_US,
        "reported_at": "1970-01-01T00:00:00Z",
        "source": "StatusNotification",
    }


def delivery_row(account: str, key: int, **columns: Any) -> dict[str, Any]:
    values = {
        "account": account,
        "evse": key,
        "desired": "Available",
        "desired_seq": 2,
        "desired_at": STEADY_US - 5 * MINUTE_US,
        "acked": "Available",
        "acked_seq": 2,
        "refused": None,
        "doubt_until": None,
    }
    return values | columns


@pytest.fixture
def filled(store: Store) -> Store:
    """Two stations: A (1.6) with one EVSE of two connectors and one never heard of, B (2.0.1) with one EVSE."""
    with store.engine.begin() as conn:
        stations = [{"id": "A", "id_folded": "a", "security": 1}, {"id": "B", "id_folded": "b", "security": 0}]
        conn.execute(sa.insert(station), stations)
        conn.execute(
            sa.insert(evse),
            [
                {"id": 1, "evse_id": "DE*ABC*E1", "canonical": "1", "station": "A", "operator": "north"},
                {"id": 2, "evse_id": "DE*ABC*E2", "canonical": "2", "station": "A", "operator": "north"},
                {"id": 3, "evse_id": "DE*ABC*E3", "canonical": "3", "station": "B", "operator": "south"},
            ],
        )
        conn.execute(
            sa.insert(connector),
            [
                {"station": "A", "ocpp_evse": 0, "ocpp_connector": 1, "evse": 1},
                {"station": "A", "ocpp_evse": 0, "ocpp_connector": 2, "evse": 1},
                {"station": "A", "ocpp_evse": 0, "ocpp_connector": 3, "evse": 2},
                {"station": "B", "ocpp_evse": 1, "ocpp_connector": 1, "evse": 3},
            ],
        )
        conn.execute(
            sa.insert(fact),
            [
                fact_row("A", 0, 0, "Available"),
                fact_row("A", 0, 1, "Charging"),
                fact_row("A", 0, 2, "Faulted"),
                fact_row("B", 1, 0, "Occupied"),
                fact_row("B", 2, 1, "Reserved"),
            ],
        )
        conn.execute(
            sa.insert(charging).values(
                station="B", ocpp_evse=1, transaction="t", seq_no=3, state="Charging", seq=9, received_at=STEADY_US
            )
        )
        conn.execute(
            sa.insert(evse_state).values(
                evse=1, version=1, status="maintenance", live="charging", rule="temporary", changed_at_w=STEADY_US
            )
        )
        conn.execute(
            sa.insert(delivery),
            [
                delivery_row("hubject", 1),
                delivery_row("hubject", 2, acked_seq=1, doubt_until=STEADY_US),
                delivery_row("hubject", 3, acked_seq=1, desired_at=STEADY_US - 9 * MINUTE_US, refused="code 018"),
                delivery_row("chargeprice", 1, acked=None, acked_seq=0),
            ],
        )
        conn.execute(sa.insert(lane), [{"account": "hubject", "mode": "live"}, {"account": "idle", "mode": None}])
        opened = {"node": "n", "epoch": 3, "version": "ocpp1.6", "remote": "127.0.0.1", "opened_at": STEADY_US}
        conn.execute(sa.insert(connection).values(station="A", heard_at=STEADY_US, **opened))
        changes = [
            {"id": n + 1, "evse": 1, "at_w": n, "status": "available", "live": "available", "seq": n} for n in range(5)
        ]
        conn.execute(sa.insert(history), [change | {"rule": f"rule {change['seq']}"} for change in changes])
    return store


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    engine = store._reads.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", note)


async def test_an_evse_shows_what_was_reported_what_counts_and_what_each_hub_has(filled: Store) -> None:
    async with filled.read() as conn:
        first, second, third = await read_evses(conn, STEADY)
    assert (first.evse_id, first.station, first.operator, first.removed) == ("DE*ABC*E1", "A", "north", False)
    assert first.connectors == (ConnectorAddress(0, 1), ConnectorAddress(0, 2))
    assert (first.status, first.live, first.rule) == (EvseStatus.MAINTENANCE, EvseStatus.CHARGING, "temporary")
    assert first.changed_at == STEADY
    assert [(f.evse, f.connector, f.status) for f in first.facts] == [
        (0, 0, "Available"),
        (0, 1, "Charging"),
        (0, 2, "Faulted"),
    ]
    assert [(d.account, d.acked, d.lag) for d in first.deliveries] == [
        ("chargeprice", None, timedelta(minutes=5)),
        ("hubject", "Available", None),
    ]
    assert (second.status, second.changed_at, [f.connector for f in second.facts]) == (EvseStatus.UNKNOWN, None, [0])
    assert second.deliveries[0].in_doubt
    assert [(f.evse, f.connector, f.status) for f in third.facts] == [(1, 0, "Occupied")]
    assert (third.charging_state, third.deliveries[0].refused) == ("Charging", "code 018")


async def test_evses_are_read_by_id_by_station_and_by_key(filled: Store) -> None:
    async with filled.read() as conn:
        assert [e.evse_id for e in await read_evses(conn, STEADY, evse_id="DE*ABC*E2")] == ["DE*ABC*E2"]
        assert [e.evse_id for e in await read_evses(conn, STEADY, station_id="B")] == ["DE*ABC*E3"]
        page = await read_evses(conn, STEADY, keys=[2])
    assert [e.evse_id for e in page] == ["DE*ABC*E2"]
    assert page[0].deliveries[0].account == "hubject"


async def test_a_removed_evse_is_shown_while_a_hub_has_to_be_told(filled: Store) -> None:
    with filled.engine.begin() as conn:
        conn.execute(sa.update(evse).where(evse.c.id.in_([2, 3])).values(removed_at_w=STEADY_US))
        conn.execute(sa.delete(delivery).where(delivery.c.evse == 3))
    async with filled.read() as conn:
        assert [(e.evse_id, e.removed) for e in await read_evses(conn, STEADY)] == [
            ("DE*ABC*E1", False),
            ("DE*ABC*E2", True),
        ]


async def test_reading_all_evses_takes_as_many_statements_as_reading_one(filled: Store) -> None:
    with statements(filled) as seen:
        async with filled.read() as conn:
            await read_evses(conn, STEADY, evse_id="DE*ABC*E1")
            one = len(seen)
            await read_evses(conn, STEADY)
    assert one == 5
    assert len(seen) == 2 * one


async def test_lanes_show_how_their_rows_stand(filled: Store) -> None:
    async with filled.read() as conn:
        hubject, idle = await read_lanes(conn, STEADY)
    assert (hubject.account, hubject.mode) == ("hubject", "live")
    assert (hubject.rows, hubject.dirty, hubject.refused, hubject.in_doubt) == (3, 2, 1, 1)
    assert hubject.lag == timedelta(minutes=9)
    assert (idle.rows, idle.dirty, idle.lag) == (0, 0, None)


async def test_stations_show_their_connection(filled: Store) -> None:
    async with filled.read() as conn:
        a, b = await read_station_page(conn)
        assert await read_station(conn, "b") == b
        assert await read_station(conn, "C") is None
    assert (a.station, a.connected, a.version, a.remote, a.evses) == ("A", True, "ocpp1.6", "127.0.0.1", 2)
    assert (b.station, b.connected, b.version, b.heard_at, b.evses) == ("B", False, None, None, 1)


async def silence(store: Store, minutes_ago: dict[str, int | None]) -> timedelta | None:
    """Return how long hubject's lane has been silent, with these moments of EVSE 1's row (None: none, 0: at once)."""
    values = {name: None if ago is None else ago and STEADY_US - ago * 60_000_000 for name, ago in minutes_ago.items()}
    with store.engine.begin() as conn:
        conn.execute(sa.update(delivery).values(due_at=None, attempted_at=None))
        conn.execute(sa.update(delivery).where(delivery.c.account == "hubject", delivery.c.evse == 1).values(**values))
    async with store.read() as conn:
        return (await read_lanes(conn, STEADY))[0].silent


async def test_a_lane_is_silent_since_a_row_is_due_or_since_it_sent_last(filled: Store) -> None:
    minutes = timedelta(minutes=1)
    assert await silence(filled, {"due_at": 0, "desired_at": 30, "attempted_at": None}) == 30 * minutes
    assert await silence(filled, {"due_at": 0, "desired_at": 30, "attempted_at": 20}) == 20 * minutes
    assert await silence(filled, {"due_at": 2, "desired_at": 3000, "attempted_at": 2000}) == 2 * minutes
    assert await silence(filled, {"due_at": -2, "desired_at": 3000, "attempted_at": 2000}) is None
    assert await silence(filled, {"due_at": None, "desired_at": 3000, "attempted_at": 2000}) is None
