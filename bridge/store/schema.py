"""Bring a database's schema to what this release knows, in-process and in one transaction.

Never touches a database that a newer release has upgraded. The steps are in `migrations/versions`.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bridge.store.errors import SchemaTooNew


def configuration(connection: sa.Connection | None = None) -> Config:
    """Return Alembic's configuration for our steps, to run on `connection`."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def upgrade(engine: sa.Engine) -> None:
    """Run the steps that the database lacks. Raises: SchemaTooNew, and what SQLAlchemy raises."""
    scripts = ScriptDirectory.from_config(configuration())
    head = scripts.get_current_head()
    with engine.connect() as connection:
        _check_foreign_keys(connection, on=False)
        try:
            with connection.begin():
                found = MigrationContext.configure(connection).get_current_revision()
                _refuse_newer(scripts, found)
                if found != head:
                    command.upgrade(configuration(connection), "head")
                    _refuse_dangling_rows(connection)
        finally:
            _check_foreign_keys(connection, on=True)


def known_revisions() -> list[str]:
    """Return the revisions that this release knows, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()]


def _refuse_newer(scripts: ScriptDirectory, found: str | None) -> None:
    known = [script.revision for script in scripts.walk_revisions()]
    if found is not None and found not in known:
        raise SchemaTooNew(found, known[0])


def _check_foreign_keys(connection: sa.Connection, *, on: bool) -> None:
    """Switch SQLite's checks; a step that rebuilds a table drops it, which they forbid.

    Goes past SQLAlchemy, since "this pragma is a no-op within a transaction" (SQLite, PRAGMA foreign_keys).
    """
    if connection.dialect.name == "sqlite" and not connection.closed:
        driver = connection.connection.driver_connection
        if driver is not None:
            driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _refuse_dangling_rows(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if dangling is not None:
            raise AssertionError(f"a migration step left a row of {dangling[0]!r} that refers to nothing")
