"""An EVSE's changes are found by walking from one to the one before: the same ones as by reading all of them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from tests_bridge import START, STATIONS, Bridge

from bridge.app.history import StoreHistory
from bridge.core.retention import Kept
from bridge.core.timeline import Change, Moved
from bridge.retention import Retention, RetentionOptions
from bridge.store.history_chain import row_behind, rows_back
from bridge.store.history_readings import changes_of, moves, newest_of
from bridge.store.micros import from_micros
from bridge.store.stations import EvseKey
from bridge.store.tables import history
from bridge.store.trimming import delete_evses, delete_rows
from bridge.store.working_copies import drop_copies
from tests.history_chain import TIE

WORDS = ("Preparing", "Charging", "Faulted", "Unavailable")
KEYS = (EvseKey(1), EvseKey(2))
E1 = "DE*ABC*E1*1"
_YEAR = Kept(timedelta(days=400), 1_000_000)
OPTIONS = RetentionOptions(
    history=_YEAR,
    delivery_log=_YEAR,
    security_events=_YEAR,
    temporary=_YEAR,
    pause=timedelta(0),
    every=timedelta(milliseconds=10),
)


async def inside(bridge: Bridge, work):
    """Run something in the writer's transaction."""
    return await bridge.writer.submit(lambda conn, payloads: [work(conn) for _ in payloads], None)


async def forget_copies(bridge: Bridge) -> None:
    await inside(bridge, drop_copies)


@pytest.fixture
async def told(bridge: Bridge) -> dict[int, list[tuple[int, Change]]]:
    """160 reports of two EVSEs, one of them five times as often, with copies forgotten now and then."""
    chance = random.Random(11)
    epoch = await bridge.connect("one")
    for _ in range(160):
        bridge.clock.pass_(seconds=chance.choice((1, 30, 400)))
        await bridge.report("one", epoch, chance.choice((1, 1, 1, 1, 1, 2)), chance.choice(WORDS))
        if chance.random() < 0.1:
            await bridge.report("one", epoch, 0, chance.choice(("Unavailable", "Available")))  # of both, at once
        if chance.random() < 0.03:
            await forget_copies(bridge)
    rows = await bridge.rows("SELECT id, evse, at_w, status, live, rule FROM history ORDER BY id")
    found: dict[int, list[tuple[int, Change]]] = {}
    for number, key, at, status, live, rule in rows:
        found.setdefault(key, []).append((number, Change(from_micros(at), status, live, rule)))
    assert len(found[1]) > 60
    assert len(found[2]) > 12
    return found


def since_and_until(chance: random.Random, bridge: Bridge) -> tuple[datetime, datetime]:
    span = (bridge.clock.now - START + timedelta(minutes=10)).total_seconds()
    begin, end = sorted(START - timedelta(minutes=5) + timedelta(seconds=chance.random() * span) for _ in range(2))
    return begin, end


async def test_each_change_names_the_one_before_and_the_state_the_newest(bridge: Bridge, told) -> None:
    for key in KEYS:
        rows = await bridge.rows("SELECT id, earlier FROM history WHERE evse = :e ORDER BY id", e=key)
        assert rows[0][1] is None
        assert [earlier for _, earlier in rows[1:]] == [number for number, _ in rows[:-1]]
        assert await bridge.rows("SELECT last_change FROM evse_state WHERE evse = :e", e=key) == [(rows[-1][0],)]


async def test_a_mark_is_never_far_also_after_restarts_that_come_often(bridge: Bridge) -> None:
    epoch = await bridge.connect("one")
    for number in range(40):
        bridge.clock.pass_(seconds=60)
        await bridge.report("one", epoch, 1, WORDS[number % 2])
        if number in (5, 9, 14, 20, 27):
            await forget_copies(bridge)
    marks = [mark for (mark,) in await bridge.rows("SELECT mark FROM history WHERE evse = 1 ORDER BY id")]
    assert set(marks) == {1, None}
    at = [place for place, mark in enumerate(marks) if mark is not None]
    assert at[0] == 0
    assert max(after - before for before, after in pairwise([*at, len(marks)])) <= 8
    assert len(at) < len(marks) / 3


async def test_any_range_and_page_has_the_changes_that_reading_everything_has(bridge: Bridge, told) -> None:
    chance = random.Random(3)
    for _ in range(150):
        key, limit = chance.choice(KEYS), chance.choice((1, 2, 7, 8, 9, 30, 500))
        begin, end = since_and_until(chance, bridge)
        before = [one for one in told[key] if one[1].at < begin][-1:]
        within = [one for one in told[key] if begin <= one[1].at < end]
        after = chance.choice((None, *(number for number, _ in told[key])))
        found = await inside(bridge, lambda conn: changes_of(conn, key, begin, end, after, limit))  # noqa: B023 - done
        whole = [*before, *within] if after is None else [one for one in within if one[0] > after]
        assert found == whole[: limit + 1], (key, begin, end, after, limit)
        newest = await inside(bridge, lambda conn: newest_of(conn, key, begin, end, limit))  # noqa: B023 - done
        assert newest == [*before, *within][-limit - 1 :], (key, begin, end, limit)


async def test_what_each_was_as_a_range_began_is_what_reading_everything_says(bridge: Bridge, told) -> None:
    chance = random.Random(4)
    for _ in range(40):
        begin, end = since_and_until(chance, bridge)
        found = await inside(bridge, lambda conn: moves(conn, begin, end, 1, None))  # noqa: B023 - done at once
        expected: Counter[tuple[int, str, str | None]] = Counter()
        for changes in told.values():
            before = [change.status for _, change in changes if change.at < begin][-1:]
            within = [change.status for _, change in changes if begin <= change.at < end]
            expected.update((-1, status, None) for status in before)
            expected.update(
                (0, now, was)
                for was, now in zip([*before, *within] if before else [None, *within], within, strict=False)
            )
        assert {(moved.bucket, moved.status, moved.before): moved.evses for moved in found} == expected
        assert all(isinstance(moved, Moved) for moved in found)


async def test_what_is_forgotten_ends_the_walk_and_is_no_number_given_again(bridge: Bridge, told) -> None:
    numbers = [number for number, _ in told[1]]
    gone = await inside(bridge, lambda conn: delete_rows(conn, "history", 0, numbers[30]))
    before = [number for evse in told for number, _ in told[evse] if number <= numbers[30]]
    left = [number for (number,) in await bridge.rows("SELECT id FROM history ORDER BY id")]
    assert gone == len(before) - len([key for key in told if told[key][0][0] <= numbers[30]])
    walked = await inside(bridge, lambda conn: [row[0] for row in rows_back(conn, row_behind(conn, KEYS[0], 10**9), 5)])
    assert walked == numbers[:29:-1]
    epoch = await bridge.connect("one")
    await forget_copies(bridge)
    await bridge.report("one", epoch, 1, "Preparing")
    await bridge.report("one", epoch, 1, "Faulted")
    later = [number for (number,) in await bridge.rows("SELECT id FROM history ORDER BY id")]
    assert later[: len(left)] == left
    assert all(number > left[-1] for number in later[len(left) :])


async def test_an_evse_that_goes_takes_its_changes_along_and_no_others(bridge: Bridge, told) -> None:
    def forget(conn: sa.Connection) -> None:
        conn.execute(sa.text("DELETE FROM delivery WHERE evse = 2"))
        delete_evses(conn, [KEYS[1]])

    await inside(bridge, forget)
    left = await bridge.rows("SELECT id FROM history ORDER BY id")
    assert [number for (number,) in left] == sorted(
        number for evse, changes in told.items() if evse != KEYS[1] for number, _ in changes
    )


async def test_an_evse_that_never_changed_has_no_history(bridge: Bridge) -> None:
    end = START + timedelta(days=1)
    await inside(bridge, lambda conn: conn.execute(sa.delete(history)).rowcount)
    await bridge.writer.submit(
        lambda conn, _: [conn.execute(sa.text("UPDATE evse_state SET last_change = NULL")).rowcount], None
    )
    assert await inside(bridge, lambda conn: changes_of(conn, KEYS[0], START, end, None, 9)) == []
    assert await inside(bridge, lambda conn: newest_of(conn, KEYS[0], START, end, 9)) == []
    assert await inside(bridge, lambda conn: moves(conn, START, end, 1, None)) == []


async def test_a_clock_that_was_set_back_hides_no_change_that_came_since(bridge: Bridge) -> None:
    epoch = await bridge.connect("one")
    for number in range(60):
        bridge.clock.pass_(minutes=1)
        await bridge.report("one", epoch, 1, WORDS[number % 2])
    bridge.clock.now -= timedelta(minutes=20)
    for number in range(6):
        bridge.clock.pass_(minutes=1)
        await bridge.report("one", epoch, 1, WORDS[2 + number % 2])
    bridge.clock.pass_(seconds=1)
    history_of = StoreHistory(bridge.store, clock=bridge.clock).of_evse
    shown = await history_of(E1, bridge.clock.now - timedelta(hours=3), newest=True)
    assert [span.status for span in shown.items][-3:] == ["unavailable", "faulted", "unavailable"]
    assert shown.items[-1].end is None


async def test_a_cursor_from_before_the_range_reads_nothing_before_it(bridge: Bridge, told) -> None:
    end = bridge.clock.now + timedelta(seconds=1)
    numbers = told[1]
    begin = numbers[-3][1].at
    seen: list[str] = []

    def read(conn: sa.Connection) -> list[tuple[int, Change]]:
        sa.event.listen(conn, "before_cursor_execute", lambda *shown: seen.append(shown[2]))
        return changes_of(conn, KEYS[0], begin, end, 0, 1)

    async with bridge.store.read() as connection:
        assert await connection.run_sync(read) == numbers[-3:-1]
    assert sum("walk" in text.lower() or "recursive" in text.lower() for text in seen) == 1


async def test_numbers_that_are_given_again_are_looked_at_again(bridge: Bridge) -> None:
    epoch = await bridge.connect("one")
    for number in range(20):
        bridge.clock.pass_(minutes=1)
        await bridge.report("one", epoch, 2, WORDS[number % 2])
    retention = Retention(bridge.writer, bridge.clock, OPTIONS)
    without = "\n".join(line for line in STATIONS.splitlines() if not line.startswith("one,,,,2,"))
    await bridge.import_(without + "\n", prune=True)
    await inside(bridge, lambda conn: conn.execute(sa.text("DELETE FROM delivery WHERE evse = 2")).rowcount)
    bridge.clock.pass_(days=401)
    while await retention.turn():
        pass
    assert await bridge.rows("SELECT id FROM evse WHERE id = 2") == []
    for number in range(40):
        bridge.clock.pass_(minutes=1)
        await bridge.report("one", epoch, 1, WORDS[number % 2])
    bridge.clock.pass_(days=500)
    await bridge.report("one", epoch, 1, "Unavailable")
    bridge.clock.pass_(minutes=5)
    while await retention.turn():
        pass
    assert len(await bridge.rows("SELECT id FROM history WHERE evse = 1")) == 2


@pytest.mark.timeout(180)
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_hundreds_of_evses_are_forgotten_by_walks_alone(bridge: Bridge) -> None:
    """Of 500 chains in one statement PostgreSQL makes a hash of the whole table, again for each link: 16 s."""
    keys = [EvseKey(5000 + number) for number in range(500)]
    fill = (
        "INSERT INTO evse (id, evse_id, canonical, station, operator) "
        "SELECT 5000 + i, 'DE*X*E' || i, 'DEXE' || i, 'one', 'demo' FROM generate_series(0, 1999) AS n(i)",
        "INSERT INTO evse_state (evse, version, status, live, rule) "
        "SELECT 5000 + i, 1, 's', 'l', 'r' FROM generate_series(0, 1999) AS n(i)",
        "INSERT INTO history (id, evse, at_w, status, live, rule, seq) "
        "SELECT 10000 + i, 5000 + i % 2000, 1, 's', 'l', 'r', 1 FROM generate_series(0, 399999) AS n(i)",
        *TIE,
        "ANALYZE",
    )

    def forget(conn: sa.Connection) -> None:
        conn.execute(sa.text("SET LOCAL statement_timeout = '5s'"))
        delete_evses(conn, keys)

    for statement in fill:
        await inside(bridge, lambda conn: conn.execute(sa.text(statement)))  # noqa: B023 - done at once
    await inside(bridge, forget)
    assert await bridge.rows("SELECT count(*), min(evse) FROM history WHERE evse >= 5000") == [(300_000, 5500)]
