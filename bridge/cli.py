"""Parse the command line `ocpp-bridge`: nouns, verbs, exit codes.

Never opens a store that a running bridge owns: see `cli_session`. Before it: an operator or a script. After it:
`cli_run`, and `bridge.app` for `serve`.

Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 configuration or inventory wrong, 6 bridge
unreachable, 130 interrupted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from bridge import cli_inventory, cli_upstream
from bridge.cli_run import (
    ConfigOption,
    ExitCode,
    JsonOption,
    ask,
    config_path,
    fail,
    parts_of,
    print_document,
    say,
    settings_of,
)

if TYPE_CHECKING:
    from bridge.settings import Settings

app = typer.Typer(
    name="ocpp-bridge",
    help="Keeps every roaming hub in agreement with the true status of every EVSE.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
database = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(cli_inventory.app, name="inventory")
app.add_typer(cli_upstream.app, name="upstream")
app.add_typer(database, name="db")


@app.command()
def serve(context: typer.Context, config: ConfigOption = None) -> None:
    """Run the bridge until SIGTERM or Ctrl-C."""
    settings = settings_of(config)
    from bridge.app.pepper import PepperUnusable
    from bridge.logging_setup import configure_logging
    from bridge.store.errors import StoreError
    from bridge.web.token import TokenUnusable

    configure_logging(settings.log.level, settings.log.format)
    for warning in settings.warnings():
        say(f"warning: {warning}")
    try:
        code = parts_of(context).serve(settings)
    except (StoreError, TokenUnusable, PepperUnusable) as error:
        fail(ExitCode.FAILED, f"cannot start: {error}")
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        fail(ExitCode.FAILED, f"cannot start: {named}{error.strerror or error}")
    raise typer.Exit(code)


@app.command("check-config")
def check_config(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check the configuration and list every mistake; nothing is started."""
    from dataclasses import asdict

    from bridge.settings import ConfigurationErrors, Mistake, load_settings

    path = config_path(config)
    mistakes: tuple[Mistake, ...] = ()
    warnings: list[str] = []
    try:
        warnings = load_settings(path, os.environ).warnings()
    except ConfigurationErrors as error:
        mistakes = error.mistakes
    if as_json:
        shown = [asdict(mistake) for mistake in mistakes]
        print_document({"valid": not mistakes, "mistakes": shown, "warnings": warnings})
    for warning in warnings:
        say(f"warning: {warning}")
    if mistakes:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        fail(ExitCode.INVALID, *(str(mistake) for mistake in mistakes), f"{count} in the configuration")
    if not as_json:
        print(f"{path or 'defaults and environment'}: the configuration is valid")


@app.command()
def version(as_json: JsonOption = False) -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    number = installed("ocpp-bridge")
    if as_json:
        print_document({"version": number})
    else:
        print(f"ocpp-bridge {number}")


@app.command()
def status(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show the bridge at a glance."""
    from bridge.cli_output import print_status

    found = ask(context, config, lambda services: services.status(), as_json=as_json)
    print_document(found.model_dump(mode="json")) if as_json else print_status(found)


@database.command()
def upgrade(config: ConfigOption = None) -> None:
    """Bring the database's schema to this release's; `serve` does the same at its start."""
    settings = settings_of(config)
    from bridge.store.errors import StoreError, StoreInUse

    try:
        _upgrade(settings)
    except StoreInUse as error:
        fail(ExitCode.CONFLICT, str(error))
    except StoreError as error:
        fail(ExitCode.FAILED, str(error))
    say("the database is up to date")


def _upgrade(settings: Settings) -> None:
    import asyncio

    from bridge.store.engine import open_store

    store = open_store(settings.store_url, state_dir=settings.state_dir)
    try:
        store.upgrade()
    finally:
        asyncio.run(store.close())


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
