"""An upgrade that is killed at any statement leaves the database as it was, and the next one completes."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from bridge.store.engine import open_store
from bridge.store.schema import configuration
from tests.acceptance.stored import rows
from tests.catalogue.recording import Tally
from tests.conftest import create_database

pytestmark = pytest.mark.row("T11")

STATIONS = 200
KILLS = 3
_NEVER = 1_000_000

_UPGRADE = """
import os, pathlib, signal, sys
import sqlalchemy as sa
from bridge.store.engine import open_store

left = int(sys.argv[3])
store = open_store(sys.argv[1], state_dir=pathlib.Path(sys.argv[2]))

@sa.event.listens_for(store.engine, "after_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

store.upgrade()
print(int(sys.argv[3]) - left)
"""

_KEPT = (
    "SELECT id, id_folded, security FROM station ORDER BY id",
    "SELECT id, evse_id, station, operator FROM evse ORDER BY id",
    "SELECT station, ocpp_evse, ocpp_connector, status, seq, reported_at FROM fact ORDER BY station",
    "SELECT account, evse, desired, desired_seq, acked_seq FROM delivery ORDER BY evse",
    "SELECT evse, kind, valid_from_w FROM temporary_status ORDER BY evse",
)
"""What every schema since the first has, and an upgrade must not change."""

_DATA = (
    "INSERT INTO station (id, id_folded, security) VALUES ('S{n}', 's{n}', 0)",
    "INSERT INTO evse (id, evse_id, canonical, station, operator) "
    "VALUES ({n}, 'DE*ABC*E{n}', 'DEABCE{n}', 'S{n}', 'acme')",
    "INSERT INTO fact (station, ocpp_evse, ocpp_connector, status, seq, epoch, received_at, reported_at, source) "
    "VALUES ('S{n}', 0, 1, 'Charging', {n}, 1, 1700000000000000, '2023-11-14T22:13:20Z', 'status')",
    "INSERT INTO delivery (account, evse, desired, desired_seq, desired_at) "
    "VALUES ('hubject', {n}, 'Occupied', {n}, 1700000000000000)",
    "INSERT INTO temporary_status (evse, kind, valid_from_w) VALUES ({n}, 'MAINTENANCE', 1700000000000000)",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database without a schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bridge.db'}"
        return
    import psycopg

    server = request.getfixturevalue("postgresql_server")
    name = f"old_{uuid4().hex}"
    yield create_database(server, name, "template1")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def fill(url: str, state_dir: Path, revision: str) -> None:
    """Make the database that a release with this schema would have left, with data."""
    store = open_store(url, state_dir=state_dir)
    try:
        with store.engine.begin() as connection:
            command.upgrade(configuration(connection), revision)
            for number in range(1, STATIONS + 1):
                for statement in _DATA:
                    connection.execute(sa.text(statement.format(n=number)))
    finally:
        store.engine.dispose()
        store.release()


async def upgrade(url: str, state_dir: Path, kill_after: int) -> subprocess.CompletedProcess[str]:
    """Upgrade in a process of its own, which is killed after so many statements."""
    arguments = [sys.executable, "-c", _UPGRADE, url, str(state_dir), str(kill_after)]
    return await asyncio.to_thread(subprocess.run, arguments, capture_output=True, text=True, timeout=60, check=False)


def kept(url: str) -> list[list[tuple[object, ...]]]:
    return [rows(url, query) for query in _KEPT]


def revision_of(url: str) -> str:
    ((found,),) = rows(url, "SELECT version_num FROM alembic_version")
    return str(found)


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
async def test_killed_at_any_statement_it_begins_anew_and_loses_nothing(
    empty_url: str, revision: str, tmp_path: Path, tally: Tally
) -> None:
    state_dir = tmp_path / "state"
    fill(empty_url, state_dir, revision)
    before = kept(empty_url)
    chance = random.Random(f"{revision}:{empty_url.partition(':')[0]}")
    for kill_after in sorted(chance.randint(2, 12) for _ in range(KILLS)):
        killed = await upgrade(empty_url, state_dir, kill_after)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert (revision_of(empty_url), kept(empty_url)) == (revision, before)
        tally.count(faults=1)
    done = await upgrade(empty_url, state_dir, _NEVER)
    assert done.returncode == 0, done.stderr
    assert revision_of(empty_url) == ScriptDirectory.from_config(configuration()).get_current_head()
    assert kept(empty_url) == before
    assert int(done.stdout) > 2
