"""Parse `ocpp-bridge inventory listing …`: import a TOML file of static data, list what is there.

Never reads the file's fields: the bridge does. Twin: `inventory`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.importing import import_with, text_of
from bridge.cli.run import ConfigOption, JsonOption, YesOption, ask, examples, new_group, print_document

if TYPE_CHECKING:
    from bridge.web.services import WebServices
    from bridge.web.shapes import ImportReport

app = new_group("Static data of EVSEs and stations, as hubs name it.")


@app.command("list", epilog=examples("ocpp-bridge inventory listing list --config my.toml"))
def list_all(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List what was imported; --json shows every field."""
    from bridge.cli.output import print_listings

    found = ask(context, config, lambda services: services.list_listings(), as_json=as_json)
    print_document(found.model_dump(mode="json")) if as_json else print_listings(found)


@app.command(
    "import",
    epilog=examples(
        "ocpp-bridge inventory listing import listing.toml --config my.toml --dry-run",
        "ocpp-bridge inventory listing import listing.toml --config my.toml",
        "ocpp-bridge inventory listing import listing.toml --config my.toml --prune --yes",
    ),
)
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="TOML file; - is standard input.", show_default=False)],
    prune: Annotated[bool, typer.Option("--prune", help="Remove what is not in the file.")] = False,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the changes, make none.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add and change the static data of EVSEs and stations from a TOML file: all of it or nothing."""
    from bridge.web.shapes import ListingRequest

    request = ListingRequest(toml=text_of(file, as_json), prune=prune, yes=yes, dry_run=dry_run)

    async def apply(services: WebServices, said_yes: bool) -> ImportReport:
        return await services.import_listing(request.model_copy(update={"yes": said_yes}))

    import_with(context, config, apply, yes=yes, file=file, as_json=as_json)
