import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bridge.store.engine import Store, open_store
from bridge.store.errors import StoreBroken, StoreUnavailable
from bridge.store.jobs import ItemFailed
from bridge.store.tables import counter
from bridge.store.writer import Writer

SHORT = timedelta(milliseconds=50)


class Recording:
    """Inserts names into `counter`; a batch can be held up so that the next one gathers."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()

    def insert(self, connection: sa.Connection, names: Sequence[str]) -> Sequence[str | ItemFailed]:
        self.gate.wait(5)
        self.groups.append(list(names))
        connection.execute(sa.insert(counter), [{"name": name, "value": len(names)} for name in names])
        return [name.upper() for name in names]


@pytest.fixture
def recording() -> Recording:
    return Recording()


async def stored(store: Store) -> list[str]:
    async with store.read() as connection:
        return sorted((await connection.execute(sa.select(counter.c.name))).scalars())


async def together(writer: Writer, recording: Recording, handler: Any, payloads: Sequence[str]) -> list[Any]:
    """Submit so that all payloads fall in one batch; return results and exceptions."""
    recording.gate.clear()
    first = writer.submit_nowait(recording.insert, "first")
    futures = [writer.submit_nowait(handler, payload) for payload in payloads]
    recording.gate.set()
    await first
    return await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 20)


async def test_a_result_is_handed_back_after_its_commit(store: Store, writer: Writer, recording: Recording) -> None:
    assert await writer.submit(recording.insert, "a") == "A"
    assert await stored(store) == ["a"]


async def test_what_arrived_during_a_commit_is_the_next_batch(writer: Writer, recording: Recording) -> None:
    names = [f"n{i:02}" for i in range(30)]
    results = await together(writer, recording, recording.insert, names)
    assert results == [name.upper() for name in names]
    assert writer.last_batch is not None
    # The thread may have taken some of them with "first", before the gate held it.
    assert len(recording.groups) <= 2
    assert writer.batches_written <= 2
    assert writer.items_written == 31


async def test_what_follows_a_batch_of_several_gathers_for_a_moment(store: Store, recording: Recording) -> None:
    writer = Writer(store, spacing=timedelta(seconds=1))
    writer.start()
    await together(writer, recording, recording.insert, ["a", "b", "c"])
    early = writer.submit_nowait(recording.insert, "early")
    await asyncio.sleep(0.05)
    late = writer.submit_nowait(recording.insert, "late")
    await asyncio.wait_for(asyncio.gather(early, late), 20)
    assert recording.groups[-1] == ["early", "late"]
    await writer.stop()


async def test_what_follows_a_lone_item_waits_for_nobody(store: Store, recording: Recording) -> None:
    writer = Writer(store, spacing=timedelta(hours=1))
    writer.start()
    for name in ("a", "b", "c"):
        await asyncio.wait_for(writer.submit(recording.insert, name), 20)
    assert recording.groups == [["a"], ["b"], ["c"]]
    await writer.stop()


async def test_what_a_handler_has_called_comes_on_the_loop_with_the_results_of_its_batch(
    writer: Writer, recording: Recording
) -> None:
    heard: list[tuple[str, threading.Thread, int]] = []

    def told(name: str) -> None:
        heard.append((name, threading.current_thread(), writer.batches_written))

    def insert(connection: sa.Connection, payloads: Sequence[str]) -> Sequence[str | ItemFailed]:
        writer.once_committed(told, payloads[0])
        return recording.insert(connection, payloads)

    assert await writer.submit(insert, "a") == "A"
    await asyncio.sleep(0)
    assert heard == [("a", threading.main_thread(), 1)]


async def test_what_a_handler_has_called_comes_also_where_nobody_knows_whether_it_is_stored(
    store: Store, writer: Writer, recording: Recording
) -> None:
    heard: list[str] = []

    def insert(connection: sa.Connection, payloads: Sequence[str]) -> Sequence[str | ItemFailed]:
        writer.once_committed(heard.append, payloads[0])
        return recording.insert(connection, payloads)

    def refuse(_connection: sa.Connection) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, OSError("the connection is gone"))

    sa.event.listen(store.engine, "commit", refuse)
    with pytest.raises(StoreUnavailable):
        await writer.submit(insert, "a")
    await asyncio.sleep(0)
    sa.event.remove(store.engine, "commit", refuse)
    assert heard == ["a"]
    await writer.submit(insert, "b")
    await asyncio.sleep(0)
    assert heard == ["a", "b"]


async def test_a_call_that_fails_is_none_of_the_others_business(writer: Writer, recording: Recording) -> None:
    heard: list[str] = []

    def fail(_name: str) -> None:
        raise AssertionError("as a bug would")

    def insert(connection: sa.Connection, payloads: Sequence[str]) -> Sequence[str | ItemFailed]:
        for callback in (heard.append, fail, heard.append):
            writer.once_committed(callback, payloads[0])
        return recording.insert(connection, payloads)

    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    assert await writer.submit(insert, "a") == "A"
    await asyncio.sleep(0)
    assert heard == ["a", "a"]
    assert len(complaints) == 1


async def test_what_a_handler_has_called_is_forgotten_where_it_fails(writer: Writer, recording: Recording) -> None:
    heard: list[str] = []

    def insert(connection: sa.Connection, payloads: Sequence[str]) -> Sequence[str]:
        writer.once_committed(heard.append, "+".join(payloads))
        return recording.insert(connection, payloads)

    await writer.submit(recording.insert, "twin")
    results = await together(writer, recording, insert, ["a", "twin", "b"])
    await asyncio.sleep(0)
    assert isinstance(results[1], IntegrityError)
    assert heard == ["a", "b"]


async def test_a_batch_is_bounded(store: Store, recording: Recording) -> None:
    writer = Writer(store, batch_limit=10)
    writer.start()
    await together(writer, recording, recording.insert, [f"n{i}" for i in range(95)])
    assert max(len(group) for group in recording.groups) == 10
    await writer.stop()


async def test_only_neighbours_with_the_same_handler_form_a_group(writer: Writer, recording: Recording) -> None:
    seen: list[tuple[str, list[int]]] = []

    def add(_connection: sa.Connection, payloads: Sequence[int]) -> Sequence[int]:
        seen.append(("add", list(payloads)))
        return payloads

    def drop(_connection: sa.Connection, payloads: Sequence[int]) -> Sequence[int]:
        seen.append(("drop", list(payloads)))
        return payloads

    recording.gate.clear()
    writer.submit_nowait(recording.insert, "first")
    await asyncio.sleep(0.02)
    futures = [
        writer.submit_nowait(handler, n)
        for handler, n in [(add, 1), (add, 2), (drop, 3), (add, 4), (recording.insert, "x"), (recording.insert, "y")]
    ]
    recording.gate.set()
    await asyncio.wait_for(asyncio.gather(*futures), 20)
    assert seen == [("add", [1, 2]), ("drop", [3]), ("add", [4])]
    assert recording.groups == [["first"], ["x", "y"]]


@pytest.mark.row("T79")
async def test_only_the_culprit_of_a_batch_is_refused(store: Store, writer: Writer, recording: Recording) -> None:
    await writer.submit(recording.insert, "twin")
    results = await together(writer, recording, recording.insert, ["a", "twin", "b"])
    assert [results[0], results[2]] == ["A", "B"]
    assert isinstance(results[1], IntegrityError)
    assert await stored(store) == ["a", "b", "first", "twin"]


async def test_a_handler_may_refuse_one_item_without_failing_its_neighbours(
    store: Store, writer: Writer, recording: Recording
) -> None:
    def insert_short(connection: sa.Connection, names: Sequence[str]) -> Sequence[str | ItemFailed]:
        good = [name for name in names if len(name) < 3]
        recording.insert(connection, good)
        return [name if name in good else ItemFailed(ValueError(name)) for name in names]

    results = await together(writer, recording, insert_short, ["a", "too long", "b"])
    assert results[0] == "a"
    assert repr(results[1]) == "ValueError('too long')"
    assert await stored(store) == ["a", "b", "first"]


async def test_a_handler_that_loses_a_result_fails_its_items_and_not_the_writer(
    writer: Writer, recording: Recording
) -> None:
    def forget(_connection: sa.Connection, _payloads: Sequence[str]) -> Sequence[str]:
        return []

    def stop_iterating(_connection: sa.Connection, _payloads: Sequence[str]) -> Sequence[str]:
        return [next(iter(()))]

    with pytest.raises(AssertionError, match="0 results for 1 payloads"):
        await writer.submit(forget, "a")
    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(writer.submit(stop_iterating, "a"), 5)
    assert await writer.submit(recording.insert, "b") == "B"


async def test_a_cancelled_submitter_harms_nobody(store: Store, writer: Writer, recording: Recording) -> None:
    recording.gate.clear()
    waiting = asyncio.create_task(writer.submit(recording.insert, "a"))
    other = asyncio.create_task(writer.submit(recording.insert, "b"))
    await asyncio.sleep(0)
    waiting.cancel()
    recording.gate.set()
    assert await other == "B"
    assert await stored(store) == ["a", "b"]


async def test_stop_commits_what_was_submitted_and_refuses_the_rest(store: Store, recording: Recording) -> None:
    writer = Writer(store)
    with pytest.raises(StoreUnavailable, match="not been started"):
        writer.submit_nowait(recording.insert, "early")
    writer.start()
    futures = [writer.submit_nowait(recording.insert, f"n{i}") for i in range(50)]
    await writer.stop()
    assert all(future.done() for future in futures)
    assert len(await stored(store)) == 50
    with pytest.raises(StoreUnavailable, match="stopped"):
        await writer.submit(recording.insert, "late")
    await writer.stop()


async def test_stop_is_bounded_and_leaves_nobody_waiting(store: Store, recording: Recording) -> None:
    writer = Writer(store)
    writer.start()
    recording.gate.clear()
    stuck = writer.submit_nowait(recording.insert, "stuck")
    await asyncio.sleep(0.02)
    queued = writer.submit_nowait(recording.insert, "queued")
    with pytest.raises(StoreUnavailable, match=r"did not finish within 0\.05 s"):
        await writer.stop(SHORT)
    with pytest.raises(StoreUnavailable, match="stopped"):
        await queued
    recording.gate.set()
    assert await asyncio.wait_for(stuck, 5) == "STUCK"
    await writer.stop()


async def test_concurrent_read_modify_writes_lose_no_update(writer: Writer) -> None:
    value = sa.select(counter.c.value).where(counter.c.name == "lost")

    def count_up(connection: sa.Connection, payloads: Sequence[None]) -> Sequence[int]:
        results = []
        for _ in payloads:
            read = connection.execute(value).scalar() or 0
            if read:
                connection.execute(sa.update(counter).where(counter.c.name == "lost").values(value=read + 1))
            else:
                connection.execute(sa.insert(counter).values(name="lost", value=1))
            results.append(read + 1)
        return results

    numbers = await asyncio.gather(*(writer.submit(count_up, None) for _ in range(200)))
    assert sorted(numbers) == list(range(1, 201))


# --- storage failures -----------------------------------------------------------------------------------------------


@pytest.fixture
async def sqlite_writer(sqlite_url: str, tmp_path: Path) -> Any:
    """A SQLite store that waits only briefly for locks, its writer, and what `on_broken` was called with."""
    store = open_store(sqlite_url, state_dir=tmp_path / "state", busy_timeout=SHORT)
    store.upgrade()
    broken: list[StoreBroken] = []
    writer = Writer(store, on_broken=broken.append)
    writer.start()
    yield store, writer, broken
    await writer.stop()
    await store.close()


def run_on_connection(statement: str) -> Any:
    """A handler that changes the writing connection itself."""

    def handler(connection: sa.Connection, payloads: Sequence[None]) -> Sequence[None]:
        connection.exec_driver_sql(statement)
        return payloads

    return handler


def insert_big(connection: sa.Connection, names: Sequence[str]) -> Sequence[str]:
    for name in names:
        connection.execute(sa.insert(counter).values(name=name + "x" * 20_000, value=1))
    return names


async def test_a_full_disk_fails_the_batch_and_recovers_in_place(sqlite_writer: Any, recording: Recording) -> None:
    store, writer, broken = sqlite_writer
    await writer.submit(recording.insert, "before")
    await writer.submit(run_on_connection("PRAGMA max_page_count=1"), None)
    results = await asyncio.gather(*(writer.submit(insert_big, f"n{i}") for i in range(5)), return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailable] * 5
    assert "SQLITE_FULL" in str(results[0])
    await writer.submit(run_on_connection("PRAGMA max_page_count=1000000"), None)
    assert await writer.submit(insert_big, "after") == "after"
    assert [name[:6] for name in await stored(store)] == ["afterx", "before"]
    assert broken == []


async def test_a_lock_held_by_another_program_is_waited_for_and_then_unavailable(
    sqlite_writer: Any, recording: Recording
) -> None:
    store, writer, _ = sqlite_writer
    other = sqlite3.connect(store.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = asyncio.get_running_loop().time()
    with pytest.raises(StoreUnavailable, match="another process holds the write lock"):
        await writer.submit(recording.insert, "a")
    assert asyncio.get_running_loop().time() - began >= SHORT.total_seconds()
    other.execute("ROLLBACK")
    other.close()
    assert await writer.submit(recording.insert, "a") == "A"


async def test_a_read_only_database_is_unavailable_until_it_is_writable(
    sqlite_writer: Any, recording: Recording
) -> None:
    _, writer, broken = sqlite_writer
    drivers: list[sqlite3.Connection] = []

    def take_driver(connection: sa.Connection, payloads: Sequence[None]) -> Sequence[None]:
        drivers.append(connection.connection.driver_connection)
        return payloads

    await writer.submit(take_driver, None)
    drivers[0].execute("PRAGMA query_only=ON")
    with pytest.raises(StoreUnavailable, match="read-only"):
        await writer.submit(recording.insert, "a")
    drivers[0].execute("PRAGMA query_only=OFF")
    assert await writer.submit(recording.insert, "a") == "A"
    assert broken == []


async def test_a_damaged_file_ends_all_work_and_says_so_once(
    sqlite_url: str, tmp_path: Path, recording: Recording
) -> None:
    store = open_store(sqlite_url, state_dir=tmp_path / "state")
    store.upgrade()
    async with store.read() as connection:
        page = await connection.scalar(sa.text("SELECT rootpage FROM sqlite_master WHERE name = 'counter'"))
    await store.close()
    store = open_store(sqlite_url, state_dir=tmp_path / "state")
    store.engine.dispose()  # what the start has looked through is forgotten: the writer will read it from the file
    overwrite_page(store.url.database or "", page)
    broken: list[StoreBroken] = []
    writer = Writer(store, on_broken=broken.append)
    writer.start()
    results = await asyncio.gather(
        *(writer.submit(recording.insert, name) for name in ("a", "b")), return_exceptions=True
    )
    assert [type(result) for result in results] == [StoreBroken, StoreBroken]
    with pytest.raises(StoreBroken, match="the file is damaged"):
        await writer.submit(recording.insert, "late")
    assert len(broken) == 1
    await writer.stop()
    await store.close()


def overwrite_page(path: str, page: int) -> None:
    with open(path, "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)


@pytest.fixture
async def postgresql_writer(postgresql_url: str, tmp_path: Path) -> Any:
    store = open_store(postgresql_url, state_dir=tmp_path / "state")
    store.upgrade()
    writer = Writer(store)
    writer.start()
    yield store, writer, postgresql_url
    await writer.stop()
    await store.close()


def terminate_writer(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'ocpp-bridge writer' AND datname = current_database()"
        )


async def test_a_connection_lost_between_batches_costs_nothing(postgresql_writer: Any, recording: Recording) -> None:
    store, writer, url = postgresql_writer
    await writer.submit(recording.insert, "a")
    await asyncio.to_thread(terminate_writer, url)
    assert await writer.submit(recording.insert, "b") == "B"
    assert await stored(store) == ["a", "b"]


async def test_a_connection_lost_during_the_commit_is_unavailable_and_then_recovers(
    postgresql_writer: Any, recording: Recording
) -> None:
    _, writer, url = postgresql_writer

    def insert_and_lose(connection: sa.Connection, names: Sequence[str]) -> Sequence[str]:
        recording.insert(connection, names)
        terminate_writer(url)
        return names

    with pytest.raises(StoreUnavailable):
        await writer.submit(insert_and_lose, "a")
    assert recording.groups == [["a"]]
    assert await writer.submit(recording.insert, "b") == "B"


async def test_the_oldest_item_s_wait_is_known_while_its_batch_runs(writer: Writer, recording: Recording) -> None:
    assert writer.waited == timedelta(0)
    recording.gate.clear()
    future = writer.submit_nowait(recording.insert, "a")
    async with asyncio.timeout(20):
        while writer.waited == timedelta(0):  # noqa: ASYNC110 - a thread sets no event
            await asyncio.sleep(0.005)
    recording.gate.set()
    await future
    async with asyncio.timeout(20):
        while writer.waited > timedelta(0):  # noqa: ASYNC110 - a thread sets no event
            await asyncio.sleep(0.005)
