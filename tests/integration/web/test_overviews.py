"""What pages show at a glance is of one moment, and many windows cost one read, in both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from real_services import real_services, rows

from bridge.app.services import StoreServices
from bridge.core.model import EvseStatus
from bridge.store.engine import Store
from bridge.store.tables import connection, evse_state
from bridge.store.transaction import Transaction
from bridge.store.writer import Writer
from bridge.web.evse_query import EvseQuery
from bridge.web.overview_services import EvseHome
from bridge.web.services import NotFound, WrongCursor
from bridge.web.shapes import ImportRequest

FAULTED = EvseQuery(statuses=(EvseStatus.FAULTED,))


@pytest.fixture
async def services(store: Store, writer: Writer, tmp_path: Path) -> StoreServices:
    found = real_services(store, writer, tmp_path)
    await found.import_inventory(ImportRequest(csv=rows(30)))
    return found


@contextmanager
def asked(part: str) -> Iterator[list[str]]:
    """The statements of any database that have this part."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if part in statement:
            found.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def _written(conn: Transaction, orders: Sequence[Callable[[Transaction], object]]) -> list[None]:
    for order in orders:
        order(conn)
    return [None] * len(orders)


def _fault(conn: Transaction, below: int) -> None:
    status = sa.case((evse_state.c.evse <= below, "faulted"), else_="available")
    conn.execute(sa.update(evse_state).values(status=status))


async def test_counters_and_the_list_below_them_are_of_one_moment(services: StoreServices, writer: Writer) -> None:
    async def change() -> None:
        for number in range(200):
            await writer.submit(_written, partial(_fault, below=number % 20))

    changing = asyncio.create_task(change())
    seen = set()
    while not changing.done():
        found = await services.overviews.evses(FAULTED)
        assert len(found.page.items) == found.counts.statuses.get("faulted", 0)
        seen.add(len(found.page.items))
    await changing
    assert len(seen) > 1


async def test_ten_windows_at_once_cost_two_reads_whatever_they_are_filtered_by(services: StoreServices) -> None:
    queries = [EvseQuery(sort="problems"), FAULTED, EvseQuery(sort="problems"), EvseQuery(problems=True)]
    with asked("AS offline") as counted, asked("AS rank") as searched:
        found = await asyncio.gather(*(services.overviews.evses(queries[number % 4]) for number in range(10)))
    assert [each.counts.evses for each in found] == [30] * 10
    assert [len(each.page.items) for each in found] == [30, 0, 30, 30, 30, 0, 30, 30, 30, 0]
    assert len(counted) == 2
    assert len(searched) == 4


async def test_everybody_is_counted_what_they_may_see_and_no_other(services: StoreServices) -> None:
    mine, others = frozenset({"acme"}), frozenset({"other"})
    found = await asyncio.gather(
        *(services.overviews.evses(EvseQuery(operators=operators)) for operators in (None, mine, others))
    )
    assert [each.counts.evses for each in found] == [30, 30, 0]
    assert [len(each.page.items) for each in found] == [30, 30, 0]
    assert [len(each.upstreams) for each in found] == [3, 0, 0]


async def test_a_change_is_seen_by_whoever_asks_after_it(services: StoreServices, writer: Writer) -> None:
    for below in (3, 7, 1):
        await writer.submit(_written, partial(_fault, below=below))
        assert (await services.overviews.evses(FAULTED)).counts.statuses["faulted"] == below


async def test_a_wrong_question_spoils_no_answer_of_others(services: StoreServices) -> None:
    wrong = (EvseQuery(account="nobody"), EvseQuery(cursor="x"))
    told = await asyncio.gather(
        *(services.overviews.evses(query) for query in (FAULTED, *wrong, FAULTED)), return_exceptions=True
    )
    assert isinstance(told[1], NotFound)
    assert isinstance(told[2], WrongCursor)
    assert not isinstance(told[0], BaseException)
    assert not isinstance(told[3], BaseException)


async def test_a_long_page_is_read_a_part_at_a_time(services: StoreServices) -> None:
    """Whatever is read in one go keeps the event loop, and so the answers to stations, waiting."""
    await services.import_inventory(ImportRequest(csv=rows(450)))
    with asked("JOIN fact") as parts:
        page = await services.list_evses(EvseQuery(limit=1000))
    assert [item.evse_id for item in page.items] == [f"DE*ABC*E{number:05}" for number in range(1, 451)]
    assert len(parts) == 3


def _connect(conn: Transaction) -> None:
    opened = {"node": "", "epoch": 1, "version": "ocpp1.6", "remote": "", "opened_at": 1, "heard_at": 1}
    conn.execute(sa.insert(connection).values(station="CS-00001", **opened))


async def test_homes_are_whose_each_evse_is_and_whether_its_station_is_connected(
    services: StoreServices, writer: Writer
) -> None:
    moved = rows(2).replace("DE*ABC*E00002,acme", "DE*ABC*E00002,other")
    await services.import_inventory(ImportRequest(csv=moved, prune=True, yes=True))
    await writer.submit(_written, _connect)
    assert await services.overviews.homes() == [
        EvseHome("DE*ABC*E00001", "CS-00001", "acme", connected=True),
        EvseHome("DE*ABC*E00002", "CS-00002", "other", connected=False),
    ]
