"""Filters and order of EVSEs, in both databases, against what each EVSE says of itself."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from real_services import HEAD, real_services, rows

from bridge.app.services import StoreServices
from bridge.core.model import EvseStatus
from bridge.store.engine import Store
from bridge.store.tables import connection, delivery, evse, evse_state, lane, station
from bridge.store.transaction import Transaction
from bridge.store.writer import Writer
from bridge.web.evse_query import EvseQuery
from bridge.web.page import Page
from bridge.web.services import NotFound, ValueRefused, WrongCursor
from bridge.web.shapes import EvseItem, ImportRequest
from bridge.web.temporary_shapes import TemporaryWish

FUTURE = 4_000_000_000_000_000
OPENED = {"node": "n", "epoch": 1, "version": "ocpp1.6", "remote": "::1", "opened_at": 1, "heard_at": 1}


@pytest.fixture
async def services(store: Store, writer: Writer, tmp_path: Path) -> StoreServices:
    return real_services(store, writer, tmp_path)


def _written(conn: Transaction, orders: Sequence[Callable[[Transaction], None]]) -> list[None]:
    for order in orders:
        order(conn)
    return [None] * len(orders)


async def stock(services: StoreServices, writer: Writer, seed: int, count: int = 60) -> None:
    """EVSEs in every state that there is, by chance."""
    lines = [
        f"{'cs' if number % 2 else 'CP'}_{number:02},1.6,,insecure,,1,DE*ABC*E{number:02}*1,{chosen}\n"
        for number, chosen in enumerate(random.Random(seed).choices(["acme", "other"], k=count))
    ]
    await services.import_inventory(ImportRequest(csv=HEAD + "".join(lines)))
    await writer.submit(_written, partial(_chance, choose=random.Random(seed + 1)))


def _chance(conn: Transaction, choose: random.Random) -> None:
    conn.execute(sa.delete(delivery))
    for key, station_id in conn.execute(sa.select(evse.c.id, evse.c.station).order_by(evse.c.id)).all():
        status = choose.choice([*EvseStatus])
        conn.execute(sa.update(evse_state).where(evse_state.c.evse == key).values(status=status.value))
        if choose.random() < 0.3:
            conn.execute(sa.update(station).where(station.c.id == station_id).values(unreachable_at=1))
        if choose.random() < 0.5:
            closed = choose.choice([None, 2])
            conn.execute(sa.insert(connection).values(station=station_id, closed_at=closed, **OPENED))
        for account in ("hubject", "held", "chargeprice", "forgotten"):
            if choose.random() < 0.7:
                conn.execute(sa.insert(delivery).values(_delivery(choose, account, key)))
    conn.execute(sa.delete(lane))
    for name, mode, held in (("hubject", "live", None), ("held", "live", "no contract"), ("chargeprice", "off", None)):
        conn.execute(sa.insert(lane).values(account=name, mode=mode, held=held))


def _delivery(choose: random.Random, account: str, key: int) -> dict[str, Any]:
    return {
        "account": account,
        "evse": key,
        "desired": "Available",
        "desired_seq": 2,
        "desired_at": 1,
        "acked_seq": choose.choice([1, 2]),
        "refused": choose.choice([None, None, "code 018"]),
        "not_before": choose.choice([None, 1, FUTURE]),
    }


async def everything(services: StoreServices, query: EvseQuery) -> list[EvseItem]:
    """All pages of seven."""
    query, found = replace(query, limit=7), []
    while True:
        page = await services.list_evses(query)
        found += page.items
        if page.next_cursor is None:
            return found
        assert len(page.items) == 7
        query = replace(query, cursor=page.next_cursor)


def _state(item: EvseItem, account: str) -> str | None:
    return item.deliveries[account].state if account in item.deliveries else None


def ids(items: list[EvseItem]) -> list[str]:
    return [item.evse_id for item in items]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_filter_lets_pass_what_says_so_of_itself(
    services: StoreServices, writer: Writer, seed: int
) -> None:
    await stock(services, writer, seed)
    all_items = await everything(services, EvseQuery())
    assert len(all_items) == 60
    for state in ("agreed", "pending", "deferred", "refused", "held", "off"):
        at_any = [item for item in all_items if state in {each.state for each in item.deliveries.values()}]
        assert at_any, state
        assert ids(await everything(services, EvseQuery(states=(state,)))) == ids(at_any)
        for account in ("hubject", "held", "chargeprice"):
            there = [
                item for item in all_items if account in item.deliveries and item.deliveries[account].state == state
            ]
            assert ids(await everything(services, EvseQuery(account=account, states=(state,)))) == ids(there)
    for status in EvseStatus:
        expected = [item for item in all_items if item.effective == status]
        assert ids(await everything(services, EvseQuery(statuses=(status,)))) == ids(expected)
    both = [item for item in all_items if item.effective in ("faulted", "unknown")]
    assert ids(await everything(services, EvseQuery(statuses=(EvseStatus.FAULTED, EvseStatus.UNKNOWN)))) == ids(both)
    for wrong in (True, False):
        expected = [item for item in all_items if bool(item.problems) is wrong]
        assert 0 < len(expected) < 60
        assert ids(await everything(services, EvseQuery(problems=wrong))) == ids(expected)
    assert {problem for item in all_items for problem in item.problems} == {
        "refused",
        "held",
        "faulted",
        "unreachable",
        "unknown",
    }


async def test_problems_come_first_and_the_most_urgent_on_top(services: StoreServices, writer: Writer) -> None:
    await stock(services, writer, 4)
    urgency = ["refused", "held", "faulted", "unreachable", "unknown"]
    items = await everything(services, EvseQuery(sort="problems"))
    places = [urgency.index(item.problems[0]) if item.problems else 5 for item in items]
    assert len(items) == 60
    assert [(place, item.evse_id) for place, item in zip(places, items, strict=True)] == sorted(
        (place, item.evse_id) for place, item in zip(places, items, strict=True)
    )
    assert places[0] == 0
    assert places[-1] == 5


async def test_station_operator_connection_and_parts_of_ids_choose(
    services: StoreServices, writer: Writer, store: Store
) -> None:
    await stock(services, writer, 5)
    all_items = await everything(services, EvseQuery())
    assert ids(await everything(services, EvseQuery(station="CS_07"))) == ["DE*ABC*E07*1"]
    acme = [item for item in all_items if item.operator == "acme"]
    assert ids(await everything(services, EvseQuery(operator="acme"))) == ids(acme)
    assert ids(await everything(services, EvseQuery(operators=frozenset({"acme"})))) == ids(acme)
    assert await everything(services, EvseQuery(operator="other", operators=frozenset({"acme"}))) == []
    async with store.read() as conn:
        found = await conn.execute(sa.select(connection.c.station).where(connection.c.closed_at.is_(None)))
        live = set(found.scalars())
    for connected, count in ((True, len(live)), (False, 60 - len(live))):
        found = await everything(services, EvseQuery(connected=connected))
        assert [item.station in live for item in found] == [connected] * count
    for part, expected in {
        "e07": ["DE*ABC*E07*1"],
        "deabce071": ["DE*ABC*E07*1"],
        "CS_0": [f"DE*ABC*E{number:02}*1" for number in (1, 3, 5, 7, 9)],
        "cs%": [],
        "C_5": [],
        "*07*": ["DE*ABC*E07*1"],
        "nothing": [],
        "\\": [],
    }.items():
        assert ids(await everything(services, EvseQuery(q=part))) == expected, part


async def test_one_evse_is_found_in_any_spelling(services: StoreServices) -> None:
    csv = HEAD + "one,1.6,,insecure,,1,DE*ABC*E5*11,acme\none,,,,,2,DE*ABC*E51*1,acme\none,,,,,3,DE*ABC*E7,acme\n"
    await services.import_inventory(ImportRequest(csv=csv))
    for spelling in ("DE*ABC*E7", "de*abc*e7", "DEABCE7", "de-abc-e7"):
        assert (await services.get_evse(spelling)).evse_id == "DE*ABC*E7"
    assert (await services.get_evse("de*abc*e5*11")).evse_id == "DE*ABC*E5*11"
    with pytest.raises(ValueRefused, match=r"DE\*ABC\*E5\*11"):
        await services.get_evse("DEABCE511")
    for unknown in ("DE*ABC*E8", "", "%", "ü"):
        with pytest.raises(NotFound):
            await services.get_evse(unknown)


async def test_a_cursor_that_no_page_gave_is_refused(services: StoreServices) -> None:
    of_another_list, of_one_with_null = "WyJvdGhlciIsIDAsICJ4Il0", "WyJldnNlcyBieSBpZCIsIG51bGwsICJ4Il0"
    for cursor in ("", "x", "DE*ABC*E1", "bnVsbA", "W10", of_another_list, of_one_with_null, "é", "A" * 5000):
        with pytest.raises(WrongCursor, match="leave it out for the first page"):
            await services.list_evses(EvseQuery(cursor=cursor))
        with pytest.raises(WrongCursor):
            await services.list_inventory(Page(10, cursor))


async def test_the_cursor_of_another_order_is_refused(services: StoreServices) -> None:
    await services.import_inventory(ImportRequest(csv=rows(3)))
    cursor = (await services.list_evses(EvseQuery(limit=1))).next_cursor
    with pytest.raises(WrongCursor):
        await services.list_evses(EvseQuery(limit=1, sort="problems", cursor=cursor))


async def test_an_account_that_is_not_there_is_named(services: StoreServices) -> None:
    with pytest.raises(NotFound, match="there is no account 'nobody'"):
        await services.list_evses(EvseQuery(account="nobody"))


async def test_every_list_comes_in_pages_that_join_to_the_whole(services: StoreServices) -> None:
    await services.import_inventory(ImportRequest(csv=rows(5)))
    wish = TemporaryWish.model_validate_json(
        '{"evse_ids": ["DE*ABC*E00001", "DE*ABC*E00002", "DE*ABC*E00003"], "status": "BLOCKED"}'
    )
    await services.temporaries.create(wish, by="admin")
    lists = {
        "inventory": services.list_inventory,
        "connectors": services.list_connectors,
        "temporary": lambda page=None: services.temporaries.list(None, "current", page),
    }
    for name, ask in lists.items():
        whole = (await ask()).items
        assert len(whole) == (3 if name == "temporary" else 5)
        first = await ask(Page(2))
        second = await ask(Page(2, first.next_cursor))
        rest = await ask(Page(2, second.next_cursor)) if second.next_cursor else None
        assert (*first.items, *second.items, *(rest.items if rest else ())) == whole, name


async def test_a_page_of_temporary_statuses_is_read_without_all_that_are_over(services: StoreServices) -> None:
    await services.import_inventory(ImportRequest(csv=rows(5)))
    ids = [f"DE*ABC*E0000{number}" for number in range(1, 6)]
    wish = TemporaryWish.model_validate_json(json.dumps({"evse_ids": ids, "status": "BLOCKED"}))
    made = (await services.temporaries.create(wish, by="admin")).items
    await services.temporaries.end([item.id for item in made[:3]])
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        current = await services.temporaries.list(None, "current")
        page = await services.temporaries.list(None, "all", Page(2))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert [item.evse_id for item in current.items] == ids[3:]
    assert [item.evse_id for item in page.items] == ids[3:]
    conditions = [text.partition("WHERE")[2] for text in asked if "temporary_status" in text]
    assert [("over" in text, "LIMIT" in text) for text in conditions] == [(True, False), (False, True)]


async def test_ten_thousand_evses_stay_quick(services: StoreServices, writer: Writer) -> None:
    await services.import_inventory(ImportRequest(csv=rows(10_000)))
    some = sa.update(evse_state).where(evse_state.c.evse % 3 == 0).values(status="available")
    desired = sa.select(sa.literal("hubject"), evse.c.id, sa.literal("Available"), sa.literal(1), sa.literal(1))
    columns = ["account", "evse", "desired", "desired_seq", "desired_at"]
    for order in (some, sa.delete(delivery), sa.insert(delivery).from_select(columns, desired)):
        await writer.submit(_written, lambda conn, order=order: conn.execute(order))
    for query in (
        EvseQuery(),
        EvseQuery(sort="problems"),
        EvseQuery(states=("pending",), sort="problems"),
        EvseQuery(q="e0999"),
    ):
        started = time.monotonic()
        page = await asyncio.wait_for(services.list_evses(query), 10)
        assert page.items
        assert time.monotonic() - started < 2


EVERYTHING = """\
station,version,default_version,key,security,certificate_name,compression,ping_seconds,quirks,layer0,strict,\
evse,connector,evse_id,operator,chargeprice_station,chargeprice_point,spirii
"a, b",1.6,1.6,0123456789abcdef,1,,on,0,none,source,true,,1,DE*ABC*E1,acme,st 1,cp 1,true
"a, b",1.6,,,,,,,,,,,2,DE*ABC*E1,acme,,,
two,2.1,2.1,,3,common name,off,77,,ignore,,1,1,DE*ABC*E2,other,,,
two,2.1,,,,,,,,,,2,1,DE*ABC*E3,other,,,
three,2.0.1,,,insecure,,,,,,,1,2,DE*ABC*E4,acme,,,
"""


async def test_what_is_exported_changes_nothing_when_it_is_imported_again(services: StoreServices) -> None:
    await services.import_inventory(ImportRequest(csv=EVERYTHING))
    exported = await services.export_inventory()
    assert "0123456789abcdef" not in exported
    assert "Keys are not written" in exported.splitlines()[0]
    report = await services.import_inventory(ImportRequest(csv=exported, prune=True))
    assert report.model_dump(exclude={"applied"}, exclude_defaults=True) == {}
    assert await services.export_inventory() == exported
    for cell in ("2.1", "common name", "off", "77", "none", "source", "ignore", "st 1", "cp 1", "insecure"):
        assert cell in exported
