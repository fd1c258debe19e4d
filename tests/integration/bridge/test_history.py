"""What EVSEs were, from the real store, and that counting many of them stays quick."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from tests_bridge import START, Bridge

from bridge.app.history import StoreHistory
from bridge.store.tables import evse, evse_state, history, station
from bridge.store.transaction import Transaction
from bridge.web.services import NotFound, ValueRefused
from tests.history_chain import TIE

E1, E2 = "DE*ABC*E1*1", "DE*ABC*E1*2"


@pytest.fixture
async def kept(bridge: Bridge) -> StoreHistory:
    """Minutes 1, 2 and 3 after the start: charging, faulted, charging; the other one is unavailable from 2 on."""
    epoch = await bridge.connect("one")
    for connector, status in ((1, "Charging"), (1, "Faulted"), (1, "Charging")):
        bridge.clock.pass_(minutes=1)
        await bridge.report("one", epoch, connector, status)
        if status == "Faulted":
            await bridge.report("one", epoch, 2, "Unavailable")
    bridge.clock.pass_(minutes=1)
    return StoreHistory(bridge.store, clock=bridge.clock)


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


async def test_a_timeline_begins_with_what_was_before_it(kept: StoreHistory):
    found = await kept.of_evse("deabce11", minute(1.5))
    assert (found.evse_id, found.since, found.until) == (E1, minute(1.5), minute(4))
    assert [(span.status, span.begin, span.end) for span in found.items] == [
        ("charging", minute(1.5), minute(2)),
        ("faulted", minute(2), minute(3)),
        ("charging", minute(3), None),
    ]
    assert found.items[1].rule == "connector 1 reported Faulted"


async def test_a_range_that_has_ended_ends_its_last_span(kept: StoreHistory):
    found = await kept.of_evse(E1, minute(0.5), minute(2.5))
    assert [(span.status, span.begin, span.end) for span in found.items] == [
        ("unknown", minute(0.5), minute(1)),
        ("charging", minute(1), minute(2)),
        ("faulted", minute(2), minute(2.5)),
    ]


async def test_the_newest_alone_are_the_last_ones_and_say_that_there_were_earlier_ones(kept: StoreHistory):
    found = await kept.of_evse(E1, minute(0.5), limit=2, newest=True)
    assert [(span.status, span.begin, span.end) for span in found.items] == [
        ("faulted", minute(2), minute(3)),
        ("charging", minute(3), None),
    ]
    assert (found.earlier, found.next_cursor) == (True, None)


async def test_the_newest_are_all_where_there_is_room(kept: StoreHistory):
    found = await kept.of_evse(E1, minute(0.5), limit=4, newest=True)
    assert found.items == (await kept.of_evse(E1, minute(0.5))).items
    assert not found.earlier


async def test_pages_follow_one_another_without_a_gap(kept: StoreHistory):
    whole = (await kept.of_evse(E1, minute(-1))).items
    pages, cursor = [], None
    while True:
        page = await kept.of_evse(E1, minute(-1), limit=1, cursor=cursor)
        pages += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert tuple(pages) == whole
    assert len(whole) == 4


async def test_how_many_were_what_over_time(kept: StoreHistory):
    found = await kept.counts(minute(0.5), minute(3.5), 3)
    assert found.bucket_s == 60.0
    assert [(bucket.at, bucket.counts) for bucket in found.buckets] == [
        (minute(1.5), {"charging": 1, "unknown": 3}),
        (minute(2.5), {"faulted": 1, "unavailable": 1, "unknown": 2}),
        (minute(3.5), {"charging": 1, "unavailable": 1, "unknown": 2}),
    ]
    nobody = await kept.counts(minute(0.5), minute(3.5), 1, frozenset({"other"}))
    assert nobody.buckets[0].counts == {}
    own = await kept.counts(minute(0.5), minute(3.5), 1, frozenset({"demo"}))
    assert sum(own.buckets[0].counts.values()) == 4


async def test_long_ranges_are_read_once_for_whoever_asks_within_ten_seconds(bridge: Bridge, kept: StoreHistory):
    first = await kept.counts(None, None, 24)
    bridge.clock.pass_(seconds=3)
    assert await kept.counts(None, None, 24) is first
    bridge.clock.pass_(seconds=10)
    assert await kept.counts(None, None, 24) is not first


async def test_what_cannot_be_is_refused(kept: StoreHistory):
    with pytest.raises(NotFound):
        await kept.of_evse(E1, operators=frozenset({"other"}))
    for since, until in ((minute(3), minute(2)), (minute(99), None)):
        with pytest.raises(ValueRefused, match="since"):
            await kept.of_evse(E1, since, until)
        with pytest.raises(ValueRefused, match="since"):
            await kept.counts(since, until)
    for cursor in ("x", "", "-1", "9" * 30):
        with pytest.raises(ValueRefused, match="cursor"):
            await kept.of_evse(E1, cursor=cursor)


def _fill(conn: Transaction, sizes: list[tuple[int, int]]) -> list[None]:
    chance = random.Random(1)
    for evses, changes in sizes:
        conn.execute(sa.insert(station).values(id="big", id_folded="big", security=1))
        rows = [
            {"id": 1000 + n, "evse_id": f"DE*BIG*E{n}", "canonical": f"DEBIGE{n}", "station": "big", "operator": "demo"}
            for n in range(evses)
        ]
        conn.execute(sa.insert(evse), rows)
        known = {"version": 1, "status": "available", "live": "available", "rule": "r"}
        conn.execute(sa.insert(evse_state), [known | {"evse": row["id"]} for row in rows])
        (first,) = conn.execute(sa.select(sa.func.max(history.c.id) + 1)).one()
        day = timedelta(hours=30) / (evses * changes)
        begin = START - timedelta(hours=30)
        told = []
        for number in range(evses * changes):
            at = begin + day * number
            status = chance.choice(("available", "charging", "occupied", "faulted"))
            told.append(
                {
                    "id": first + number,
                    "evse": 1000 + chance.randrange(evses),
                    "at_w": int(at.timestamp() * 1_000_000),
                    "status": status,
                    "live": status,
                    "rule": "r",
                    "seq": 1,
                }
            )
        conn.execute(sa.insert(history), told)
        for statement in TIE:
            conn.execute(sa.text(statement))
    return [None] * len(sizes)


async def test_counting_ten_thousand_evses_over_a_day_is_quick(bridge: Bridge):
    await bridge.writer.submit(_fill, (10_000, 20))
    kept = StoreHistory(bridge.store, clock=bridge.clock)
    began = time.perf_counter()
    found = await kept.counts(None, None, 96)
    took = time.perf_counter() - began
    print(f"10,000 EVSEs, 200,000 changes: {took:.2f} s")
    assert len(found.buckets) == 96
    assert sum(found.buckets[-1].counts.values()) > 9_990
    assert took < 30
