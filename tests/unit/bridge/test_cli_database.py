"""`ocpp-bridge db` while the bridge is stopped: what it makes, what it refuses, and how it ends."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.app.database_marks import read_marks_file
from bridge.cli.command import app
from bridge.cli.run import Parts
from bridge.store.lock_file import LockFile

POSTGRESQL = '\ndatabase_url = "postgresql://nobody:SECRET@nowhere.example/x"\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, without our variables, and with a database."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
        monkeypatch.delenv(name)
    assert run("db", "upgrade").exit_code == 0
    return tmp_path


def run(*arguments: str, answer: str | None = None) -> Result:
    parts = Parts(interactive=lambda: answer is not None)
    return CliRunner().invoke(app, list(arguments), input=answer, obj=parts)


def write(database: str, statement: str) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(statement)


def numbers(database: str) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute("SELECT name, value FROM counter").fetchall())


def test_a_backup_is_one_file_for_its_owner_only_and_names_what_belongs_beside_it(folder: Path) -> None:
    write("state/bridge.db", "INSERT INTO counter VALUES ('receive_seq', 7)")
    result = run("db", "backup", "copy.db", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document == {
        "file": "copy.db",
        "bytes": (folder / "copy.db").stat().st_size,
        "schema": "0007",
        "beside": [str(folder / "state" / "pepper")],
    }
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600
    assert numbers("copy.db") == {"receive_seq": 7}
    assert sorted(path.name for path in folder.iterdir()) == ["copy.db", "state"]


def test_a_file_that_exists_is_replaced_only_where_that_is_said(folder: Path) -> None:
    (folder / "copy.db").write_text("something", encoding="utf-8")
    refused = run("db", "backup", "copy.db")
    assert (refused.exit_code, refused.stderr) == (
        4,
        "copy.db exists already; name another file, or say --overwrite\n",
    )
    assert (folder / "copy.db").read_text(encoding="utf-8") == "something"
    assert run("db", "backup", "copy.db", "--overwrite").exit_code == 0
    assert run("db", "check", "copy.db").exit_code == 0


def test_what_a_killed_backup_left_behind_is_in_nobodys_way(folder: Path) -> None:
    (folder / "copy.db.part").write_bytes(b"half")
    assert run("db", "backup", "copy.db").exit_code == 0
    assert not (folder / "copy.db.part").exists()


def test_a_damaged_database_is_not_taken_for_a_backup(folder: Path) -> None:
    write("state/bridge.db", "PRAGMA journal_mode=DELETE")
    content = bytearray((folder / "state" / "bridge.db").read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 64] = b"\xff" * 64
    (folder / "state" / "bridge.db").write_bytes(content)
    result = run("db", "backup", "copy.db")
    assert result.exit_code == 5
    assert not [path.name for path in folder.iterdir() if path.name != "state"]
    assert run("db", "check").exit_code == 5


@pytest.mark.parametrize("verb", ["backup", "restore", "check"])
def test_a_postgresql_database_is_left_to_its_own_tools(folder: Path, verb: str) -> None:
    (folder / "bridge.toml").write_text(POSTGRESQL, encoding="utf-8")
    result = run("db", verb, *(() if verb == "check" else ("copy.db",)))
    assert result.exit_code == 2
    assert {"backup": "pg_dump", "restore": "pg_restore", "check": "pg_amcheck"}[verb] in result.stderr
    assert "SECRET" not in result.output


@pytest.mark.parametrize("verb", ["restore", "check"])
def test_a_file_that_is_not_there_is_exit_code_3(verb: str) -> None:
    result = run("db", verb, "none.db")
    assert (result.exit_code, result.stderr) == (3, "none.db: no such file\n")


def test_a_file_that_is_no_database_of_ours_is_refused_and_nothing_is_replaced(folder: Path) -> None:
    write("other.db", "CREATE TABLE t (x)")
    before = (folder / "state" / "bridge.db").read_bytes()
    result = run("db", "restore", "other.db", "--yes")
    assert (result.exit_code, result.stderr) == (
        5,
        "other.db should be a database of ocpp-bridge: no database of ocpp-bridge\n",
    )
    assert (folder / "state" / "bridge.db").read_bytes() == before


def test_a_backup_of_a_newer_release_is_refused_and_nothing_is_replaced(folder: Path) -> None:
    assert run("db", "backup", "copy.db").exit_code == 0
    write("copy.db", "UPDATE alembic_version SET version_num = '9999'")
    before = (folder / "state" / "bridge.db").read_bytes()
    result = run("db", "restore", "copy.db", "--yes")
    assert result.exit_code == 1
    assert "9999" in result.stderr
    assert (folder / "state" / "bridge.db").read_bytes() == before
    assert read_marks_file(folder / "state") is None


def test_a_database_that_is_in_use_is_not_replaced(folder: Path) -> None:
    assert run("db", "backup", "copy.db").exit_code == 0
    lock = LockFile(folder / "state" / "bridge.db.lock", "database")
    try:
        result = run("db", "restore", "copy.db", "--yes")
    finally:
        lock.release()
    assert result.exit_code == 4
    assert "is in use by process" in result.stderr
    assert read_marks_file(folder / "state") is None


def test_a_restore_asks_keeps_the_replaced_database_and_tells_the_next_start(folder: Path) -> None:
    write("state/bridge.db", "INSERT INTO counter VALUES ('mark', 7)")
    assert run("db", "backup", "copy.db").exit_code == 0
    write("state/bridge.db", "UPDATE counter SET value = 9")
    declined = run("db", "restore", "copy.db", answer="n\n")
    assert declined.exit_code == 1
    assert numbers("state/bridge.db") == {"mark": 9}
    assert run("db", "restore", "copy.db", answer="y\n").exit_code == 0
    assert numbers("state/bridge.db") == {"mark": 7}
    assert numbers("state/bridge.db.replaced") == {"mark": 9}
    marks = read_marks_file(folder / "state")
    assert marks is not None
    assert marks.mark > 7


def test_a_restore_that_nobody_can_confirm_names_the_option_that_does(folder: Path) -> None:
    assert run("db", "backup", "copy.db").exit_code == 0
    for arguments in ((), ("--json",)):
        refused = run("db", "restore", "copy.db", *arguments)
        assert refused.exit_code == 2
        assert refused.stderr == f"nobody is there to ask; add --yes to replace {Path('state/bridge.db')}\n"


def test_what_stood_only_in_the_write_ahead_log_is_in_the_backup_and_with_the_replaced_database(folder: Path) -> None:
    with closing(sqlite3.connect("state/bridge.db", isolation_level=None)) as open_still:
        open_still.execute("PRAGMA wal_autocheckpoint=0")
        open_still.execute("INSERT INTO counter VALUES ('receive_seq', 8)")
        assert (folder / "state" / "bridge.db-wal").stat().st_size > 0
        assert run("db", "backup", "copy.db").exit_code == 0
        assert numbers("copy.db") == {"receive_seq": 8}
        open_still.execute("UPDATE counter SET value = 9")
        assert run("db", "restore", "copy.db", "--yes").exit_code == 0
    assert numbers("state/bridge.db") == {"receive_seq": 8}
    assert numbers("state/bridge.db.replaced") == {"receive_seq": 9}
