"""Which stations a page shows, in which order, and how many rows that costs, in both databases."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from bridge.core.station_problems import StationProblem
from bridge.store.engine import Store
from bridge.store.station_search import FoundStations, StationSearch, search_stations
from bridge.store.tables import connection, evse, station
from csms.events import StationId

MUTE = {"silent": (StationId("E-mute"),)}


def _station(conn: sa.Connection, name: str, connected: bool | None = True, **members: Any) -> None:
    """`connected` None: it never was."""
    told = {"vendor": "Alfen", "model": "NG910"} | members
    conn.execute(sa.insert(station).values(id=name, id_folded=name.casefold(), security=0, **told))
    if connected is not None:
        opened = {"node": "n", "epoch": 1, "version": "ocpp1.6", "remote": "::1", "opened_at": 1, "heard_at": 1}
        conn.execute(sa.insert(connection).values(station=name, closed_at=None if connected else 2, **opened))


@pytest.fixture
def five(store: Store) -> Store:
    with store.engine.begin() as conn:
        _station(conn, "B-well")
        _station(conn, "a-well", vendor="ABB", model="Terra 100%")
        _station(conn, "C-away", connected=False)
        _station(conn, "D-new", connected=None, vendor="")
        _station(conn, "E-mute")
        _station(conn, "F-gone", removed_at_w=1, vendor="Gone")
        key = {"evse_id": "DE*ABC*E1", "canonical": "DEABCE1", "operator": "acme"}
        conn.execute(sa.insert(evse).values(station="B-well", **key))
    return store


async def found(store: Store, **search: Any) -> FoundStations:
    async with store.read() as conn:
        return await search_stations(conn, StationSearch(**(MUTE | search)))


def names(page: FoundStations) -> list[str]:
    return [row.station for row, _ in page.stations]


async def test_stations_with_problems_come_first_and_then_by_id(five: Store) -> None:
    page = await found(five)
    assert [(row.station, problem) for row, problem in page.stations] == [
        ("C-away", StationProblem.OFFLINE),
        ("E-mute", StationProblem.SILENT),
        ("D-new", StationProblem.NEVER_CONNECTED),
        ("a-well", None),
        ("B-well", None),
    ]
    assert (page.count, page.problems, page.vendors) == (5, 3, ("ABB", "Alfen"))
    assert [row.evses for row, _ in page.stations] == [0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        pytest.param({"problems": True}, ["C-away", "E-mute", "D-new"], id="problems-only"),
        pytest.param({"vendor": "ABB"}, ["a-well"], id="vendor"),
        pytest.param({"part": "WELL"}, ["a-well", "B-well"], id="part-of-an-id-in-any-case"),
        pytest.param({"part": "terra"}, ["a-well"], id="part-of-a-model"),
        pytest.param({"part": "0%"}, ["a-well"], id="a-percent-sign-is-a-letter"),
        pytest.param({"part": "b_"}, [], id="an-underscore-is-a-letter"),
        pytest.param({"part": "nothing"}, [], id="none"),
        pytest.param({"connected": True}, ["E-mute", "a-well", "B-well"], id="connected"),
        pytest.param({"connected": False}, ["C-away", "D-new"], id="away"),
        pytest.param({"version": "ocpp2.1"}, [], id="version"),
        pytest.param({"silent": ()}, ["C-away", "D-new", "a-well", "B-well", "E-mute"], id="nobody-is-silent"),
        pytest.param({"silent": ("C-away", "D-new")}, ["C-away", "D-new", "a-well", "B-well", "E-mute"], id="not-now"),
    ],
)
async def test_stations_are_chosen(five: Store, search: dict[str, Any], expected: list[str]) -> None:
    page = await found(five, **search)
    assert names(page) == expected
    assert page.count == len(expected)


async def test_pages_join_to_the_whole(five: Store) -> None:
    pages = [await found(five, offset=offset, limit=2) for offset in (0, 2, 4, 6)]
    assert [names(page) for page in pages] == [["C-away", "E-mute"], ["D-new", "a-well"], ["B-well"], []]
    assert {(page.count, page.problems) for page in pages} == {(5, 3)}


async def test_a_page_costs_its_own_rows_however_many_stations_there_are(store: Store) -> None:
    with store.engine.begin() as conn:
        for number in range(300):
            _station(conn, f"CS-{number:03}", connected=None)
    asked: list[str] = []
    async with store.read() as reading:
        sync = reading.sync_connection
        assert sync is not None
        sa.event.listen(sync, "before_cursor_execute", lambda *told: asked.append(told[2]))
        page = await search_stations(reading, StationSearch(offset=200, limit=50))
    assert len([text for text in asked if text != "BEGIN"]) == 3
    assert (len(page.stations), page.count) == (50, 300)
    assert names(page)[0] == "CS-200"


async def test_the_vendors_to_choose_from_stay_when_one_is_chosen(five: Store) -> None:
    assert (await found(five, vendor="ABB", part="x", problems=True)).vendors == ("ABB", "Alfen")
