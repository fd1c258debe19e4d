"""Prove that rows which go to the driver past the library are written and refused as any others, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bridge.store.bulk import Bulk, insert_for, or_fail, upsert_statement
from bridge.store.engine import Store
from bridge.store.prepared import Among, Prepared
from bridge.store.tables import counter
from bridge.store.writer import Writer

RAISE = Bulk(
    lambda dialect: (insert := insert_for(dialect, counter)).on_conflict_do_update(
        index_elements=["name"], set_={"value": insert.excluded.value}, where=counter.c.value < insert.excluded.value
    ),
    ("value", "name"),
)
SAMPLE = sa.Table(
    "sample",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("info", sa.Text, nullable=False, server_default=""),
    sa.Column("doubt", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("until", sa.BigInteger),
    sa.Column("seq", sa.BigInteger, nullable=False),
)
COLUMNS = ("id", "info", "doubt", "until", "seq")
USUAL = {"info": "", "doubt": False, "until": None}
SAMPLES = Bulk(lambda dialect: upsert_statement(dialect, SAMPLE, COLUMNS), COLUMNS, USUAL)
SAMPLES_OR_FAIL = Bulk(lambda _dialect: or_fail(sa.insert(SAMPLE)), COLUMNS)
READ = Prepared(sa.select(counter.c.value).where(counter.c.name == sa.bindparam("name"), counter.c.value > 1))
SET = Prepared(
    sa.update(counter)
    .where(counter.c.name == sa.bindparam("key"))
    .values(value=sa.bindparam("new", type_=sa.BigInteger))
)


AMONG = Among(
    sa.select(counter.c.name, counter.c.value)
    .where(counter.c.value > 0, counter.c.name.in_(sa.bindparam("ids", expanding=True)), counter.c.value < 1_000)
    .order_by(counter.c.value)
)


async def run(writer: Writer, action):
    return await writer.submit(lambda conn, payloads: [action(conn) for _ in payloads], None)


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 200])
async def test_rows_of_any_number_are_written_and_counted(writer: Writer, count: int) -> None:
    rows = [(number, f"n{number:03}") for number in range(count)]
    assert await run(writer, lambda conn: RAISE.run(conn, rows)) == count
    stored = sa.select(counter.c.value, counter.c.name).where(counter.c.name.like("n%")).order_by(counter.c.name)
    assert await run(writer, lambda conn: [tuple(row) for row in conn.execute(stored)]) == rows


async def test_rows_whose_condition_does_not_hold_are_not_counted(writer: Writer) -> None:
    await run(writer, lambda conn: RAISE.run(conn, [(5, "a"), (5, "b"), (5, "c")]))
    assert await run(writer, lambda conn: RAISE.run(conn, [(6, "a"), (5, "b"), (4, "c")])) == 1


async def test_value_that_no_column_takes_is_the_librarys_error_without_the_values(
    writer: Writer, store: Store
) -> None:
    with pytest.raises(sa.exc.IntegrityError) as caught:
        await run(writer, lambda conn: RAISE.run(conn, [(1, "secret"), (None, "secret2")]))
    assert store.dialect == "postgresql" or "secret" not in str(caught.value)  # PostgreSQL's own text names the row
    with pytest.raises(sa.exc.IntegrityError):
        await run(writer, lambda conn: (RAISE.run(conn, [(1, "a")]), SET.run(conn, [{"key": "a", "new": None}])))
    assert await run(writer, lambda conn: READ.rows(conn, name="a")) == []


async def test_statement_is_asked_with_other_values_each_time(writer: Writer) -> None:
    await run(writer, lambda conn: RAISE.run(conn, [(1, "a"), (1, "b"), (1, "c")]))
    await run(writer, lambda conn: SET.run(conn, [{"key": "a", "new": 7}, {"key": "b", "new": 8}]))
    await run(writer, lambda conn: SET.run(conn, []))
    found = [await run(writer, lambda conn, name=name: READ.first(conn, name=name)) for name in ("a", "b", "c")]
    assert [None if row is None else tuple(row) for row in found] == [(7,), (8,), None]


async def test_usual_row_takes_the_place_of_another_and_another_that_of_a_usual_one(writer: Writer) -> None:
    plain = [(number, "", False, None, 1) for number in range(5)]
    other = [(5, "hot", False, None, 1), (6, "", True, None, 1), (7, "", False, 9, 1)]
    swapped = [
        *[(number, "", False, None, 2) for number in (5, 6, 7)],
        *[(0, "cold", True, 8, 2), (1, "", True, None, 2), (2, "", False, 7, 2)],
    ]

    def write(conn: sa.Connection) -> tuple[int, int, list[tuple]]:
        SAMPLE.create(conn)
        counts = SAMPLES.run(conn, [*plain, *other]), SAMPLES.run(conn, swapped)
        return *counts, [tuple(row) for row in conn.execute(sa.select(SAMPLE).order_by(SAMPLE.c.id))]

    assert await run(writer, write) == (
        8,
        6,
        [*sorted(swapped[3:]), (3, "", False, None, 1), (4, "", False, None, 1), *swapped[:3]],
    )


@pytest.mark.parametrize("usual", [{"info": "none"}, {"doubt": None}, {"until": ""}, {"seq": ""}], ids=str)
async def test_what_is_called_usual_must_be_the_columns_default(writer: Writer, usual: dict[str, object]) -> None:
    wrong = Bulk(lambda dialect: upsert_statement(dialect, SAMPLE, COLUMNS), COLUMNS, usual)
    with pytest.raises(AssertionError, match="another default"):
        await run(writer, lambda conn: wrong.run(conn, [(1, "", False, None, 1)]))


@pytest.mark.parametrize("count", [0, 1, 3, 512, 513, 900])
async def test_rows_are_found_by_any_number_of_keys(writer: Writer, count: int) -> None:
    stored = [(number, f"n{number}") for number in range(1, 1_100)]
    await run(writer, lambda conn: RAISE.run(conn, stored))
    wanted = [f"n{number}" for number in range(1, count + 1)]
    found = await run(writer, lambda conn: AMONG.rows(conn, [*wanted, "nobody", "n1099"]))
    assert sorted(map(tuple, found), key=lambda row: row[1]) == [
        (f"n{number}", number) for number in range(1, count + 1)
    ]
    pair = await run(writer, lambda conn: AMONG.rows(conn, ["n9", "n8"]))
    assert [row[1] for row in pair] == [8, 9]


@pytest.mark.parametrize("bad", [0, 40, 99])
async def test_rows_before_one_that_fails_are_not_stored_though_no_statement_undoes_them(
    writer: Writer, store: Store, bad: int
) -> None:
    rows = [(number, "", False, None, None if number == bad else 1) for number in range(100)]
    await run(writer, SAMPLE.create)
    with pytest.raises(sa.exc.IntegrityError):
        await run(writer, lambda conn: SAMPLES_OR_FAIL.run(conn, rows))
    stored = sa.select(sa.func.count()).select_from(SAMPLE)
    assert await run(writer, lambda conn: conn.execute(stored).scalar()) == 0
    assert await run(writer, lambda conn: SAMPLES_OR_FAIL.run(conn, [*rows[:bad], *rows[bad + 1 :]])) == 99


IN_ORDER = Bulk(
    lambda dialect: (insert := insert_for(dialect, counter)).on_conflict_do_update(
        index_elements=["name"], set_={"value": insert.excluded.value}
    ),
    ("name", "value"),
    in_order=True,
)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_rows_are_written_in_the_order_of_their_keys(writer: Writer) -> None:
    await run(writer, lambda conn: IN_ORDER.run(conn, [("c", 1), ("a", 2), ("d", 3), ("b", 4)]))
    stored = sa.text("SELECT name, value FROM counter WHERE name IN ('a', 'b', 'c', 'd') ORDER BY rowid")
    found = await run(writer, lambda conn: [tuple(row) for row in conn.execute(stored)])
    assert found == [("a", 2), ("b", 4), ("c", 1), ("d", 3)]
