"""Give each test a fresh database of each kind: a SQLite file, and a database of a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from shutil import copyfile

import pytest

from bridge.store.engine import Store, open_store
from bridge.store.writer import Writer

BUSY_TIMEOUT = timedelta(seconds=5)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one file, which each test then gets a copy of, as with PostgreSQL: most of a short test's time."""
    folder = tmp_path_factory.mktemp("template")
    opened = open_store(f"sqlite:///{folder / 'bridge.sqlite'}", state_dir=folder)
    opened.upgrade()
    opened.engine.dispose()
    opened.release()
    return folder / "bridge.sqlite"


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{copyfile(sqlite_template, tmp_path / 'bridge.sqlite')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def store(store_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    """An open database with this release's schema."""
    opened = open_store(store_url, state_dir=tmp_path / "state", busy_timeout=BUSY_TIMEOUT)
    opened.upgrade()
    yield opened
    await opened.close()


@pytest.fixture
async def writer(store: Store) -> AsyncIterator[Writer]:
    started = Writer(store)
    started.start()
    yield started
    await started.stop()
