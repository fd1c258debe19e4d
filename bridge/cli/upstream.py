"""Parse `ocpp-bridge upstream …`: see the accounts, switch them on and off.

Never switches an account to live unasked: it shows what would be sent, and a fullLoad needs a yes of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli import syncing
from bridge.cli.full_load import full_load
from bridge.cli.run import (
    ConfigOption,
    ExitCode,
    JsonOption,
    YesOption,
    ask,
    confirm,
    examples,
    fail,
    new_group,
    parts_of,
    print_document,
)

if TYPE_CHECKING:
    from bridge.web.services import WebServices
    from bridge.web.shapes import UpstreamItem, UpstreamPreview

app = new_group("Accounts at hubs.")
app.command(
    "full-load",
    epilog=examples(
        "ocpp-bridge upstream full-load hubject_main --config my.toml --dry-run",
        "ocpp-bridge upstream full-load hubject_main --config my.toml",
        "ocpp-bridge upstream full-load hubject_main --config my.toml --data --yes",
    ),
)(full_load)
app.command(epilog=syncing.SYNC_EXAMPLES)(syncing.sync)
app.command(epilog=syncing.DELETE_EXAMPLES)(syncing.delete)

NameArgument = Annotated[str, typer.Argument(help="Name of the account in the configuration.", show_default=False)]

_OPERATOR = "command line"
"""Who switched, as it is stored where the bridge is stopped; a running one knows by the token."""


@app.command("list", epilog=examples("ocpp-bridge upstream list --config my.toml"))
def list_all(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the accounts: mode, state, backlog, lag."""
    from bridge.cli.output import print_upstreams

    found = ask(context, config, lambda services: services.list_upstreams(), as_json=as_json)
    print_document(found.model_dump(mode="json")) if as_json else print_upstreams(found)


@app.command(
    epilog=examples(
        "ocpp-bridge upstream enable hubject_main --config my.toml --dry-run",
        "ocpp-bridge upstream enable hubject_main --config my.toml",
        "ocpp-bridge upstream enable hubject_main --config my.toml --yes --no-full-load",
    )
)
def enable(
    context: typer.Context,
    name: NameArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Work everything out, send nothing.")] = False,
    full_load_answer: Annotated[
        bool | None, typer.Option("--full-load/--no-full-load", help="Answer the question about the fullLoad.")
    ] = None,
    yes: YesOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an account will be sent, ask, and switch it to live."""
    from bridge.core.modes import Mode

    interactive = parts_of(context).interactive()
    if not (yes or dry_run or interactive):
        fail(
            ExitCode.USAGE, f"nobody is there to ask; add --yes to switch {name} to live, or --dry-run", as_json=as_json
        )

    async def switch(services: WebServices) -> UpstreamItem:
        preview = await services.upstream_preview(name)
        _show(preview)
        if dry_run:
            return await services.set_mode(name, Mode.DRY_RUN, confirm_full_load=False, by=_OPERATOR)
        if not yes:
            confirm(f"Switch {name} to live?")
        confirmed = preview.asks_full_load and _wants_full_load(full_load_answer, yes, preview)
        return await services.set_mode(name, Mode.LIVE, confirm_full_load=confirmed, by=_OPERATOR)

    _done(ask(context, config, switch, as_json=as_json), as_json)


@app.command(epilog=examples("ocpp-bridge upstream disable hubject_main --config my.toml"))
def disable(
    context: typer.Context, name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Switch an account off; what it acknowledged is remembered."""
    from bridge.core.modes import Mode

    async def switch(services: WebServices) -> UpstreamItem:
        return await services.set_mode(name, Mode.OFF, confirm_full_load=False, by=_OPERATOR)

    _done(ask(context, config, switch, as_json=as_json), as_json)


def _show(preview: UpstreamPreview) -> None:
    """Print on stderr what would be sent."""
    from rich.console import Console

    from bridge.cli.output import print_preview
    from bridge.web.shapes import experimental_reason

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    print_preview(preview, console)
    if (reason := experimental_reason(preview.kind)) is not None:
        console.print(f"{preview.name} is experimental: {reason}", markup=False)


def _wants_full_load(answer: bool | None, yes: bool, preview: UpstreamPreview) -> bool:
    if answer is not None:
        return answer
    what = "everything" if preview.data is None else "everything, data and statuses,"
    return yes or typer.confirm(
        f"A fullLoad replaces {what} that the hub has of this account by the inventory. Send it?", err=True
    )


def _done(item: UpstreamItem, as_json: bool) -> None:
    if as_json:
        print_document(item.model_dump(mode="json"))
    else:
        print(f"{item.name} is {item.mode}")
