"""The wire log's file over long histories, against a model, and files that earlier versions began."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest

from bridge.wire_log import WIRE_FOLDER, LogUnreadable, WireFile, read_lines
from bridge.wire_log.line import Entry, Kind
from tests.fuzz.effort import TIMES, seeded

MIB = 2**20
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON_MICROS = 1_795_176_000_000_000
EARLIER_LINES = """
    CREATE TABLE line (
        id INTEGER PRIMARY KEY, station INTEGER NOT NULL, at INTEGER NOT NULL, epoch INTEGER NOT NULL,
        kind INTEGER NOT NULL, size INTEGER NOT NULL, cut INTEGER NOT NULL, text TEXT NOT NULL
    );
    CREATE INDEX line_of_station ON line (station, id);
"""
EARLIER_STATIONS = """
    CREATE TABLE station (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, folded TEXT NOT NULL);
    CREATE INDEX station_folded ON station (folded);
"""


def entry(station: str, text: str, at: int = NOON_MICROS) -> Entry:
    return Entry(at, station, 1, Kind.FROM_STATION, text, len(text))


def texts(folder: Path, station: str, *, limit: int = 100_000, after: int | None = None) -> list[str]:
    return [line.text for line in read_lines(folder, station, limit=limit, after=after)]


def earlier_file(folder: Path, lines: Iterable[tuple[int, int, str]]) -> None:
    """Make what an earlier version left: each line's id, the number of its station (CS-1, CS-2 …) and its text."""
    (folder / WIRE_FOLDER).mkdir()
    with closing(sqlite3.connect(folder / WIRE_FOLDER / "lines.db")) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(EARLIER_STATIONS + EARLIER_LINES)
        rows = [(id, station, NOON_MICROS, 7, 2, len(text), 0, text) for id, station, text in lines]
        names = {(station, f"CS-{station}", f"cs-{station}") for _, station, *_ in rows}
        connection.executemany("INSERT INTO station VALUES (?, ?, ?)", names)
        connection.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def tables(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / WIRE_FOLDER / "lines.db")) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


# --- long histories -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("per_station", [1, 7, 100, 1000])
@pytest.mark.parametrize("seed", range(3 * TIMES))
def test_what_is_written_is_what_is_read_whatever_comes_together(tmp_path: Path, per_station: int, seed: int) -> None:
    random = seeded(f"wire log {per_station} {seed}")
    written: dict[str, list[tuple[str, int]]] = defaultdict(list)
    file = WireFile(tmp_path, per_station=per_station, total=64 * MIB)
    number = 0
    for _ in range(40):
        flush = []
        for _ in range(random.choice([1, 3, 50, 400])):
            number += 1
            station, at = f"CS-{min(random.randrange(6), random.randrange(6))}", NOON_MICROS + 1000 * number
            written[station].append((f"{number}", at))
            flush.append(entry(station, f"{number}", at))
        file.append(flush)
        if random.random() < 0.2:
            file.close()
            file = WireFile(tmp_path, per_station=per_station, total=64 * MIB)
        for station, lines in written.items():
            check_station(tmp_path, station, lines, per_station, random.randrange(per_station) + 1)
    file.close()


def check_station(folder: Path, station: str, written: list[tuple[str, int]], per_station: int, place: int) -> None:
    """Check the lines of a station, all of them, those behind one of them, and those since its moment."""
    found = read_lines(folder, station, limit=100_000)
    assert min(len(written), per_station) <= len(found) <= per_station + per_station // 10
    assert [line.text for line in found] == [text for text, _ in written[-len(found) :]]
    assert all(one.id < other.id for one, other in pairwise(found))
    place = min(place, len(found))
    assert read_lines(folder, station, limit=place) == found[-place:]
    assert read_lines(folder, station, limit=100_000, after=found[place - 1].id) == found[place:]
    assert read_lines(folder, station, limit=place, after=0) == found[:place]
    assert read_lines(folder, station, limit=100_000, since=found[place - 1].at) == found[place - 1 :]


def test_lines_are_found_across_many_spans_of_the_index(tmp_path: Path) -> None:
    """Ids of 32,768 lines are one span: CS-1 has a line in each of four, and none in a fifth."""
    file = WireFile(tmp_path, per_station=100_000, total=64 * MIB)
    for number in range(4):
        file.append([entry("CS-1", f"a{number}")] + [entry("CS-2", "x")] * 40_000)
    file.append([entry("CS-2", "x")] * 40_000)
    file.close()
    first, *_ = read_lines(tmp_path, "CS-1", limit=4)
    assert texts(tmp_path, "CS-1") == ["a0", "a1", "a2", "a3"]
    assert texts(tmp_path, "CS-1", limit=2) == ["a2", "a3"]
    assert texts(tmp_path, "CS-1", after=first.id) == ["a1", "a2", "a3"]


def test_a_station_that_is_forgotten_begins_anew(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=100_000, total=MIB)
    file.append([entry("CS-1", "old")])
    for _ in range(30):
        file.append([entry("CS-2", "x" * 1000)] * 100)
    with closing(sqlite3.connect(tmp_path / WIRE_FOLDER / "lines.db")) as connection:
        assert connection.execute("SELECT name FROM station").fetchall() == [("CS-2",)]
    file.append([entry("CS-1", "new")])
    file.close()
    assert texts(tmp_path, "cs-1") == ["new"]


@pytest.mark.parametrize("offset", [-14, 14])
def test_since_a_moment_at_an_end_of_the_calendar_is_no_error(tmp_path: Path, offset: int) -> None:
    file = WireFile(tmp_path, per_station=10, total=MIB)
    file.append([entry("CS-1", "a")])
    file.close()
    zone = timezone(timedelta(hours=offset))
    assert len(read_lines(tmp_path, "CS-1", limit=10, since=datetime(1, 1, 1, tzinfo=zone))) == 1
    assert read_lines(tmp_path, "CS-1", limit=10, since=datetime(9999, 12, 31, 23, tzinfo=zone)) == ()


@pytest.mark.parametrize(
    "packed", [b"\xc1", bytes.fromhex("9196cf00064441f0e3b078070116c2a2e869"), 7], ids=["none", "utf-8", "number"]
)
def test_a_block_that_is_broken_is_said_to_be_unreadable(tmp_path: Path, packed: object) -> None:
    file = WireFile(tmp_path, per_station=10, total=MIB)
    file.append([entry("CS-1", "a")])
    file.close()
    with closing(sqlite3.connect(tmp_path / WIRE_FOLDER / "lines.db")) as connection, connection:
        connection.execute("UPDATE block SET packed = ?", (packed,))
    with pytest.raises(LogUnreadable, match="lines\\.db: "):
        read_lines(tmp_path, "CS-1", limit=1)


# --- files that earlier versions began ----------------------------------------------------------------------------


def test_a_file_of_an_earlier_version_is_read_as_it_is(tmp_path: Path) -> None:
    earlier_file(tmp_path, [(5, 1, "a"), (6, 2, "other"), (7, 1, "b")])
    assert [(line.id, line.at, line.epoch, line.kind, line.text) for line in read_lines(tmp_path, "cs-1", limit=9)] == [
        (5, NOON, 7, Kind.TO_STATION, "a"),
        (7, NOON, 7, Kind.TO_STATION, "b"),
    ]
    assert texts(tmp_path, "CS-1", limit=1) == ["b"]
    assert texts(tmp_path, "CS-1", after=5) == ["b"]
    assert tables(tmp_path) == {"station", "line"}


def test_new_lines_follow_those_of_an_earlier_version_and_cursors_go_on(tmp_path: Path) -> None:
    earlier_file(tmp_path, [(5, 1, "a"), (6, 2, "other"), (7, 1, "b")])
    file = WireFile(tmp_path, per_station=10, total=MIB)
    file.append([entry("CS-1", "c"), entry("CS-1", "d")])
    file.close()
    assert [(line.id, line.text) for line in read_lines(tmp_path, "CS-1", limit=9)] == [
        (5, "a"),
        (7, "b"),
        (8, "c"),
        (9, "d"),
    ]
    assert texts(tmp_path, "CS-1", limit=3) == ["b", "c", "d"]
    assert texts(tmp_path, "CS-1", after=5) == ["b", "c", "d"]
    assert texts(tmp_path, "CS-1", after=5, limit=2) == ["b", "c"]
    assert texts(tmp_path, "CS-1", after=8) == ["d"]


def test_ids_go_on_after_an_earlier_version_wrote_to_the_file_again(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=10, total=MIB)
    file.append([entry("CS-1", "a")])
    file.close()
    [before] = read_lines(tmp_path, "CS-1", limit=9)
    with closing(sqlite3.connect(tmp_path / WIRE_FOLDER / "lines.db")) as connection, connection:
        connection.executescript(EARLIER_LINES)
        connection.execute("INSERT INTO line VALUES (?, 1, 0, 1, 1, 1, 0, 'b')", (before.id + 1000,))
    file = WireFile(tmp_path, per_station=10, total=MIB)
    file.append([entry("CS-1", "c")])
    file.close()
    assert [(line.id, line.text) for line in read_lines(tmp_path, "CS-1", limit=1)] == [(before.id + 1001, "c")]
    assert texts(tmp_path, "CS-1", limit=2) == ["b", "c"]
    assert texts(tmp_path, "CS-1", limit=9) == ["a", "b", "c"]
    assert texts(tmp_path, "CS-1", after=before.id - 1, limit=2) == ["a", "b"]
    assert texts(tmp_path, "CS-1", after=before.id + 1000) == ["c"]


def test_an_earlier_version_on_the_file_again_forgets_no_station_that_has_blocks(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=100_000, total=MIB)
    file.append([entry("CS-1", "a"), entry("CS-2", "b")])
    file.close()
    with closing(sqlite3.connect(tmp_path / WIRE_FOLDER / "lines.db")) as connection, connection:
        connection.executescript(EARLIER_LINES)
        connection.execute("DELETE FROM station WHERE number NOT IN (SELECT DISTINCT station FROM line)")
    file = WireFile(tmp_path, per_station=100_000, total=MIB)
    file.append([entry("CS-3", "c")])
    assert [texts(tmp_path, each) for each in ("CS-1", "CS-2", "CS-3")] == [["a"], ["b"], ["c"]]
    for _ in range(20):
        file.append([entry("CS-3", "x" * 1000)] * 100)
    file.close()
    with closing(sqlite3.connect(tmp_path / WIRE_FOLDER / "lines.db")) as connection:
        assert connection.execute("SELECT name FROM station").fetchall() == [("CS-3",)]
        assert connection.execute("SELECT * FROM forgetting").fetchall() == []


def test_a_stations_lines_of_an_earlier_version_go_first_and_then_their_table(tmp_path: Path) -> None:
    earlier_file(tmp_path, [(number, 1, f"a{number}") for number in range(1, 11)])
    for number in range(11, 31):
        file = WireFile(tmp_path, per_station=10, total=MIB)
        file.append([entry("CS-1", f"a{number}")])
        file.close()
        found = texts(tmp_path, "CS-1")
        assert found == [f"a{each}" for each in range(number + 1 - len(found), number + 1)]
        assert 10 <= len(found) <= 11
    assert tables(tmp_path) == {"station", "block", "forgetting"}


def test_the_oldest_lines_of_all_go_first_when_an_earlier_file_is_full(tmp_path: Path) -> None:
    earlier_file(tmp_path, [(number, 1 + number % 2, "x" * 1000) for number in range(1, 1001)])
    file = WireFile(tmp_path, per_station=100_000, total=MIB)
    file.append([entry("CS-3", "x" * 1000)] * 200)
    assert len(texts(tmp_path, "CS-3")) == 200
    assert 0 < len(texts(tmp_path, "CS-1")) < 400
    for _ in range(10):
        file.append([entry("CS-3", "x" * 1000)] * 200)
    file.close()
    assert texts(tmp_path, "CS-1") == []
    assert tables(tmp_path) == {"station", "block", "forgetting"}
    assert sum(path.stat().st_size for path in (tmp_path / WIRE_FOLDER).iterdir()) < 2 * MIB
