"""The database's files are damaged when a bridge starts: it refuses, or goes on with what is whole."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from bridge.store.engine import open_store
from bridge.store.errors import StoreBroken
from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan
from tests.acceptance.processes import tail
from tests.catalogue.recording import Tally
from tests.torture.disk.conftest import Stocked
from tests.torture.disk.traffic import Told, integrity, missing, traffic

pytestmark = pytest.mark.row("T17")

_SECTOR = 512


async def used(stocked: Stocked, *, closed: bool) -> tuple[Path, Told]:
    """Return a folder that a bridge has used, and what stations were told; not `closed`: as a crash leaves it."""
    folder, told = stocked(), Told()
    left = folder.with_name(f"{folder.name}-left")
    async with traffic(folder, told) as stations:
        stations.store.checkpoint_after = 10_000
        await stations.rounds(20, random.Random(1))
        if not closed:
            shutil.copytree(folder, left)
    return (folder if closed else left), told


def start(folder: Path) -> str | None:
    """Open the database as a bridge does that starts; return why it does not, None where it does."""
    try:
        store = open_store(f"sqlite:///{folder / 'bridge.db'}", state_dir=folder / "state")
    except StoreBroken as error:
        return str(error)
    store.upgrade()
    store.engine.dispose()
    store.release()
    return None


def tear(database: Path, chance: random.Random) -> None:
    """Leave a page as a disk may that lost power in the middle of it, or that has gone bad."""
    size = chance.choice((_SECTOR, 4096))
    with database.open("r+b") as file:
        file.seek(chance.randrange(0, database.stat().st_size - size, _SECTOR))
        file.write(chance.choice((bytes(size), chance.randbytes(size))))


async def test_a_torn_page_is_refused_with_one_line_or_hurts_nothing(
    stocked: Stocked, tmp_path: Path, tally: Tally
) -> None:
    whole, told = await used(stocked, closed=True)
    refused = 0
    for seed in range(40):
        folder = Path(shutil.copytree(whole, tmp_path / f"torn-{seed}"))
        tear(folder / "bridge.db", random.Random(seed))
        why = start(folder)
        if why is not None:
            assert why.startswith(f"database {folder / 'bridge.db'} broken: the file is "), f"seed {seed}"
            refused += 1
        else:
            assert integrity(folder / "bridge.db") == "ok", f"seed {seed}"
            assert missing(folder / "bridge.db", told.answered) == [], f"seed {seed}"
        tally.seed(seed)
    assert 5 < refused < 40, "too little was torn to prove anything"


async def test_a_log_cut_off_anywhere_leaves_a_sound_database_of_an_earlier_moment(
    stocked: Stocked, tmp_path: Path, tally: Tally
) -> None:
    left, _ = await used(stocked, closed=False)
    size = (left / "bridge.db-wal").stat().st_size
    for seed in range(100, 120):
        folder = Path(shutil.copytree(left, tmp_path / f"cut-{seed}"))
        with (folder / "bridge.db-wal").open("r+b") as log:
            log.truncate(random.Random(seed).randrange(size))
        assert start(folder) is None, f"seed {seed}"
        assert integrity(folder / "bridge.db") == "ok", f"seed {seed}"
        tally.seed(seed)


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 5000], ids=["missing", "empty", "garbage"])
async def test_without_its_index_the_log_is_read_all_the_same(stocked: Stocked, content: bytes | None) -> None:
    folder, told = await used(stocked, closed=False)
    index = folder / "bridge.db-shm"
    index.unlink() if content is None else index.write_bytes(content)
    assert start(folder) is None
    assert missing(folder / "bridge.db", told.answered) == []
    assert integrity(folder / "bridge.db") == "ok"


async def test_a_bridge_does_not_start_on_a_damaged_database_and_pushes_nothing(make_site: MakeSite) -> None:
    site = make_site()
    await site.start(FleetPlan(stations=6, seed=5))
    await site.assert_hubs_agree()
    assert await site.stop_bridge() == 0
    pushed = {hub: await site.hubs[hub].last() for hub in site.hubs}
    database = site.state_dir / "bridge.db"
    with database.open("r+b") as file:
        for page in range(2, database.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    code, said = await site.run("serve")
    assert code != 0
    assert f"database {database} broken: the file is damaged" in said
    assert "Traceback" not in tail(site.bridge.log, 100)
    assert {hub: await site.hubs[hub].last() for hub in site.hubs} == pushed
