"""One operation on the disk fails with an I/O error, the nth: nothing is answered any more, nothing answered is lost.

Every other operation is done, before and after: what must stop the bridge is that an error happened, once. That it
happened while the log was copied into the database counts, too, though what was answered was safe in the log.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan
from tests.acceptance.stored import assert_nothing_lost
from tests.catalogue.recording import Tally
from tests.torture.disk.bridge_on_bad_disk import ON_BAD_DISK
from tests.torture.disk.conftest import Stocked
from tests.torture.disk.disks import BreakingDisk
from tests.torture.disk.traffic import Told, Traffic, integrity, missing, traffic
from tests.torture.disk.vfs import library, standing_between

pytestmark = pytest.mark.row("T15")

_ROUNDS = 12
_FILES = {
    "write": {"bridge.db-wal", "bridge.db"},
    "sync": {"bridge.db-wal", "bridge.db"},
    "truncate": {"bridge.db"},
}
"""What is written, synced and cut while stations report: the log, and the database when the log is copied into it."""


async def break_at(folder: Path, operation: str, nth: int) -> tuple[str | None, Told]:
    """Let stations report to a bridge whose disk breaks; return which file it was that failed, and what they heard."""
    disk, told = BreakingDisk(), Told()
    with standing_between(disk):
        async with traffic(folder, told) as stations:
            disk.arm(operation, nth)
            await stations.rounds(_ROUNDS, random.Random(1))
            if disk.broke is not None:
                await assert_no_answer_any_more(stations, told)
            disk.arm(operation, 0)
    return disk.broke, told


async def assert_no_answer_any_more(stations: Traffic, told: Told) -> None:
    answered, refused = told.statuses, told.refused
    assert refused > 0, "a status was answered though the disk failed"
    await stations.rounds(1, random.Random(2))
    assert told.statuses == answered
    assert told.refused > refused
    assert ["I/O error" in str(error) for error in told.broken] == [True]


async def assert_stops_and_loses_nothing(stocked: Stocked, tally: Tally, operation: str, stride: int) -> None:
    """Break at the first, and then at every `stride`th operation, until all of the traffic passes unharmed."""
    files: set[str] = set()
    nth = 1
    while True:
        folder = stocked()
        broke, told = await break_at(folder, operation, nth)
        assert missing(folder / "bridge.db", told.answered) == [], f"{operation} {nth}: {broke}"
        assert integrity(folder / "bridge.db") == "ok", f"{operation} {nth}: {broke}"
        if broke is None:
            break
        files.add(broke.removeprefix(f"{operation} "))
        tally.count(faults=1, statuses_answered=told.statuses)
        nth += stride
    assert files == _FILES[operation]


@pytest.mark.parametrize(("operation", "stride"), [("write", 9), ("sync", 1), ("truncate", 1)])
async def test_an_io_error_stops_all_answers_and_loses_none(
    stocked: Stocked, tally: Tally, operation: str, stride: int
) -> None:
    await assert_stops_and_loses_nothing(stocked, tally, operation, stride)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_an_io_error_at_each_write_stops_all_answers_and_loses_none(stocked: Stocked, tally: Tally) -> None:
    await assert_stops_and_loses_nothing(stocked, tally, "write", stride=1)


@pytest.mark.parametrize("breaks", ["sync:150", "write:900"])
async def test_a_bridge_ends_with_one_clear_line_and_goes_on_from_there(
    make_site: MakeSite, tally: Tally, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    library()
    monkeypatch.setenv("DISK_BREAKS", breaks)
    site = make_site()
    sound, site.bridge_command = site.bridge_command, ON_BAD_DISK
    await site.start(FleetPlan(stations=8, seed=5, scenario="flapping"))
    assert await site.bridge.ended(30) == 1
    assert "ocpp-bridge: database broken: I/O error (SQLITE_IOERR_" in site.bridge.log.read_text(encoding="utf-8")
    assert "Traceback" not in site.bridge.log.read_text(encoding="utf-8")
    tally.count(faults=1, statuses_answered=assert_nothing_lost(site.journal, site.database_url))
    site.bridge_command = sound
    await site.start_bridge()
    await site.assert_hubs_agree()
    assert_nothing_lost(site.journal, site.database_url)


async def test_a_bridge_whose_disk_breaks_at_start_says_so_and_listens_to_nobody(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    library()
    monkeypatch.setenv("DISK_BREAKS", "sync:4")
    site = make_site()
    site.bridge_command = ON_BAD_DISK
    code, said = await site.run("serve")
    assert code not in (0, None)
    assert "broken: I/O error (SQLITE_IOERR_FSYNC)" in said
    assert "Traceback" not in said
    assert not (site.state_dir / "ports.json").exists()
