"""Parse `ocpp-bridge`: the verbs without a noun.

Imports what it needs only when a command runs, so that help and version are quick. Before it: `main`. After it: `run`,
and `bridge.app` for `serve`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli import (
    attempts,
    beginning,
    completion,
    configuration,
    database,
    delivery,
    events,
    evse,
    explain,
    health,
    inventory,
    key,
    quarantine,
    quirks,
    station,
    station_log,
    temporary,
    upstream,
)
from bridge.cli.run import (
    ConfigOption,
    ExitCode,
    JsonOption,
    ask,
    config_path,
    examples,
    fail,
    new_group,
    parts_of,
    print_document,
    say,
    settings_of,
)

if TYPE_CHECKING:
    from types import FrameType

    from bridge.settings import Settings

app = new_group(
    "Keeps every roaming hub in agreement with the true status of every EVSE.",
    examples(
        "ocpp-bridge check-config --config my.toml",
        "ocpp-bridge serve --config my.toml",
        "ocpp-bridge inventory import stations.csv --config my.toml",
        "ocpp-bridge status --config my.toml",
    ),
)


def _version_asked(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


@app.callback()
def _whole(
    show_version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version.", is_eager=True, callback=_version_asked)
    ] = False,
) -> None:
    """Take what belongs to no command."""


app.add_typer(inventory.app, name="inventory")
app.add_typer(evse.app, name="evse")
app.add_typer(upstream.app, name="upstream")
app.add_typer(temporary.app, name="temporary")
app.add_typer(station.app, name="station")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(delivery.app, name="delivery")
station.app.command(
    epilog=examples(
        "ocpp-bridge station attempts --config my.toml", "ocpp-bridge station attempts CP42 --config my.toml"
    )
)(attempts.attempts)
station_log.add_to(station.app)
app.add_typer(database.app, name="db")
app.add_typer(configuration.app, name="config")
app.command(
    epilog=examples(
        "ocpp-bridge init", "ocpp-bridge init mysite --station CP42 --ocpp 2.0.1 --evse-id DE*ABC*E42 --operator Acme"
    )
)(beginning.init)
app.command(epilog=examples("ocpp-bridge health", "ocpp-bridge health --json --config my.toml"))(health.health)
app.command(
    epilog=examples(
        "ocpp-bridge completion bash > /etc/bash_completion.d/ocpp-bridge",
        "ocpp-bridge completion zsh > /usr/share/zsh/site-functions/_ocpp-bridge",
        "ocpp-bridge completion fish > ~/.config/fish/completions/ocpp-bridge.fish",
    )
)(completion.completion)
app.add_typer(key.app, name="key")
app.command(
    epilog=examples(
        "ocpp-bridge quirks", "ocpp-bridge quirks --json", "ocpp-bridge quirks --station CP1 --config my.toml"
    )
)(quirks.quirks)

events.add_to(app)
explain.add_to(app)


@app.command(
    epilog=examples("ocpp-bridge serve --config my.toml", "BRIDGE_OCPP__PORT=9001 ocpp-bridge serve --config my.toml")
)
def serve(context: typer.Context, configuration: ConfigOption = None) -> None:
    """Run the bridge until SIGTERM or Ctrl-C, which end it with exit code 0."""
    with _ended_by_signals():
        settings = settings_of(configuration, certificates_at=datetime.now(UTC))

        from bridge.app.listening import CannotListen
        from bridge.app.pepper import PepperUnusable
        from bridge.logging_setup import configure_logging
        from bridge.store.errors import StoreError
        from bridge.upstreams.credentials import CredentialUnusable
        from bridge.web.token import TokenUnusable

        configure_logging(settings.log.level, settings.log.format)
        try:
            code = parts_of(context).serve(settings)
        except (StoreError, TokenUnusable, PepperUnusable, CredentialUnusable, CannotListen) as error:
            fail(ExitCode.FAILED, f"cannot start: {error}")
        except OSError as error:
            named = f"{error.filename}: " if error.filename else ""
            fail(ExitCode.FAILED, f"cannot start: {named}{error.strerror or error}")
        raise typer.Exit(code)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the process well while nothing is open yet; `bridge.app` takes over from here."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(ExitCode.DONE)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@app.command("check-config", epilog=examples("ocpp-bridge check-config --config my.toml"))
def check_config(configuration: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check the configuration and list every mistake; nothing is started."""
    from dataclasses import asdict

    from bridge.cli.output import counted
    from bridge.settings import ConfigurationErrors, Mistake, load_settings

    path, now = config_path(configuration), datetime.now(UTC)
    mistakes: tuple[Mistake, ...] = ()
    warnings: list[str] = []
    try:
        settings = load_settings(path, os.environ, certificates_at=now)
        warnings = [*settings.warnings(), *_certificate_warnings(settings, now)]
    except ConfigurationErrors as error:
        mistakes = error.mistakes
    if as_json:
        shown = [asdict(mistake) for mistake in mistakes]
        print_document({"valid": not mistakes, "mistakes": shown, "warnings": warnings})
    for warning in warnings:
        say(f"warning: {warning}")
    if mistakes:
        lines = [str(mistake) for mistake in mistakes]
        fail(ExitCode.INVALID, *lines, f"{counted(len(lines), 'mistake')} in the configuration")
    if not as_json:
        print(f"{path or 'defaults and environment'}: the configuration is valid")


def _certificate_warnings(settings: Settings, now: datetime) -> list[str]:
    from bridge.core.expiry import expiry_warning, server_expiry_warning
    from bridge.settings.certificates import read_certificates
    from bridge.settings.listener_certificates import read_first_certificates

    accounts, listeners = read_certificates(settings), read_first_certificates(settings)
    found = [(f"accounts.{name}", expiry_warning(read.not_after, now)) for name, read in accounts.items()]
    found += [
        (f"ocpp.listeners.{name}", server_expiry_warning(read.not_after, now)) for name, read in listeners.items()
    ]
    return [f"{key}: {warning}" for key, warning in found if warning is not None]


@app.command(epilog=examples("ocpp-bridge version"))
def version(as_json: JsonOption = False) -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    number = installed("ocpp-bridge")
    if as_json:
        print_document({"version": number})
    else:
        print(f"ocpp-bridge {number}")


@app.command(epilog=examples("ocpp-bridge status --config my.toml", "ocpp-bridge status --config my.toml --json"))
def status(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show the bridge at a glance: stations, EVSEs, accounts."""
    from bridge.cli.output import print_status

    found = ask(context, config, lambda services: services.status(), as_json=as_json)
    print_document(found.model_dump(mode="json")) if as_json else print_status(found)
