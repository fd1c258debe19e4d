import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bridge.store.engine import Store
from bridge.store.errors import SchemaTooNew
from bridge.store.tables import metadata


async def test_migrations_build_exactly_the_tables_that_the_code_describes(store: Store) -> None:
    with store.engine.connect() as connection:
        # Alembic takes SQLite's DEFAULT '' for a difference; the same steps are compared on PostgreSQL.
        options = {"compare_type": True, "compare_server_default": store.dialect == "postgresql"}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


async def test_upgrade_twice_changes_nothing(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO counter (name, value) VALUES ('receive_seq', 7)"))
    store.upgrade()
    with store.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT value FROM counter")).scalar_one() == 7


async def test_a_schema_of_a_newer_release_is_refused_and_left_alone(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew) as caught:
        store.upgrade()
    assert caught.value.found == "9999"
    assert "newer release" in str(caught.value)
    with store.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"


async def test_checks_of_references_are_on_after_an_upgrade(store: Store) -> None:
    statement = sa.text("INSERT INTO connector VALUES ('nobody', 0, 1, 99)")
    with store.engine.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(statement)
