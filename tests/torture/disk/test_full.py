"""The database's disk is full, or refuses to be written: nothing is answered as stored, and all recovers by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.acceptance.conftest import MakeSite
from tests.acceptance.controls import HUBS
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id, inventory
from tests.acceptance.stored import assert_nothing_lost
from tests.catalogue.recording import Tally
from tests.torture.disk.bridge_on_bad_disk import ON_BAD_DISK
from tests.torture.disk.disks import FULL, READONLY
from tests.torture.disk.looks import answers, events, is_ready, is_unready
from tests.torture.disk.small_disk import immutable, small_disk
from tests.torture.disk.vfs import library

STATION = "DISK1"
RECOVERS_S = 20.0
"""A station is asked again after 1, 2, 4 … 60 s; here the disk is bad for a few seconds."""


async def requests(site: Site) -> dict[str, int]:
    return {hub: await site.hubs[hub].last() for hub in HUBS}


async def errors(site: Site) -> int:
    return int((await site.fleet.summary())["errors"])


@pytest.mark.row("T12")
async def test_a_full_disk_answers_nothing_pushes_nothing_and_recovers_without_a_restart(
    make_site: MakeSite, tally: Tally
) -> None:
    site = make_site()
    with small_disk(site.state_dir, megabytes=12) as disk:
        await site.start(FleetPlan(stations=12, seed=3, scenario="flapping"))
        disk.fill()
        await until(lambda: is_unready(site), 30, "a bridge that says it is not ready", every=0.1)
        await until(lambda: errors(site), 20, "a status refused", every=0.1)
        asked = len(events(site, "resync_finished"))
        await until(lambda: lanes_wait(site), 20, "both lanes waiting for the storage", every=0.1)
        marked = marks(site)
        pushed = await requests(site)
        refused = await errors(site)
        await until(lambda: more_than(site, refused + 20), 20, "more statuses refused", every=0.1)
        assert await answers(site, "/livez") == 200
        assert await is_unready(site)
        now = await requests(site)
        unmarked = [hub for hub in HUBS if now[hub] != pushed[hub] and marks(site)[hub] == marked[hub]]
        assert not unmarked, "pushed though it could not be marked as under way"
        disk.free()
        await until(lambda: is_ready(site), 10, "a bridge that is ready again")
        await site.assert_hubs_agree()
        await until(lambda: len(events(site, "resync_finished")) > asked, RECOVERS_S, "stations asked again")
        site.bridge.check()
        assert_told_once_each(site)
        tally.count(faults=1, statuses_answered=assert_nothing_lost(site.journal, site.database_url))
        site.close()


async def lanes_wait(site: Site) -> bool:
    """Say whether no lane has a request on its way: one that was marked before the disk was full still goes out."""
    return {line["account"] for line in events(site, "lane_waiting_for_storage")} == {"hubject", "chargeprice"}


def marks(site: Site) -> dict[str, int]:
    """Count how often each lane could write after it could not: a full disk may give pages back, see below."""
    written = [line["account"] for line in events(site, "lane_storage_recovered")]
    return {hub: written.count(hub) for hub in HUBS}


def assert_told_once_each(site: Site) -> None:
    """See one line for each time that the storage failed, and one for each time that it was good again.

    More than one time is the disk's doing: a checkpoint may give a few pages back while it is full, and a large file
    is given back piece by piece, so that one commit fits and the next does not.
    """
    failed, recovered = events(site, "storage_failed"), events(site, "storage_recovered")
    assert {line["why"] for line in failed} == {
        "database unavailable: the disk or the file's size limit is full (SQLITE_FULL); free some space"
    }
    told = sorted((line["timestamp"], line["event"]) for line in [*failed, *recovered])
    assert [event for _, event in told] == ["storage_failed", "storage_recovered"] * len(failed)
    assert len(failed) <= 3, "the log tells more of it than an operator wants to read"


async def more_than(site: Site, number: int) -> bool:
    return await errors(site) > number


@pytest.mark.row("T12")
async def test_a_bridge_that_starts_on_a_full_disk_says_so(make_site: MakeSite) -> None:
    site = make_site()
    with small_disk(site.state_dir, megabytes=8) as disk:
        await site.start_bridge()
        assert await site.stop_bridge() == 0
        disk.fill()
        code, said = await site.run("serve")
        assert code == 1
        assert "the disk or the file's size limit is full" in said
        assert "restore a backup" not in said


async def refused(station: ScriptedStation) -> bool:
    try:
        await station.report("Charging")
    except AssertionError as error:
        return "InternalError" in str(error)
    return False


@pytest.mark.row("T18")
async def test_files_that_become_read_only_under_the_bridge_are_written_again_once_they_may_be(
    make_site: MakeSite, tally: Tally
) -> None:
    site = make_site()
    await site.start_hubs()
    await site.start_bridge()
    await site.import_inventory(inventory(STATION))
    async with ScriptedStation(site.ocpp_url, STATION, answers={"TriggerMessage": {"status": "Accepted"}}) as station:
        await station.boot()
        await station.report("Available")
        with immutable(site.state_dir / "bridge.db-wal"):
            await until(lambda: refused(station), 10, "a status refused", every=0.1)
            assert await is_unready(site)
            site.bridge.check()
        await until(lambda: is_ready(site), 10, "a bridge that is ready again")
        await station.report("Charging")
        await until(lambda: holds(site, "Occupied"), 20, "Occupied at the hub", every=0.1)
        assert "the file is read-only" in events(site, "storage_failed")[0]["why"]
        tally.count(faults=1, statuses_answered=2)


# --- without any rights: SQLite is told by its VFS what the system tells it on such a disk --------------------------


class Refusal:
    """Lets the bridge's disk refuse writes."""

    def __init__(self, order: Path) -> None:
        self._order = order

    def begin(self, code: int) -> None:
        self._order.write_text(str(code), encoding="ascii")

    def end(self) -> None:
        self._order.unlink()


Answers = dict[str, dict[str, str] | None]


@asynccontextmanager
async def one_station(
    make_site: MakeSite, refusal_at: Path, monkeypatch: pytest.MonkeyPatch, answers: Answers
) -> AsyncIterator[tuple[Site, ScriptedStation, Refusal]]:
    """Run a bridge on a disk that can refuse, with one station that has reported Available."""
    library()
    monkeypatch.setenv("DISK_REFUSES", str(refusal_at))
    site = make_site()
    site.bridge_command = ON_BAD_DISK
    await site.start_hubs()
    await site.start_bridge()
    await site.import_inventory(inventory(STATION))
    async with ScriptedStation(site.ocpp_url, STATION, answers=answers) as station:
        await station.boot()
        await station.report("Available")
        await until(lambda: holds(site, "Available"), 20, "Available at the hub", every=0.1)
        yield site, station, Refusal(refusal_at)


async def holds(site: Site, word: str) -> bool:
    return (await site.hubs["hubject"].state()).get(evse_id(STATION)) == word


async def asked_for_its_status(station: ScriptedStation) -> dict[str, object]:
    while True:
        action, payload = await station.received.get()
        if action == "TriggerMessage":
            return payload


@pytest.mark.parametrize(
    ("code", "why"),
    [
        pytest.param(FULL, "the disk or the file's size limit is full", marks=pytest.mark.row("T12"), id="full"),
        pytest.param(READONLY, "the file is read-only", marks=pytest.mark.row("T18"), id="read-only"),
    ],
)
async def test_a_refused_status_is_answered_with_an_error_and_asked_for_once_the_disk_is_good(
    make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally, code: int, why: str
) -> None:
    accepts: Answers = {"TriggerMessage": {"status": "Accepted"}}
    async with one_station(make_site, tmp_path / "refuses", monkeypatch, accepts) as (site, station, refusal):
        refusal.begin(code)
        with pytest.raises(AssertionError, match="CALLERROR InternalError: storage is not available"):
            await station.report("Charging")
        assert await is_unready(site)
        with pytest.raises(InvalidStatus, match="503"):
            await ScriptedStation(site.ocpp_url, STATION).__aenter__()
        while not station.received.empty():
            station.received.get_nowait()
        refusal.end()
        assert await asked_for_its_status(station) == {"requestedMessage": "StatusNotification", "connectorId": 1}
        await station.report("Charging")
        assert await is_ready(site)
        await until(lambda: holds(site, "Occupied"), 20, "Occupied at the hub", every=0.1)
        (failed,) = events(site, "storage_failed")
        assert why in failed["why"]
        assert len(events(site, "storage_recovered")) == 1
        tally.count(faults=1, statuses_answered=2)


@pytest.mark.row("T12")
async def test_a_refused_status_of_a_station_that_refuses_to_be_asked_is_recorded_once_the_disk_is_good(
    make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    async with one_station(make_site, tmp_path / "refuses", monkeypatch, {}) as (site, station, refusal):
        refusal.begin(FULL)
        with pytest.raises(AssertionError, match="CALLERROR InternalError"):
            await station.report("Charging")
        refusal.end()
        await until(lambda: holds(site, "Occupied"), RECOVERS_S, "what it said last at the hub", every=0.1)
        tally.count(faults=1, statuses_answered=1)
