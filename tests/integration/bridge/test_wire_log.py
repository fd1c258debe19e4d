"""The wire log on real files: bounds, cuts, failures that cost lines alone, and a folder without secrets."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.wire_log import WIRE_FOLDER, FileWireLog, LogUnreadable, Masking, WireFile, WireLogOptions, read_lines
from bridge.wire_log.line import Entry, Kind
from csms.events import Epoch, OcppVersion
from csms.ports import Direction

MIB = 2**20
HEARTBEAT = b'[2,"1","Heartbeat",{}]'
PATIENCE_S = 5.0


def entry(station: str, text: str, at: int = 0) -> Entry:
    return Entry(at, station, 1, Kind.FROM_STATION, text, len(text))


def texts(folder: Path, station: str, limit: int = 1000, after: int | None = None) -> list[str]:
    return [line.text for line in read_lines(folder, station, limit=limit, after=after)]


class Lost:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __call__(self, what: str, number: int) -> None:
        self.counts[what] += number


def log_of(folder: Path, lost: Callable[[str, int], None] | None = None, **options: int) -> FileWireLog:
    return FileWireLog(folder, Masking(b"key"), WireLogOptions(**options), lost or Lost())


# --- the file -----------------------------------------------------------------------------------------------------


def test_the_last_lines_of_a_station_are_read_oldest_first_and_others_are_not(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=100, total=MIB)
    file.append([entry("CS-1", f"a{n}") for n in range(5)] + [entry("CS-2", "other")])
    assert texts(tmp_path, "CS-1", limit=3) == ["a2", "a3", "a4"]
    assert texts(tmp_path, "CS-2") == ["other"]
    assert texts(tmp_path, "CS-3") == []
    file.close()


def test_reading_goes_on_after_a_cursor(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=100, total=MIB)
    file.append([entry("CS-1", f"a{n}") for n in range(3)])
    first = read_lines(tmp_path, "CS-1", limit=1, after=0)
    assert [line.text for line in first] == ["a0"]
    assert texts(tmp_path, "CS-1", after=first[-1].id) == ["a1", "a2"]
    file.append([entry("CS-1", "a3")])
    assert texts(tmp_path, "CS-1", limit=2, after=first[-1].id + 1) == ["a2", "a3"]
    file.close()


def test_lines_since_a_moment(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=100, total=MIB)
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    micros = int(noon.timestamp()) * 1_000_000
    file.append([entry("CS-1", "before", micros - 1), entry("CS-1", "at", micros)])
    file.close()
    [line] = read_lines(tmp_path, "CS-1", limit=10, since=noon)
    assert (line.text, line.at) == ("at", noon)


def test_a_station_is_found_in_any_spelling_but_by_its_own_first(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=100, total=MIB)
    file.append([entry("cs-1", "small"), entry("CS-1", "large"), entry("Other", "other")])
    file.close()
    assert texts(tmp_path, "CS-1") == ["large"]
    assert texts(tmp_path, "cs-1") == ["small"]
    assert texts(tmp_path, "OTHER") == ["other"]


def test_a_station_keeps_its_newest_lines_and_takes_none_from_others(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=10, total=MIB)
    file.append([entry("CS-2", "quiet")])
    for number in range(40):
        file.append([entry("CS-1", f"a{number}")])
    file.append([entry("CS-1", f"b{number}") for number in range(25)])
    assert texts(tmp_path, "CS-1") == [f"b{number}" for number in range(15, 25)]
    assert texts(tmp_path, "CS-2") == ["quiet"]
    file.close()


def test_a_station_never_has_more_than_a_tenth_over_its_share(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=100, total=MIB)
    for number in range(250):
        file.append([entry("CS-1", f"a{number}")])
        found = texts(tmp_path, "CS-1", limit=1000)
        assert min(number + 1, 100) <= len(found) <= 110
        assert found[-1] == f"a{number}"
    file.close()


def test_the_file_keeps_its_size_and_the_oldest_lines_of_all_go_first(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=100_000, total=MIB)
    for number in range(40):
        file.append([entry(f"CS-{number}", "x" * 1000) for _ in range(100)])
    assert texts(tmp_path, "CS-0") == []
    assert len(texts(tmp_path, "CS-39")) == 100
    file.close()
    assert sum(path.stat().st_size for path in (tmp_path / WIRE_FOLDER).iterdir()) < 1.5 * MIB


def test_a_file_opened_again_goes_on(tmp_path: Path) -> None:
    for number in range(3):
        file = WireFile(tmp_path, per_station=2, total=MIB)
        file.append([entry("CS-1", f"a{number}")])
        file.close()
    assert texts(tmp_path, "CS-1") == ["a1", "a2"]
    assert [line.id for line in read_lines(tmp_path, "CS-1", limit=9)] == sorted(
        {line.id for line in read_lines(tmp_path, "CS-1", limit=9)}
    )


def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    file = WireFile(tmp_path, per_station=2, total=MIB)
    file.append([entry("CS-1", "a")])
    folder = tmp_path / WIRE_FOLDER
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    file.close()


def test_reading_what_is_no_log_says_so(tmp_path: Path) -> None:
    (tmp_path / WIRE_FOLDER).mkdir()
    (tmp_path / WIRE_FOLDER / "lines.db").write_bytes(b"no database" * 1000)
    with pytest.raises(LogUnreadable, match="lines\\.db: file is not a database"):
        read_lines(tmp_path, "CS-1", limit=1)


# --- the log ------------------------------------------------------------------------------------------------------


async def test_frames_are_masked_and_kept_with_what_happened_to_the_connection(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.ring.opened("CS-1", Epoch(3), OcppVersion.V16, "127.0.0.1:5000")
    log.ring.frame("CS-1", Epoch(3), Direction.FROM_STATION, b'[2,"1","Authorize",{"idTag":"04AABBCC"}]')
    log.ring.frame("CS-1", Epoch(3), Direction.TO_STATION, '[3,"1",{"idTagInfo":{"status":"Accepted"}}]')
    log.ring.closed("CS-1", Epoch(3), 1000, "password=hunter2")
    await log.close()
    lines = read_lines(tmp_path, "CS-1", limit=10)
    assert [line.kind for line in lines] == [Kind.OPENED, Kind.FROM_STATION, Kind.TO_STATION, Kind.CLOSED]
    assert [line.text for line in lines] == [
        "ocpp1.6 from 127.0.0.1:5000",
        '[2,"1","Authorize",{"idTag":"' + Masking(b"key").pseudonym("04AABBCC") + '"}]',
        '[3,"1",{"idTagInfo":{"status":"Accepted"}}]',
        '1000 password="***"',
    ]
    assert [line.size for line in lines][1] == 40
    stored = b"".join(path.read_bytes() for path in (tmp_path / WIRE_FOLDER).iterdir())
    assert b"04AABBCC" not in stored
    assert b"hunter2" not in stored


async def test_a_long_frame_is_cut_and_its_size_noted(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, b"x" * 5000)
    log.ring.frame("CS-1", Epoch(1), Direction.TO_STATION, "é" * 4000)
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, b"x" * 100_000)
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, b"x" * 4096)
    await log.close()
    lines = read_lines(tmp_path, "CS-1", limit=10)
    assert [(len(line.text), line.size, line.cut) for line in lines] == [
        (4096, 5000, True),
        (2048, 8000, True),
        (4096, 100_000, True),
        (4096, 4096, False),
    ]


async def test_a_long_frame_with_nothing_to_hide_is_cut_as_well(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    members = ",".join(['"status":"Available"'] * 300)
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, f'[2,"1","StatusNotification",{{{members}}}]'.encode())
    await log.close()
    [line] = read_lines(tmp_path, "CS-1", limit=10)
    assert (len(line.text), line.size, line.cut) == (4096, 6330, True)


async def test_a_secret_behind_the_cut_does_not_show_before_it(tmp_path: Path) -> None:
    """What is cut is no JSON any more: it is masked before."""
    log = log_of(tmp_path)
    frame = '[2,"1","ChangeConfiguration",{"value":"' + "hunter2 " * 1000 + '","key":"AuthorizationKey"}]'
    log.ring.frame("CS-1", Epoch(1), Direction.TO_STATION, frame)
    await log.close()
    [line] = read_lines(tmp_path, "CS-1", limit=10)
    assert line.text == '[2,"1","ChangeConfiguration",{"value":"***","key":"AuthorizationKey"}]'


async def test_bytes_that_are_no_text_are_escaped(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, b'[2,"\xff\xfe\x00')
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, b'[2,"\\ud800","data"]')
    await log.close()
    assert texts(tmp_path, "CS-1") == ['[2,"\\xff\\xfe\x00', '[2,"\\ud800","data"]']


async def test_it_flushes_by_itself_and_tells_followers(tmp_path: Path) -> None:
    log = FileWireLog(tmp_path, Masking(b"key"), WireLogOptions(delay=timedelta(0)), Lost())
    running = asyncio.create_task(log.run())
    for number in range(3):
        flushed = log.flushed()
        log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
        async with asyncio.timeout(PATIENCE_S):
            await flushed
        assert len(texts(tmp_path, "CS-1")) == number + 1
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
    log.stop()
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert len(texts(tmp_path, "CS-1")) == 4
    await log.close()


async def test_a_bridge_that_is_killed_leaves_what_was_flushed_readable(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
    await log.flush()
    killed = tmp_path / "killed"
    (killed / WIRE_FOLDER).mkdir(parents=True)
    for path in (tmp_path / WIRE_FOLDER).iterdir():
        (killed / WIRE_FOLDER / path.name).write_bytes(path.read_bytes())
    assert len(texts(killed, "CS-1")) == 1
    await log.close()


async def test_a_failing_file_costs_lines_alone_and_is_told_once(tmp_path: Path) -> None:
    lost = Lost()
    (tmp_path / WIRE_FOLDER).write_text("in the way")
    log = log_of(tmp_path, lost)
    with capture_logs() as said:
        for _ in range(3):
            log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
            await log.flush()
        (tmp_path / WIRE_FOLDER).unlink()
        log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
        await log.close()
    assert [each["event"] for each in said] == ["wire_log_failed", "wire_log_recovered"]
    assert lost.counts == {"wire_log_failed": 3}
    assert len(texts(tmp_path, "CS-1")) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
async def test_a_full_disk_costs_lines_alone(tmp_path: Path) -> None:
    lost = Lost()
    folder = tmp_path / WIRE_FOLDER
    folder.mkdir()
    os.symlink("/dev/full", folder / "lines.db")
    log = log_of(tmp_path, lost)
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
    await log.close()
    assert lost.counts == {"wire_log_failed": 1}


async def test_a_broken_file_begins_anew_with_ids_that_readers_have_not_seen(tmp_path: Path) -> None:
    lost = Lost()
    log = log_of(tmp_path, lost)
    log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
    await log.close()
    [before] = read_lines(tmp_path, "CS-1", limit=1)
    for path in (tmp_path / WIRE_FOLDER).iterdir():
        path.write_bytes(b"\x00garbage" * 4096)
    log = log_of(tmp_path, lost)
    for _ in range(2):
        log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, HEARTBEAT)
        await log.flush()
    await log.close()
    assert lost.counts == {"wire_log_failed": 1}
    [after] = read_lines(tmp_path, "CS-1", limit=10)
    assert after.id > before.id


async def test_a_file_too_slow_for_the_frames_loses_the_oldest_and_counts_them(tmp_path: Path) -> None:
    lost = Lost()
    log = log_of(tmp_path, lost, ring=10_000)
    for number in range(100):
        log.ring.frame("CS-1", Epoch(1), Direction.FROM_STATION, f"{number:010}")
    await log.close()
    kept = texts(tmp_path, "CS-1")
    assert kept[-1] == f"{99:010}"
    assert lost.counts == {"wire_log_dropped": 100 - len(kept)}


@pytest.mark.parametrize("schema", ["", "CREATE TABLE station (number INTEGER)"], ids=["empty", "half-made"])
async def test_a_file_that_is_being_made_has_no_lines_yet(tmp_path: Path, schema: str) -> None:
    (tmp_path / "wire").mkdir()
    with closing(sqlite3.connect(tmp_path / "wire" / "lines.db")) as making:
        making.execute("PRAGMA journal_mode = WAL")
        making.executescript(schema)
        assert read_lines(tmp_path, "CS-1", limit=10) == ()
