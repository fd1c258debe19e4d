"""What a status costs, and what forgets old rows, finds its rows by an index: on both databases, no whole tables."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests_bridge import STATIONS

from bridge.core.retention import Kept
from bridge.retention import Retention, RetentionOptions
from bridge.store.working_copies import drop_copies
from tests.catalogue.recording import Tally

SHORT = Kept(timedelta(days=1), 1000)
OPTIONS = RetentionOptions(history=SHORT, delivery_log=SHORT, security_events=SHORT, temporary=SHORT)

_WHOLE = {"sqlite": re.compile(r"\bSCAN (?!CONSTANT)(\w+)(?! USING)"), "postgresql": re.compile(r"Seq Scan on (\w+)")}
_GROW = {
    *("history", "delivery_log", "security_event", "temporary_status", "evse", "station", "document", "delivery"),
    *("connector", "fact", "charging", "connection", "evse_state", "availability_order"),
}


async def statements_of(bridge) -> list[tuple[str, object]]:
    """Collect what the writer's connection runs from now on, also what goes past the library, as SQLite tells it."""
    found: list[tuple[str, object]] = []

    def keep(_conn, _cursor, statement, parameters, _context, executemany):
        found.append((statement, parameters[0] if executemany else parameters))

    def trace(conn, payloads):
        conn.connection.driver_connection.set_trace_callback(lambda statement: found.append((statement, ())))
        return [None] * len(payloads)

    if bridge.store.dialect == "sqlite":
        await bridge.writer.submit(trace, None)
    else:
        sa.event.listen(bridge.store.engine, "before_cursor_execute", keep)
    return found


async def plan(bridge, statement: str, parameters: object) -> str:
    """Return how the database would run it; PostgreSQL as it would if no table was small enough to read it whole."""
    sqlite = bridge.store.dialect == "sqlite"

    def handler(conn, payloads):
        if not sqlite:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
        rows = conn.exec_driver_sql(explain + statement, parameters).all()
        return ["\n".join(str(row[-1]) for row in rows)] * len(payloads)

    return await bridge.writer.submit(handler, None)


@pytest.mark.row("T22")
async def test_no_statement_of_retention_reads_a_table_that_grows_from_end_to_end(bridge, tally: Tally) -> None:
    await bridge.temporary("DE*ABC*E1*1", ends=bridge.clock.now + timedelta(hours=1))
    await bridge.import_("\n".join(STATIONS.splitlines()[:3]) + "\n", prune=True)
    bridge.clock.pass_(days=3)
    await bridge.ticker.tick()
    statements = await statements_of(bridge)
    retention = Retention(bridge.writer, bridge.clock, replace(OPTIONS, rows_a_turn=50))
    await retention.turn()
    few = Kept(timedelta(days=1), 1)
    await Retention(bridge.writer, bridge.clock, replace(OPTIONS, history=few, delivery_log=few)).turn()
    assert any("OFFSET" in statement and "history" in statement for statement, _ in statements)
    kinds = {(statement.split()[0], table) for statement, _ in statements for table in _GROW if table in statement}
    assert {("DELETE", "history"), ("DELETE", "temporary_status"), ("DELETE", "evse"), ("DELETE", "station")} <= kinds
    assert await reading_whole_tables(bridge, statements) == {}


@pytest.mark.row("T22")
async def test_no_statement_of_a_status_reads_a_table_from_end_to_end(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.writer.submit(forget_copies, None)
    statements = await statements_of(bridge)
    await bridge.report("one", epoch, 1, "Faulted")
    begun = {" ".join(statement.split()[:3]) for statement, _ in statements}
    assert {"INSERT INTO fact", "INSERT INTO delivery", "INSERT INTO evse_state"} <= begun
    assert any("FROM delivery" in statement for statement, _ in statements)
    assert await reading_whole_tables(bridge, statements) == {}


def forget_copies(conn, payloads):
    drop_copies(conn)
    return [None] * len(payloads)


async def reading_whole_tables(bridge, statements: list[tuple[str, object]]) -> dict[str, str]:
    """Return {statement: plan} of those that read one of the tables that grow from end to end."""
    whole = {}
    for statement, parameters in list(statements):
        if statement.split()[0] in ("SELECT", "DELETE", "UPDATE"):
            shown = await plan(bridge, statement, parameters)
            if set(_WHOLE[bridge.store.dialect].findall(shown)) & _GROW:
                whole[statement] = shown
    return whole


async def test_the_search_for_whole_tables_finds_one(bridge) -> None:
    shown = await plan(bridge, "SELECT * FROM history WHERE status = 'x'", ())
    assert _WHOLE[bridge.store.dialect].findall(shown) == ["history"]
