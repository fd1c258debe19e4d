"""Parse `ocpp-bridge db`: bring the schema up to date, copy the database, put a copy back, check it.

Reads the database beside a running bridge, and changes it only while the bridge is stopped: its lock tells. Before it:
`command`. After it: `store.backup`, `app.restoring`.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import (
    ConfigOption,
    ExitCode,
    JsonOption,
    YesOption,
    confirm,
    examples,
    fail,
    log_to_stderr,
    new_group,
    parts_of,
    print_document,
    say,
    settings_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.settings import Settings
    from bridge.store.backup import Copied

app = new_group("The database.")

_NOT_SQLITE = {
    "backup": "the database is PostgreSQL: copy it with pg_dump --format=custom",
    "restore": "the database is PostgreSQL: put a copy back with pg_restore --clean, while the bridge is stopped",
    "check": "the database is PostgreSQL: check it with pg_amcheck",
}
FileArgument = Annotated[Path, typer.Argument(help="The backup's file.", metavar="FILE")]


@app.command(epilog=examples("ocpp-bridge db upgrade --config my.toml"))
def upgrade(configuration: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Bring the database's schema to this release's; `serve` does the same at its start."""
    settings = settings_of(configuration, as_json=as_json)
    with _ended_by_failures(as_json=as_json):
        _upgrade(settings)
    print_document({"upgraded": True}) if as_json else say("the database is up to date")


def _upgrade(settings: Settings) -> None:
    import asyncio

    from bridge.store.engine import open_store

    store = open_store(settings.store_url, state_dir=settings.state_dir)
    try:
        store.upgrade()
    finally:
        asyncio.run(store.close())


@app.command(
    epilog=examples(
        "ocpp-bridge db backup /backup/bridge-monday.db --config my.toml",
        "ocpp-bridge db backup /backup/bridge.db --overwrite --json --config my.toml",
    )
)
def backup(
    file: FileArgument,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file where it exists.")] = False,
    configuration: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the database to a file while the bridge runs, or while it is stopped. SQLite only."""
    settings = settings_of(configuration, as_json=as_json)
    source = _sqlite_file(settings, "backup", as_json=as_json)
    from bridge.app.pepper import PEPPER_FILE
    from bridge.store.backup import back_up

    _must_exist(source, as_json=as_json)
    with _ended_by_failures(as_json=as_json):
        copied = back_up(source, file, overwrite=overwrite)
    beside = [str((settings.state_dir / PEPPER_FILE).resolve())]
    if as_json:
        print_document({**_shown(copied), "beside": beside})
        return
    say(f"{copied.path}: {copied.size:,} bytes, checked")
    say(f"keep a copy of {beside[0]} too, apart from it: without that file no station's key in the backup counts")


@app.command(epilog=examples("ocpp-bridge db restore /backup/bridge-monday.db --config my.toml"))
def restore(
    context: typer.Context,
    file: FileArgument,
    yes: YesOption = False,
    configuration: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the database's place while the bridge is stopped; its next start asks every station anew."""
    settings = settings_of(configuration, as_json=as_json)
    database = _sqlite_file(settings, "restore", as_json=as_json)
    from bridge.app.restoring import restore_database
    from bridge.store.backup import check as check_file

    _must_exist(file, as_json=as_json)
    with _ended_by_failures(as_json=as_json):
        check_file(file)
    if database.exists() and not yes:
        if as_json or not parts_of(context).interactive():
            fail(ExitCode.USAGE, f"nobody is there to ask; add --yes to replace {database}", as_json=as_json)
        confirm(f"{database} will be replaced by {file} (and kept beside it under another name). Go on?")
    with _ended_by_failures(as_json=as_json):
        copied, replaced = restore_database(settings, file, database)
    if as_json:
        print_document({**_shown(copied), "replaced": None if replaced is None else str(replaced)})
        return
    say(f"{database}: restored from {file}" + ("" if replaced is None else f"; the one before is {replaced}"))
    say("at its next start the bridge asks every station for its status, and tells every hub everything again")


@app.command(epilog=examples("ocpp-bridge db check --config my.toml", "ocpp-bridge db check /backup/bridge-monday.db"))
def check(
    file: Annotated[Path | None, typer.Argument(help="A backup; default: the database.", metavar="[FILE]")] = None,
    configuration: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every page and index of the database, or of a backup, and say whether it is whole. SQLite only."""
    if file is None:
        file = _sqlite_file(settings_of(configuration, as_json=as_json), "check", as_json=as_json)
    from bridge.store.backup import check as check_file

    _must_exist(file, as_json=as_json)
    with _ended_by_failures(as_json=as_json):
        checked = check_file(file)
    print_document(_shown(checked)) if as_json else say(f"{checked.path}: whole, schema {checked.schema}")


def _must_exist(file: Path, *, as_json: bool) -> None:
    if not file.is_file():
        fail(ExitCode.NOT_FOUND, f"{file}: no such file", as_json=as_json)


def _shown(copied: Copied) -> dict[str, object]:
    return {"file": str(copied.path), "bytes": copied.size, "schema": copied.schema}


def _sqlite_file(settings: Settings, verb: str, *, as_json: bool) -> Path:
    from bridge.store.backup import sqlite_file

    path = sqlite_file(settings.store_url)
    if path is None:
        fail(ExitCode.USAGE, _NOT_SQLITE[verb], as_json=as_json)
    return path


@contextmanager
def _ended_by_failures(*, as_json: bool) -> Iterator[None]:
    from bridge.store.errors import BackupUnusable, StoreError, StoreInUse, TargetExists

    log_to_stderr()
    try:
        yield
    except (StoreInUse, TargetExists) as error:
        fail(ExitCode.CONFLICT, str(error), as_json=as_json)
    except BackupUnusable as error:
        fail(ExitCode.INVALID, str(error), as_json=as_json)
    except StoreError as error:
        fail(ExitCode.FAILED, str(error), as_json=as_json)
