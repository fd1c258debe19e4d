"""Parse `ocpp-bridge upstream sync` and `upstream delete`: show how a hub differs, and have it told.

Never touches what others made at a hub. Before it: `upstream`, whose commands these are. After it: `run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.run import (
    ConfigOption,
    ExitCode,
    JsonOption,
    YesOption,
    ask,
    confirm,
    examples,
    fail,
    parts_of,
    print_document,
)

if TYPE_CHECKING:
    from bridge.web.services import WebServices
    from bridge.web.sync_shapes import Deletion, SyncReport

NameArgument = Annotated[str, typer.Argument(help="Name of the account in the configuration.", show_default=False)]


def sync(
    context: typer.Context,
    name: NameArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what differs, send nothing.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Send everything again, agreed or not.")] = False,
    yes: YesOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a hub should have and has not acknowledged, ask, and send it at once."""
    interactive = parts_of(context).interactive() and not as_json
    if not (yes or dry_run or interactive):
        fail(ExitCode.USAGE, f"nobody is there to ask; add --yes to sync {name}, or --dry-run", as_json=as_json)

    async def order(services: WebServices) -> SyncReport:
        report = await services.sync_preview(name)
        if dry_run:
            return report
        if not yes:
            from bridge.cli.sync_output import sync_lines

            for line in sync_lines(report):
                typer.echo(line, err=True)
            if report.to_send or everything:
                confirm(f"Send {'everything' if everything else 'what differs'} to {name} now?")
        return await services.sync(name, forget=everything)

    report = ask(context, config, order, as_json=as_json)
    if as_json:
        print_document(report.model_dump(mode="json"))
        return
    from bridge.cli.sync_output import print_sync

    print_sync(report, lines=yes or dry_run, everything=everything)


SYNC_EXAMPLES = examples(
    "ocpp-bridge upstream sync chargeprice --config my.toml --dry-run",
    "ocpp-bridge upstream sync chargeprice --config my.toml",
    "ocpp-bridge upstream sync chargeprice --config my.toml --all --yes",
)


def delete(
    context: typer.Context,
    name: NameArgument,
    kind: Annotated[str, typer.Argument(help="station or company.", show_default=False)],
    key: Annotated[str, typer.Argument(help="Its UUID; `upstream sync NAME --dry-run` shows it.", show_default=False)],
    yes: YesOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a station or company at Chargeprice that is no longer listed. This cannot be taken back."""
    if not yes and not (parts_of(context).interactive() and not as_json):
        fail(ExitCode.USAGE, f"nobody is there to ask; add --yes to delete {kind} {key} at {name}", as_json=as_json)
    if not yes:
        confirm(f"Delete {kind} {key} at {name}? This cannot be taken back.")

    async def order(services: WebServices) -> Deletion:
        return await services.delete_document(name, kind, key)

    deleted = ask(context, config, order, as_json=as_json)
    if as_json:
        print_document(deleted.model_dump(mode="json"))
    else:
        print(f"{deleted.kind} {deleted.key} will be deleted at {deleted.name}")


DELETE_EXAMPLES = examples(
    "ocpp-bridge upstream delete chargeprice station 20006f18-3ed4-4715-92b5-08e37e6dd18c --config my.toml"
)
