import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bridge.store.engine import Store
from bridge.store.errors import SchemaTooNew
from bridge.store.schema import configuration
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


@pytest.mark.row("T11")
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


async def test_an_upgrade_keeps_what_an_older_release_stored(store: Store) -> None:
    with store.engine.begin() as connection:
        metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE alembic_version"))
        command.upgrade(configuration(connection), "0001")
        connection.execute(sa.text("INSERT INTO station (id, id_folded, security) VALUES ('S1', 's1', 0)"))
        connection.execute(
            sa.text(
                "INSERT INTO evse (id, evse_id, canonical, station, operator) "
                "VALUES (5, 'DE*ABC*E1', 'DEABCE1', 'S1', 'acme')"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO temporary_status (evse, kind, valid_from_w) VALUES (5, 'MAINTENANCE', 1700000000000000)"
            )
        )
        command.upgrade(configuration(connection), "0004")
        connection.execute(
            sa.text(
                "INSERT INTO temporary_status (id, evse, kind, valid_from_w, valid_to_w, over) "
                "VALUES (9, 5, 'BLOCKED', 1700000000000000, 1700000001000000, true)"
            )
        )
        command.upgrade(configuration(connection), "0006")
        connection.execute(
            sa.text("INSERT INTO evse_state (evse, version, status, live, rule) VALUES (5, 1, 's', 'l', 'r')")
        )
        told = [{"id": number, "evse": 5 if number % 2 else 6} for number in range(1, 21)]
        connection.execute(
            sa.text(
                "INSERT INTO history (id, evse, at_w, status, live, rule, seq) VALUES (:id, :evse, 7, 's', 'l', 'r', 1)"
            ),
            told,
        )
    store.upgrade()
    with store.engine.connect() as connection:
        tied = connection.execute(sa.text("SELECT id, earlier, mark FROM history WHERE evse = 5 ORDER BY id")).all()
        assert [tuple(row) for row in tied] == [
            (1, None, 5),
            *((number, number - 2, 5 if number == 17 else None) for number in range(3, 21, 2)),
        ]
        assert connection.execute(sa.text("SELECT last_change FROM evse_state")).scalars().all() == [19]
        kept = connection.execute(
            sa.text("SELECT evse, kind, valid_from_w, enforce, over FROM temporary_status ORDER BY id")
        ).all()
        assert [tuple(row) for row in kept] == [
            (5, "MAINTENANCE", 1700000000000000, False, False),
            (5, "BLOCKED", 1700000000000000, False, True),
        ]
        ended = connection.execute(sa.text("SELECT over_at_w FROM temporary_status ORDER BY id")).scalars().all()
        assert ended == [None, 1700000001000000]
        numbers = connection.execute(sa.text("SELECT value FROM counter WHERE name = 'temporary_id'"))
        assert numbers.scalar_one() == 9
        assert connection.execute(sa.text("SELECT evse_id, spirii FROM evse")).all() == [("DE*ABC*E1", False)]
